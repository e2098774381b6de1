"""Prints each UDP datagram that passes an interface, one a line: from where, to where, its text with escapes.

No tool like tcpdump is needed, only Python and root.
"""
import ipaddress
import socket
import sys

ALL_PROTOCOLS = 3  # ETH_P_ALL
UDP = 17

conn = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ALL_PROTOCOLS))
conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
conn.bind((sys.argv[1], ALL_PROTOCOLS))
print("capturing", flush=True)
while True:
    packet = conn.recv(65536)
    if packet[0] >> 4 == 4 and packet[9] == UDP:
        addresses, udp = (packet[12:16], packet[16:20]), packet[(packet[0] & 15) * 4:]
    elif packet[0] >> 4 == 6 and packet[6] == UDP:
        addresses, udp = (packet[8:24], packet[24:40]), packet[40:]
    else:
        continue
    source, target = (
        f"{ipaddress.ip_address(address)}|{int.from_bytes(port, 'big')}"
        for address, port in zip(addresses, (udp[:2], udp[2:4]))
    )
    text = udp[8:int.from_bytes(udp[4:6], "big")].decode("latin-1").encode("unicode_escape").decode()
    print(source, target, text, flush=True)
