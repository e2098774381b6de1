"""A TCP chat client with select(): it sends lines as they are read, and prints what one recv gives, as it is."""
import select, socket, sys

sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
sock.connect((sys.argv[1], int(sys.argv[2])))
inputs = [sys.stdin, sock]
while True:
    for ready in select.select(inputs, [], [])[0]:
        if ready is sock:
            data = sock.recv(4096)
            if not data:
                print("The server has closed")
                sys.exit()
            sys.stdout.write(data.decode())
            sys.stdout.flush()
        else:
            line = sys.stdin.readline()
            if line == "":
                # it ends without a word
                sys.exit()
            sock.sendall(line.encode())
