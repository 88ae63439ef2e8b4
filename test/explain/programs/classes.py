class Dog:
    tricks = []
    def __init__(self, name):
        self.name = name
    def add_trick(self, trick):
        self.tricks.append(trick)

label = ["Fido"]
fido = Dog(label)
roll = ["roll over"]
fido.add_trick(roll)
buddy = fido
del fido
label = None
