/*
 * The load generator for a room of people: each client has a socket of its own, and they speak in turns.
 *
 *   load_irc KIND PORT CLIENTS RATE WARM_MS MEASURE_MS PID SPIN
 *
 * KIND is `irc` (clients of IRC in one channel), `lines` (our own connections) or `datagrams` (our classic clients). First
 * they say as much as the server takes, so that just-in-time compilers have finished, then RATE messages a second. It
 * prints the results, which irc.ts reads.
 */
#include "copies.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

enum { EVENTS = 256, READ = 64 << 10, LONGEST = 1024, MOST = 1000, WINDOW = 16, PATIENCE = 30, LAG = 3, BUFFER = 4 << 20 };

/* the beginning of a line whose end has not arrived */
static struct { int fd, joined; unsigned length; char bytes[LONGEST]; } clients[MOST];
static unsigned count, joined, closed;
static int events_fd;
static enum { IRC, LINES, DATAGRAMS } kind;

static void write_to(unsigned i, const char *text, unsigned length) {
  if (send(clients[i].fd, text, length, MSG_NOSIGNAL) != (ssize_t)length) fail("load_irc: send");
}

/* Takes what one client got: a line without its end, or a datagram. */
static void take_line(unsigned i, char *bytes, unsigned length, uint64_t at) {
  while (length > 0 && (bytes[length - 1] == '\r' || bytes[length - 1] == '\n')) length--;
  if (kind != IRC) {
    static const char word[] = "INCOMING ";
    unsigned skip = kind == DATAGRAMS ? sizeof word - 1 : 0;
    if (length > skip + TEXT && memcmp(bytes, word, skip) == 0 && bytes[skip] == '<') take(bytes, length, at);
  } else if (length > 5 && memcmp(bytes, "PING ", 5) == 0) {
    char answer[LONGEST + 2];
    write_to(i, answer, sprintf(answer, "PONG %.*s\r\n", (int)(length - 5), bytes + 5));
  } else if (memmem(bytes, length, " PRIVMSG ", 9)) {
    take(bytes, length, at);
  } else if (!clients[i].joined && memmem(bytes, length, " 366 ", 5)) { /* the end of the channel's names */
    clients[i].joined = 1;
    joined++;
  }
}

static void take_stream(unsigned i, char *bytes, unsigned length, uint64_t at) {
  for (char *end; (end = memchr(bytes, '\n', length));) {
    unsigned part = end - bytes;
    if (clients[i].length == 0) take_line(i, bytes, part, at);
    else if (clients[i].length + part <= LONGEST) {
      memcpy(clients[i].bytes + clients[i].length, bytes, part);
      take_line(i, clients[i].bytes, clients[i].length + part, at);
    }
    clients[i].length = 0;
    length -= part + 1;
    bytes = end + 1;
  }
  if (clients[i].length + length > LONGEST) length = LONGEST - clients[i].length; /* no line of this program */
  memcpy(clients[i].bytes + clients[i].length, bytes, length);
  clients[i].length += length;
}

static unsigned drain(void) {
  static struct epoll_event events[EVENTS];
  static char bytes[READ];
  uint64_t before = copies;
  int ready = epoll_wait(events_fd, events, EVENTS, 0);
  for (int e = 0; e < ready; e++) {
    unsigned i = events[e].data.u32;
    for (;;) {
      ssize_t got = recv(clients[i].fd, bytes, sizeof bytes, MSG_DONTWAIT);
      if (got > 0 && kind == DATAGRAMS) take_line(i, bytes, got, now());
      else if (got > 0) take_stream(i, bytes, got, now());
      else if (got == 0 || errno != EAGAIN) {
        close(clients[i].fd);
        closed++;
      }
      if (got <= 0 || kind != DATAGRAMS) break;
    }
  }
  return copies - before;
}

/* Who speaks by datagrams gets a copy too, to know that the message has arrived. */
static unsigned copies_each(void) {
  return kind == DATAGRAMS ? count : count - 1;
}

