"""A TCP chat server as the assignments have it: a thread for each client, which it asks for a name first."""
import socket
import sys
import threading

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.bind(("127.0.0.1", 0))
server.listen()
print(f"Listening on port {server.getsockname()[1]}", flush=True)
clients = {}


def log(line):
    # the lines of two threads must not mix, and print writes the line feed on its own
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def serve(client):
    client.send("NICK".encode())
    name = client.recv(1024).decode().strip()
    clients[client] = name
    log(f"{name} has come")
    while True:
        data = client.recv(1024)
        log(f"{name} {data!r}")
        if not data or data.decode().strip() == "quit":
            break
        for other in clients:
            other.send(f"{name}: {data.decode().strip()}".encode())
    del clients[client]
    client.close()


while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
