class Greeter:
    def hello(self):
        return self

g = Greeter()
method = g.hello
same = method()
also = g.hello()
method = None
