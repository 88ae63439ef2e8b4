a = [-1.5, 1.5, 66.25, 333.5]
b = a[2]
del a[0]
del a[2:4]
del a[:]
c = a
del a
