class Manager:
    def __init__(self, resource):
        self.resource = resource
    def __enter__(self):
        return self.resource
    def __exit__(self, *rest):
        self.resource = None

thing = ["open"]
manager = Manager(thing)
with manager as used:
    alias = used
del used
