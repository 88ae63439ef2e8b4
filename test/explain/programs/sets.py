basket = {"apple", "orange"}
key = ("a", "b")
basket.add(key)
basket.add(key)
basket.discard(key)
basket.add(key)
copy = set(basket)
basket.clear()
