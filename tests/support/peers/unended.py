"""A TCP chat client that many write: it sends a line without a line feed, and prints what one recv gives."""
import socket, sys, threading

sock = socket.create_connection((sys.argv[1], int(sys.argv[2])))


def receive():
    while True:
        data = sock.recv(1024)
        if not data:
            break
        print(data.decode().strip(), flush=True)
    print("Disconnected from the server", flush=True)


threading.Thread(target=receive, daemon=True).start()
for line in sys.stdin:
    sock.send(line.rstrip("\n").encode())
    if line.strip() == "quit":
        break
sock.close()
