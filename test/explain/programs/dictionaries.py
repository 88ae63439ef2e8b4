tel = {"jack": [4098], "sape": [4139]}
guido = [4127]
tel["guido"] = guido
tel["irv"] = guido
del tel["sape"]
old = tel["jack"]
tel["jack"] = guido
number = tel.pop("irv")
tel.clear()
