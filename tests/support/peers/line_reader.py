"""A TCP chat client like those in Java: it reads whole lines and blocks until there is one, and sends line ends of two bytes."""
import socket, sys, threading

sock = socket.create_connection((sys.argv[1], int(sys.argv[2])))
reader = sock.makefile("r", encoding="utf-8", newline="\n")


def receive():
    for line in reader:
        print(line.rstrip("\n"), flush=True)


threading.Thread(target=receive, daemon=True).start()
for line in sys.stdin:
    sock.sendall(line.rstrip("\n").encode() + b"\r\n")
sock.shutdown(socket.SHUT_WR)
while sock.recv(1024):
    pass
