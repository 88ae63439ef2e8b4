stack = [3.5, 4.5, 5.5]
stack.append(6.5)
top = stack.pop()
stack.append(top)
other = stack
del stack
last = other.pop()
