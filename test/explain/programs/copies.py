import copy

inner = [1.5]
outer = [inner, inner]
shallow = outer[:]
second = copy.copy(outer)
deep = copy.deepcopy(outer)
outer *= 2
joined = outer + shallow
