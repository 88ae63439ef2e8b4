def join(*parts):
    return parts

items = [[1], [2]]
joined = join(*items)
more = join(items, items)
joined = more = None
