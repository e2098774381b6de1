"""A TCP chat server as the assignments have it: a thread for each client, which it asks for a name first."""
import socket
import threading

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.bind(("127.0.0.1", 0))
server.listen()
print(f"Listening on port {server.getsockname()[1]}", flush=True)
clients = {}


def serve(client):
    client.send("NICK".encode())
    name = client.recv(1024).decode().strip()
    clients[client] = name
    print(f"{name} has come", flush=True)
    while True:
        data = client.recv(1024)
        print(f"{name} {data!r}", flush=True)
        if not data or data.decode().strip() == "quit":
            break
        for other in clients:
            other.send(f"{name}: {data.decode().strip()}".encode())
    del clients[client]
    client.close()


while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