static void say(unsigned messages, uint64_t due, uint64_t interval) {
  static const char *const formats[] = { "PRIVMSG #room :%0*d%08x\r\n", "%0*d%08x\n", "MESSAGE %0*d%08x" };
  for (; messages > 0; messages--, next_number++, due += interval) {
    char text[LONGEST];
    ring[next_number % RING].sent_at = due;
    ring[next_number % RING].left = copies_each();
    outstanding++;
    write_to(next_number % count, text, sprintf(text, formats[kind], TEXT - 8, 0, next_number));
  }
}

static void connect_all(unsigned wanted, const struct sockaddr_in *server) {
  events_fd = epoll_create1(0);
  for (count = 0; count < wanted; count++) {
    int fd = socket(AF_INET, kind == DATAGRAMS ? SOCK_DGRAM : SOCK_STREAM, 0), yes = 1, size = BUFFER;
    if (fd < 0 || connect(fd, (const struct sockaddr *)server, sizeof *server) < 0) fail("load_irc: connect");
    if (kind != DATAGRAMS) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    else if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0) {
      setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    clients[count].fd = fd;
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = count };
    epoll_ctl(events_fd, EPOLL_CTL_ADD, fd, &event);
    char text[LONGEST];
    static const char *const greetings[] = { "NICK n%u\r\nUSER n%u 0 * :n\r\nJOIN #room\r\n", "", "GREETING" };
    write_to(count, text, sprintf(text, greetings[kind], count, count));
    if (count % 4 == 3) nap(5 * 1000 * 1000); /* ngIRCd lets ten wait; who comes too early tries again a second later */
  }
}

/* Waits until what one says arrives at all others. */
static void register_all(void) {
  uint64_t until = now() + PATIENCE * 1000000000ull;
  while (kind == IRC && joined < count && now() < until) {
    if (drain() == 0) nap(NAP);
  }
  for (; now() < until; written_off = 0) {
    uint64_t before = copies;
    say(1, now(), 0);
    for (uint64_t last = now(); outstanding > 0 && now() - last < 10ull * QUIET;) {
      if (drain() > 0) last = now();
      else nap(NAP);
    }
    settle();
    if (copies - before == copies_each() && written_off == 0) return;
  }
  fprintf(stderr, "load_irc: not all of %u clients get what one says; %u have joined\n", count, joined);
  exit(1);
}

/* Waits for what is under way, longer than settle() does: a connection may lag behind without losing anything. */
static void wait_for_all(void) {
  for (uint64_t until = now() + LAG * 1000000000ull; outstanding > 0 && now() < until;) {
    if (drain() == 0) nap(NAP);
  }
  settle();
}

int main(int argc, char **argv) {
  alarm(600); /* ends this program after 600 s, whatever goes wrong */
  prctl(PR_SET_TIMERSLACK, 1);
  if (argc != 9) return fprintf(stderr, "load_irc: see the top of load_irc.c\n"), 2;
  kind = strcmp(argv[1], "irc") == 0 ? IRC : strcmp(argv[1], "lines") == 0 ? LINES : DATAGRAMS;
  struct sockaddr_in server = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[2])) };
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  unsigned wanted = atoi(argv[3]);
  double rate = atof(argv[4]);
  uint64_t warm = atoi(argv[5]) * 1000000ull, length = atoi(argv[6]) * 1000000ull;
  int pid = atoi(argv[7]), spin = atoi(argv[8]);
  if (wanted < 2 || wanted > MOST || rate <= 0) return 2;
  connect_all(wanted, &server);
  register_all();
  closed_loop(WINDOW, now() + warm);
  wait_for_all();
  written_off = 0;
  is_timing = 1;
  uint64_t began = now(), before = copies;
  double cpu = cpu_of(pid), own = own_cpu();
  open_loop(1e9 / rate, began + length, spin);
  double seconds = (now() - began) / 1e9;
  uint64_t delivered = copies - before;
  cpu = cpu_of(pid) - cpu;
  own = own_cpu() - own;
  wait_for_all();
  printf("{\"delivered\":%lu,\"seconds\":%.6f,\"serverCpu\":%.3f,\"loadCpu\":%.3f,", delivered, seconds, cpu, own);
  printf("\"median\":%.4f,\"p99\":%.4f,\"lost\":%lu,\"closed\":%u}\n", latency_of(latencies, 0.5),
         latency_of(latencies, 0.99), written_off, closed);
  return 0;
}
