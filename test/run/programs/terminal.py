"""Runs argv[1:] on a terminal of 99 by 33 and prints what it showed: answers a question, presses Ctrl-C at the second."""
import fcntl, os, pty, select, struct, sys, termios, time

pid, fd = pty.fork()
if pid == 0:
    time.sleep(0.5)
    os.execv(sys.argv[1], sys.argv[1:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
out = b""


def until(text):
    global out
    end = time.time() + 60
    while text not in out and time.time() < end:
        if select.select([fd], [], [], 1)[0]:
            try:
                out += os.read(fd, 1000)
            except OSError:
                break


until(b"name? ")
os.write(fd, "jöe\n".encode())
until(b"again? ")
time.sleep(0.5)
os.write(fd, b"\x03")
until(b"end")
print(out.decode())
