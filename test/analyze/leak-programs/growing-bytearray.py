from refledger import mark

buffer = bytearray()
for n in range(500):
    buffer.extend(b"abcdefgh")  # LEAK
    mark("round")
