/*
 * The yardstick: the fastest classic chat server in C. It receives by recvfrom and sends by sendmmsg, 1,024 copies a
 * call.
 *
 * Headers and addresses are written when a member joins; a message changes one iovec, which all headers share.
 *
 * With `tcp` after the port each message is also a line to everybody that has connected to the same port by TCP, by one
 * write each. What a connection says is not read: in this measurement only those speak that send datagrams.
 *
 *   cc -O2 -o relay relay.c && ./relay PORT [tcp]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 1024, LONGEST = 4096, CONNECTIONS = 10000, WORD = sizeof "INCOMING " - 1 };

static struct sockaddr_in *members;
static struct mmsghdr *headers;
static struct iovec payload;
static unsigned count, capacity;
/* open addressing: a member's index + 1, or 0 for an empty slot; always at least twice as many slots as members */
static unsigned *slots;
static unsigned slot_mask;

static unsigned *slot_of(const struct sockaddr_in *address) {
  uint64_t key = (uint64_t)address->sin_addr.s_addr << 16 | address->sin_port;
  unsigned at = (unsigned)(key * 0x9e3779b97f4a7c15ull >> 32) & slot_mask;
  for (; slots[at]; at = (at + 1) & slot_mask) {
    const struct sockaddr_in *member = &members[slots[at] - 1];
    if (member->sin_addr.s_addr == address->sin_addr.s_addr && member->sin_port == address->sin_port) break;
  }
  return &slots[at];
}

static void grow(void) {
  capacity = capacity ? 2 * capacity : 1024;
  members = realloc(members, capacity * sizeof *members);
  headers = realloc(headers, capacity * sizeof *headers);
  free(slots);
  slots = calloc(2 * capacity, sizeof *slots);
  slot_mask = 2 * capacity - 1;
  if (!members || !headers || !slots) exit(1);
  for (unsigned i = 0; i < count; i++) {
    headers[i].msg_hdr.msg_name = &members[i];
    *slot_of(&members[i]) = i + 1;
  }
}

static void join(const struct sockaddr_in *address) {
  if (count == capacity) grow();
  unsigned *slot = slot_of(address);
  if (*slot) return;
  members[count] = *address;
  headers[count] = (struct mmsghdr){ .msg_hdr = {
    .msg_name = &members[count], .msg_namelen = sizeof *members, .msg_iov = &payload, .msg_iovlen = 1,
  } };
  *slot = ++count;
}

static void tell_all(int fd, char *bytes, size_t length) {
  payload = (struct iovec){ .iov_base = bytes, .iov_len = length };
  for (unsigned done = 0; done < count;) {
    unsigned rest = count - done;
    int sent = sendmmsg(fd, headers + done, rest < BATCH ? rest : BATCH, 0);
    done += sent > 0 ? sent : 1; /* the first of the rest was refused: only this member gets no copy */
  }
}

static int connections[CONNECTIONS];
static unsigned connection_count;

static int listen_on(const struct sockaddr_in *address) {
  struct rlimit files = { .rlim_cur = 0 };
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (fd < 0 || bind(fd, (const struct sockaddr *)address, sizeof *address) < 0 || listen(fd, 128) < 0) {
    perror("relay");
    exit(1);
  }
  return fd;
}

/* Waits until there is a datagram, and takes the connections that come meanwhile. */
static void accept_until_datagram(int fd, int listener) {
  struct pollfd ready[] = { { .fd = fd, .events = POLLIN }, { .fd = listener, .events = POLLIN } };
  while (!ready[0].revents) {
    poll(ready, 2, -1);
    if (!ready[1].revents || connection_count == CONNECTIONS) continue;
    int connection = accept(listener, NULL, NULL), yes = 1;
    if (connection < 0) continue;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    connections[connection_count++] = connection;
  }
}

static void write_to_all(const char *line, size_t length) {
  for (unsigned i = 0; i < connection_count; i++) {
    if (send(connections[i], line, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length) continue;
    close(connections[i]);
    connections[i--] = connections[--connection_count];
  }
}

int main(int argc, char **argv) {
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0) };
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0) return perror("relay"), 1;
  getsockname(fd, (struct sockaddr *)&address, &length);
  int listener = argc > 2 ? listen_on(&address) : -1;
  printf("Listening on 0.0.0.0:%d\n", ntohs(address.sin_port));
  fflush(stdout);

  static char in[LONGEST], out[LONGEST + 64];
  struct sockaddr_in from;
  for (;;) {
    if (listener >= 0) accept_until_datagram(fd, listener);
    length = sizeof from;
    ssize_t got = recvfrom(fd, in, sizeof in, 0, (struct sockaddr *)&from, &length);
    if (got >= 8 && memcmp(in, "GREETING", 8) == 0) join(&from);
    if (got < 8 || memcmp(in, "MESSAGE", 7) != 0) continue;
    int skip = in[7] == ' ' ? 8 : 7;
    char host[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &from.sin_addr, host, sizeof host);
    int head = sprintf(out, "INCOMING <From %s:%d>: ", host, ntohs(from.sin_port));
    memcpy(out + head, in + skip, got - skip);
    size_t end = head + got - skip;
    tell_all(fd, out, end);
    out[end] = '\n';
    write_to_all(out + WORD, end + 1 - WORD);
  }
}
