"""Says what is typed and prints what is said, in the classic dialect."""
import socket, sys, threading

server = sys.argv[1], int(sys.argv[2])
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.sendto(b"GREETING", server)
sys.stdout.reconfigure(errors="replace")


def print_what_is_said():
    while True:
        text = sock.recv(4096).decode(errors="replace")[8:].strip()
        print("".join(c if c.isprintable() else "?" for c in text), flush=True)


threading.Thread(target=print_what_is_said, daemon=True).start()
for line in sys.stdin:
    sock.sendto(b"MESSAGE " + line.encode(), server)
