"""An input() program: reads names and numbers from standard input until it ends, with prompts, sys.stdin iteration, and bytes
at the end; answers each line.
"""

import sys

name = input("name? ")
print("hello", name)
count = int(input())
total = 0
for i in range(count):
    try:
        total += float(input("number %d? " % (i + 1)))
    except ValueError as error:
        print("not a number:", str(error)[-6:])
print("sum:", total)
word = sys.stdin.readline()
print("line:", repr(word))
pieces = [line.rstrip("\n") for line in sys.stdin]
print("rest:", pieces)
try:
    input("more? ")
except EOFError:
    print("no more")
print("end:", repr(sys.stdin.read()), repr(sys.stdin.buffer.read(10)))
