"""Says what is typed and prints what is said: the least of version 1. What UDP loses is lost."""
import secrets, signal, socket, sys, threading, time
from contextlib import suppress

# After these a program must not greet again by itself.
ENDING = "name-wanted", "kicked", "banned", "locked", "signed-in-elsewhere"

server = socket.gethostbyname(sys.argv[1]), int(sys.argv[2])
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(0.1)
signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C just ends it.
sys.stdout.reconfigure(errors="replace")
token, stream = secrets.token_hex(8), secrets.token_hex(8)
greeting_id, proof, greet_at = secrets.randbelow(2**32), "", 0


def send(packet):
    with suppress(OSError):  # Without a network it is as good as lost.
        sock.sendto(packet.encode(), server)


def printable(text):
    return "".join(c if c.isprintable() else "?" for c in text)


def say_what_is_typed():
    for number, line in enumerate(sys.stdin, 1):
        text = line.rstrip()[:214]  # 856 bytes, and a character takes 4 at most.
        send(f"MESSAGE/1 token={token} stream={stream} id={number}\n{text}")
        time.sleep(0.05)  # The server takes 20 a second. What is faster would have to be repeated.


speaker = threading.Thread(target=say_what_is_typed, daemon=True)
while True:
    if time.monotonic() >= greet_at:
        greeting_id, greet_at = greeting_id + 1, time.monotonic() + 0.5  # Soon, if this one is lost.
        send(f"GREETING/1 id={greeting_id}{proof}")
    try:
        data, sender = sock.recvfrom(2000)
        header, _, text = data.decode().partition("\n")
        kind, *fields = header.split()
        fields = dict(field.split("=", 1) for field in fields)
        if sender != server:
            continue
        if kind == "RETRY/1" and greeting_id - 16 < int(fields["id"]) <= greeting_id:
            proof, greet_at = f" token={token} cookie={fields['cookie']}", 0
        if kind == "WELCOME/1" and fields["token"] == token:
            if speaker.ident is None:  # Only now it is a member.
                speaker.start()
            proof, greet_at = f" token={token}", time.monotonic() + int(fields["keepalive"]) / 1000
        if kind == "INCOMING/1":
            print(printable(f"{fields.get('name', fields['from'])}: {text}"), flush=True)
        if kind == "ERROR/1" and fields["token"] == token and fields["code"] in ENDING:
            sys.exit(printable(text))
    except BrokenPipeError:
        break  # Nobody reads what is printed.
    except (OSError, ValueError, KeyError):
        pass  # Nothing came, or it was no packet.
