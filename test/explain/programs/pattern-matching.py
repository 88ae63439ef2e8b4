def where(point):
    match point:
        case [x, y]:
            return x
        case {"at": place}:
            return place

p = [[1], [2]]
q = where(p)
r = where({"at": q})
p = None
