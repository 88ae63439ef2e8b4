"""Exercises xml.etree (C accelerator), expat, minidom and sax: building, parsing in pieces, iteration while changing, paths,
serialising, elements in cycles, handlers that raise, namespaces, damaged documents.
"""

import copy
import gc
import io
import pickle
import sys
import weakref
import xml.dom.minidom
import xml.etree.ElementTree as ET
import xml.parsers.expat
import xml.sax

root = ET.Element("root", {"version": "1"}, extra="yes")
for i in range(200):
    item = ET.SubElement(root, "item", id=str(i), kind="abc"[i % 3])
    item.text, item.tail = "text %d" % i, "\n"
    if i % 4 == 0:
        item.append(ET.Comment("comment"))
        ET.SubElement(ET.SubElement(item, "deep"), "deeper").text = "\u0416 & <"
text = ET.tostring(root, encoding="unicode")
again = ET.fromstring(text)
assert ET.tostring(again).count(b"deeper") == 100
print("tree:", len(text), len(root), len(root.findall("item[@kind='b']")), root.find(".//deeper").text == "\u0416 & <", len(list(root.iter())), root.findtext("item[4]/deep/deeper", "none"))
half = len(text) // 2
parser = ET.XMLPullParser(["start", "end", "comment"])
parser.feed(text[:half])
first = sum(1 for _ in parser.read_events())
parser.feed(text[half:])
print("pulled:", first > 0, sum(1 for e, el in parser.read_events() if e == "end" and el.tag == "item") > 90)
for event, element in ET.iterparse(io.StringIO(text)):
    if element.tag == "item":
        element.clear()
for element in list(root)[::3]:
    root.remove(element)
root[5:10] = [ET.Element("new") for _ in range(9)]
del root[::7]
root.insert(0, copy.deepcopy(root[3]))
root.extend(ET.Element("e%d" % i) for i in range(5))
clone = pickle.loads(pickle.dumps(root))
assert ET.tostring(clone) == ET.tostring(root)
print("changed:", len(root), [e.tag for e in root[-3:]], root[0].attrib, sorted(root.keys()))
iterator = root.iter()
next(iterator), next(iterator)
root.clear()
print("cleared while iterating:", sum(1 for _ in iterator) >= 0, len(root))


class Node(ET.Element):
    pass


gc.collect()
refs = []
for i in range(30):
    a, b = Node("a"), Node("b")
    a.append(b)
    b.append(a)
    a.set("self", "x")
    a.owner = b
    refs.append(weakref.ref(a))
del a, b
gc.collect()
print("cycles:", sum(r() is not None for r in refs))

ET.register_namespace("p", "urn:p")
ns = ET.fromstring("<x:r xmlns:x='urn:p' xmlns='urn:d'><x:a x:k='1'/><b/></x:r>")
print("namespaces:", ns.tag, [c.tag for c in ns], ET.tostring(ns).decode(), ns.find("q:a", {"q": "urn:p"}) is ns[0])
refused = []
for bad in ("<a>", "<a></b>", "<a b=1/>", "&x;", "<a>&undefined;</a>", "", "<a/><b/>", "<\x00/>", "<?xml version='1.0' encoding='nope'?><a/>"):
    try:
        ET.fromstring(bad)
    except (ET.ParseError, LookupError, ValueError) as error:
        refused.append(getattr(error, "code", "?"))
print("refused:", refused)


# Expat by hand; handlers that raise; one that holds its parser (a cycle through C).
counts = {}
p = xml.parsers.expat.ParserCreate(namespace_separator=" ")
p.buffer_text = True
p.StartElementHandler = lambda name, attrs: counts.__setitem__(name, counts.get(name, 0) + len(attrs))
p.CharacterDataHandler = lambda data, p=p: counts.__setitem__("#", counts.get("#", 0) + len(data))
p.Parse(text[:1000], False)
p.Parse(text[1000:], True)
print("expat:", counts["item"], counts["#"] > 1000)
del p


def explode(name, attrs):
    if attrs.get("id") == "50":
        raise ZeroDivisionError(name)


p = xml.parsers.expat.ParserCreate()
p.StartElementHandler = explode
try:
    p.Parse(text, True)
except ZeroDivisionError as error:
    print("handler:", error)


class Target:
    def __init__(self):
        self.depth = 0

    def start(self, tag, attrs):
        self.depth += 1

    def close(self):
        return self.depth


print("target:", ET.fromstring(text, ET.XMLParser(target=Target())))
dom = xml.dom.minidom.parseString(text[:half].rsplit("<item", 1)[0] + "</root>")
first = dom.documentElement.firstChild
print("dom:", len(dom.getElementsByTagName("item")), first.getAttribute("kind"), len(dom.toprettyxml()) > 1000)
dom.unlink()


class Sax(xml.sax.ContentHandler):
    n = 0

    def startElement(self, name, attrs):
        Sax.n += len(attrs.getNames())


xml.sax.parseString(text.encode(), Sax())
print("sax:", Sax.n)
builder = ET.TreeBuilder(element_factory=lambda tag, attrs: Node(tag, attrs))
builder.start("a", {}), builder.data("x"), builder.start("b", {}), builder.end("b"), builder.end("a")
print("builder:", type(builder.close()).__name__, sys.getrefcount(builder) < 5, ET.canonicalize("<a  z='1' b='2'/>"))
