"""Sends what is odd: pieces within 20 ms, half a character, ends of all kinds; with "reset" it ends by a reset."""
import socket, struct, sys, time

sock = socket.create_connection((sys.argv[1], int(sys.argv[2])))
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def send(*pieces, pause=0.0):
    for piece in pieces:
        sock.sendall(piece)
        time.sleep(pause)
    # longer than the silence that ends a message of a program without line feeds
    time.sleep(0.3)


if sys.argv[3:] == ["reset"]:
    send(b"hello")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
else:
    send(b"one ", b"two ", b"three")
    send(b"Zo\xc3", b"\xab", pause=0.1)
    # from here on only line feeds end a line
    send(b"a\r\nb ", b"c\n\n", pause=0.1)
    send(b"\xfe\x80\n")
    send(b"the end")
sock.close()
print("done", flush=True)
