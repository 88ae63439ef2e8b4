def parrot(voltage, state="a stiff", **rest):
    kept = voltage
    return rest

big = [1000]
words = {"jack": big}
got = parrot(big, state=words)
got = parrot(voltage=big, action=words)
again = parrot(**{"voltage": big})
