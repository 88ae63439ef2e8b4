"""A small service with a memory leak. Somewhere below, objects are kept that nobody needs any more: find out which, where
they are made, and who keeps them.

    refledger record traces/leaky-cache.py

The service answers a fixed list of requests (there is no network): each request carries a JSON body, opens or continues a
session, renders a response, and is done. When it ends it says how many sessions it still has in memory. There should be none.

It also does things that look like leaks and are none, as real programs do; what each of them is, is said where it happens.
Every request ends with a mark, so that one request can be compared with the next.
"""

import json
import sys
from collections import OrderedDict
from string import Template

try:
    from refledger import mark
except ImportError:  # not under the recorder: marks are no-ops

    def mark(name):
        pass


REQUESTS = 400
PAGES = 12


class Session:
    """What the service remembers of a visitor between login and logout."""

    live = 0

    def __init__(self, user, preferences):
        self.user = user
        self.preferences = preferences
        self.history = []
        Session.live += 1

    def __del__(self):
        Session.live -= 1

    def visit(self, path):
        self.history.append(path)
        return len(self.history)


class Request:
    def __init__(self, number, raw):
        self.number = number
        self.body = json.loads(raw)
        self.response = None


class Response:
    """Knows its request, as the request knows it: a cycle. Counting references alone never frees the two."""

    def __init__(self, request, status, text):
        self.request = request
        request.response = self
        self.status = status
        self.text = text


class TemplateCache:
    """A cache as it should be: it has room for a fixed number of templates, fills once, and then neither grows nor shrinks."""

    def __init__(self, room):
        self.room = room
        self.entries = OrderedDict()
        self.hits = self.misses = 0

    def get(self, page):
        if page in self.entries:
            self.hits += 1
            self.entries.move_to_end(page)
            return self.entries[page]
        self.misses += 1
        template = self.entries[page] = Template(
            "<html><h1>Page %d</h1><p>Hello $user, this is your visit number $visits.</p>%s</html>" % (page, "<hr>" * page)
        )
        if len(self.entries) > self.room:
            self.entries.popitem(last=False)
        return template


class Permissions:
    """Remembers what a user may see, so that it need not be worked out again."""

    def __init__(self):
        self.known = {}
        self.asked = 0

    def allows(self, session, page):
        self.asked += 1
        key = (session, page)
        if key not in self.known:
            self.known[key] = page % 5 != 4 or "admin" in session.preferences["roles"]
        return self.known[key]


class App:
    def __init__(self):
        self.sessions = {}
        self.templates = TemplateCache(PAGES)
        self.permissions = Permissions()
        self.statistics = {"requests": 0, "bytes": 0, "refused": 0}

    def login(self, body):
        session = Session(body["user"], body["preferences"])
        self.sessions[body["user"]] = session
        return session

    def logout(self, user):
        del self.sessions[user]

    def handle(self, request):
        body = request.body
        session = self.login(body)
        for page in body["pages"]:
            visits = session.visit("/page/%d" % page)
            if self.permissions.allows(session, page):
                text = self.templates.get(page).substitute(user=session.user, visits=visits)
                response = Response(request, 200, text)
            else:
                self.statistics["refused"] += 1
                response = Response(request, 403, "no")
        self.logout(session.user)
        self.statistics["requests"] += 1
        self.statistics["bytes"] += len(response.text)
        return response


def incoming(count):
    """The requests, as they would come over the wire: the same ones at every run."""
    for number in range(count):
        yield number, json.dumps(
            {
                "user": "visitor-%d" % number,
                "preferences": {"roles": ["admin"] if number % 50 == 0 else ["guest"], "theme": ("light", "dark")[number % 2], "font": 10 + number % 4},
                "pages": [(number * step) % PAGES for step in (1, 5, 7)],
            }
        )


def serve(app, count):
    for number, raw in incoming(count):
        request = Request(number, raw)
        response = app.handle(request)
        if response.status not in (200, 403):
            raise RuntimeError("request %d: %d" % (number, response.status))
        mark("request")


app = App()


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS
    serve(app, count)
    print("requests   %(requests)d, %(refused)d pages refused, %(bytes)d bytes sent" % app.statistics)
    print("templates  %d kept, %d hits, %d misses" % (len(app.templates.entries), app.templates.hits, app.templates.misses))
    print("sessions   %d logged in, %d in memory" % (len(app.sessions), Session.live))


if __name__ == "__main__":
    main()
