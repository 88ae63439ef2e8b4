bag = ["first"]

def replace():
    global bag
    bag = ["second"]

old = bag
replace()
replace()
