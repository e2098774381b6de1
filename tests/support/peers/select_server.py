"""A TCP chat server as the assignments have it: select(), and no line feed behind what it sends."""
import select
import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0))
server.listen(10)
print(f"Listening on port {server.getsockname()[1]}", flush=True)
clients = {}


def tell_others(text, sender):
    for other in clients:
        if other is not sender:
            other.send(text.encode())


while True:
    for sock in select.select([server, *clients], [], [])[0]:
        if sock is server:
            client, (host, port) = server.accept()
            clients[client] = f"{host}:{port}"
            tell_others(f"\r[{host}:{port}] is Online", client)
            continue
        try:
            data = sock.recv(4096)
        except OSError:
            data = b""
        if data:
            tell_others(f"\r<From {clients[sock]}>: {data.decode()}", sock)
        else:
            who = clients.pop(sock)
            sock.close()
            tell_others(f"\r[{who}] is Offline", sock)
