"""Loses nothing that is said, prints nothing twice, and keeps the room's order, at any loss."""
import queue, secrets, signal, socket, sys, threading, time, zlib
from contextlib import suppress

EVENTS = "INCOMING/1", "NOTICE/1", "ONLINE/1", "OFFLINE/1", "RENAMED/1"
# After these a program must not greet again by itself: the name has to be another one, or this member has to go.
ENDING = "name-taken bad-name name-wanted kicked banned locked signed-in-elsewhere".split()
PAUSE = 0.2  # Seconds until what has no answer is sent again.
MAX_HELD, MAX_SHOWN = 2048, 10_000  # Bounds for the memory, whatever comes.

server, name = (socket.gethostbyname(sys.argv[1]), int(sys.argv[2])), sys.argv[3:]
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(0.02)
token, stream = secrets.token_hex(8), secrets.token_hex(8)
typed = queue.Queue(100)  # What is to be said, and None at the end.
shown = {}  # What was printed, by stream and id.


def read_what_is_typed():
    for line in sys.stdin:
        line = line.rstrip()
        for start in range(0, len(line), 214):  # 856 bytes, and a character takes 4 at most.
            typed.put(line[start : start + 214])
    typed.put(None)


def send(kind, rest):
    crc = zlib.crc32(f"{kind} {rest}".encode())
    with suppress(OSError):  # Without a network it is as good as lost.
        sock.sendto(f"{kind} sum={crc:08x} {rest}".encode(), server)


def receive():
    """Returns the type, the fields and the text of a packet of the server."""
    data, sender = sock.recvfrom(2000)
    header, _, text = data.decode().partition("\n")
    kind, *fields = header.split()
    fields = dict(field.split("=", 1) for field in fields)
    crc = zlib.crc32(data.replace(f" sum={fields['sum']}".encode(), b"", 1))
    if sender != server or fields["sum"] != f"{crc:08x}":
        raise ValueError("from elsewhere, or damaged")
    return kind, fields, text


def printable(text):
    """Nobody else sends escape sequences to this terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


def show(kind, fields, text):
    """Prints a message, unless it is known by its stream and id, as after a new start of the server."""
    # A member may call its stream like the epoch, but there is no stream with a space.
    key = fields.get("stream", f"line {fields['epoch']}"), fields.get("id", fields["seq"])
    if kind == "INCOMING/1" and key not in shown:
        print(printable(f"{fields.get('name', fields['from'])}: {text}"), flush=True)
    shown[key] = True
    if len(shown) > MAX_SHOWN:
        del shown[next(iter(shown))]


signal.signal(signal.SIGINT, signal.SIG_DFL)
sys.stdout.reconfigure(errors="replace")
threading.Thread(target=read_what_is_typed, daemon=True).start()
greeting_id, proof, greet_at, send_at = secrets.randbelow(2**32), "", 0, 0
answered = greeting_id  # The last greeting that has an answer.
text, number, is_ending = None, 0, False  # What is being said, one text at a time.
epoch, next_seq, latest = None, 1, 0  # The line, what comes next on it, its end.
held = {}  # What came early, by seq.
while True:
    now = time.monotonic()
    if epoch and text is None and not is_ending and not typed.empty():
        text, number, send_at = typed.get(), number + 1, now
        is_ending = text is None
        if is_ending:  # What was said is on the line. Only a later greeting's WELCOME tells where that ends.
            answered, greet_at = greeting_id, 0
    if now >= send_at:
        send_at = now + PAUSE
        if now >= greet_at:
            greeting_id += 1
            rest = f"id={greeting_id}{proof}"
            send(*("SIGN-IN/1", f"{rest} name={name[0]}") if name else ("GREETING/1", rest))
        if text is not None:
            send("MESSAGE/1", f"token={token} stream={stream} id={number}\n{text}")
        if next_seq <= latest:
            to = min(latest, next_seq + 31)
            send("RESEND/1", f"token={token} epoch={epoch} from={next_seq} to={to}")
    try:
        kind, fields, body = receive()
        is_mine = fields.get("token") == token  # Only the server knows it.
        is_answer = max(answered, greeting_id - 16) < int(fields.get("id", 0)) <= greeting_id
        if kind == "RETRY/1" and is_answer:
            proof, greet_at, answered = f" token={token} cookie={fields['cookie']}", 0, int(fields["id"])
        elif kind == "CHALLENGE/1" and is_mine and is_answer:
            sys.exit("This name needs a password, which this program can't give: choose another")
        elif kind == "WELCOME/1" and is_mine and is_answer:
            proof, greet_at, answered = f" token={token}", now + int(fields["keepalive"]) / 1000, int(fields["id"])
            if epoch is None:
                next_seq = int(fields["seq"]) + 1  # What was said before is not for a newcomer.
            elif epoch != fields["epoch"]:  # The server has forgotten everything.
                for seq in sorted(held):
                    show(*held[seq])
                held, next_seq = {}, 1
            epoch, latest = fields["epoch"], int(fields["seq"])
            if is_ending and next_seq > latest:
                break
        elif kind == "ERROR/1" and is_mine and fields["code"] == "not-joined":
            greet_at = 0
        elif kind == "ERROR/1" and is_mine and fields["code"] == "stream-taken":
            if fields["stream"] == stream:  # A new server has given it to another member.
                stream, number = secrets.token_hex(8), 1
        elif kind == "ERROR/1" and is_mine:
            print(printable(body), file=sys.stderr, flush=True)
            if fields["code"] in ENDING:
                sys.exit(1)
            if (fields.get("stream"), fields.get("id")) == (stream, str(number)):
                text = None  # It will never be taken.
        elif fields.get("epoch", epoch if kind == "ACK/1" else None) != epoch:
            pass  # It is about another line.
        elif kind == "GONE/1" and is_mine and int(fields["from"]) <= next_seq:
            for seq in sorted(seq for seq in held if seq <= int(fields["to"])):
                show(*held.pop(seq))
            next_seq = max(next_seq, int(fields["to"]) + 1)
        elif kind == "HEARTBEAT/1":
            latest = max(latest, int(fields["seq"]))
        elif kind in EVENTS or kind == "ACK/1" and is_mine:
            if (fields.get("stream"), fields.get("id")) == (stream, str(number)):
                text = None  # The server has it: this is the copy, or an ACK.
            if "seq" in fields:
                seq = int(fields["seq"])
                latest = max(latest, seq)
                if next_seq <= seq < next_seq + MAX_HELD:
                    held[seq] = kind, fields, body
        while next_seq in held:
            show(*held.pop(next_seq))
            next_seq += 1
    except BrokenPipeError:
        break  # Nobody reads what is printed.
    except (OSError, ValueError, KeyError):
        pass  # Nothing came, or it was no packet.
for _ in range(4):  # Nobody waits for the answer, and one of them arrives.
    send("LEAVE/1", f"id=1 token={token}")
