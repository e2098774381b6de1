"""A classic chat server as Python does it fastest: one blocking socket, and a loop of sendto.

    python3 -S -E relay.py PORT
"""

import socket
import sys


def main():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("0.0.0.0", int(sys.argv[1])))
    print("Listening on 0.0.0.0:%d" % sock.getsockname()[1], flush=True)
    members = {}
    sendto = sock.sendto
    recvfrom = sock.recvfrom
    while True:
        data, sender = recvfrom(4096)
        if data.startswith(b"MESSAGE"):
            text = data[8:] if data[7:8] == b" " else data[7:]
            line = b"INCOMING <From %s:%d>: %s" % (sender[0].encode(), sender[1], text)
            for member in members:
                try:
                    sendto(line, member)
                except OSError:
                    pass  # it concerns this one member
        elif data.startswith(b"GREETING"):
            members[sender] = True


main()
