def reverse(data):
    for index in range(len(data) - 1, -1, -1):
        yield data[index]

gold = [["g"], ["o"]]
gen = reverse(gold)
x = next(gen)
y = next(gen)
del gen
z = [w for w in reverse(gold)]
