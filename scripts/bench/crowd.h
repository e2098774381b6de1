/*
 * A crowd: thousands of classic members in one thread. They say something and count the copies that arrive.
 *
 * A socket that is bound to a port of every address receives for the whole of 127.0.0.0/8, and IP_PKTINFO lets it send
 * from any address there. So each member has its own address, like in a real room, but a few sockets hold them all. One
 * recvmmsg takes the copies for many members from the kernel. This is far less work than the server's, which has to
 * make one copy for each member. A text ends in its number, eight hexadecimal digits, which identifies its copies.
 *
 * load.c and load_tcp.c include this file.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SOCKETS = 32, BATCH = 256, SEND_BATCH = 64, TEXT = 100, LONGEST = 256, RING = 1 << 20, BUFFER = 32 << 20 };
/* nanoseconds between two looks at empty sockets; nanoseconds without any copy after which missing copies are lost */
enum { NAP = 100 * 1000, QUIET = 150 * 1000 * 1000 };
/* a latency falls into one of 64 steps for each power of two of nanoseconds: the error is 1.6% at most */
enum { STEPS = 64, BUCKETS = STEPS * 40 };

static int sockets[SOCKETS];
static unsigned socket_count, members, block;
/* how many of the room have no datagram socket here: they get copies as well */
static unsigned others;
static struct sockaddr_in server = { .sin_family = AF_INET };

static struct { uint64_t sent_at; unsigned left; } ring[RING];
static uint32_t next_number, first_counted;
static uint64_t copies, outstanding, written_off;
static uint64_t latencies[BUCKETS], (*noted)[BUCKETS] = &latencies;
static int is_timing;

/* Takes the copies that have arrived; returns how many there were. */
static unsigned drain(void);

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void nap(long nanoseconds) {
  nanosleep(&(struct timespec){ .tv_nsec = nanoseconds }, NULL);
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void open_sockets(void) {
  socket_count = members < 16 ? 1 : members < 8 * SOCKETS ? members / 8 : SOCKETS;
  /* neighbours share a socket: a server sends to them one after the other, so their copies arrive together */
  block = (members + socket_count - 1) / socket_count;
  for (unsigned i = 0; i < socket_count; i++) {
    struct sockaddr_in any = { .sin_family = AF_INET };
    int size = BUFFER;
    sockets[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (sockets[i] < 0 || bind(sockets[i], (struct sockaddr *)&any, sizeof any) < 0) fail("load: socket");
    if (setsockopt(sockets[i], SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0) {
      setsockopt(sockets[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
  }
}

/* Sends one datagram from each of `count` consecutive members that share a socket, beginning with `member`. */
static void send_from(unsigned member, unsigned count, char texts[][LONGEST], const size_t lengths[]) {
  static struct mmsghdr headers[SEND_BATCH];
  static struct iovec payloads[SEND_BATCH];
  static union { char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))]; struct cmsghdr align; } controls[SEND_BATCH];
  for (unsigned i = 0; i < count; i++) {
    payloads[i] = (struct iovec){ .iov_base = texts[i], .iov_len = lengths[i] };
    headers[i].msg_hdr = (struct msghdr){
      .msg_name = &server, .msg_namelen = sizeof server, .msg_iov = &payloads[i], .msg_iovlen = 1,
      .msg_control = controls[i].bytes, .msg_controllen = sizeof controls[i].bytes,
    };
    struct cmsghdr *control = CMSG_FIRSTHDR(&headers[i].msg_hdr);
    control->cmsg_level = IPPROTO_IP;
    control->cmsg_type = IP_PKTINFO;
    control->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
    struct in_pktinfo source = { .ipi_spec_dst.s_addr = htonl(0x7f010001u + member + i) };
    memcpy(CMSG_DATA(control), &source, sizeof source);
  }
  for (unsigned done = 0; done < count;) {
    int sent = sendmmsg(sockets[member / block], headers + done, count - done, 0);
    if (sent > 0) done += sent;
    else nap(NAP);
  }
}

static void greet(void) {
  static char texts[SEND_BATCH][LONGEST];
  static size_t lengths[SEND_BATCH];
  for (unsigned i = 0; i < SEND_BATCH; i++) lengths[i] = sprintf(texts[i], "GREETING");
  for (unsigned member = 0; member < members;) {
    unsigned in_block = block - member % block, left = members - member, count = SEND_BATCH / 2;
    if (count > in_block) count = in_block;
    if (count > left) count = left;
    send_from(member, count, texts, lengths);
    member += count;
    nap(1000 * 1000); /* a server's receive buffer holds no more than a few hundred */
  }
}

/* Says `count` numbered texts; the latency of each is counted from its due time. */
static void say(unsigned count, uint64_t due, uint64_t interval) {
  static char texts[SEND_BATCH][LONGEST];
  static size_t lengths[SEND_BATCH];
  while (count > 0) {
    /* the first socket's members take turns */
    unsigned senders = block < members ? block : members, member = next_number % senders, batch = SEND_BATCH;
    if (batch > count) batch = count;
    if (batch > senders - member) batch = senders - member;
    for (unsigned i = 0; i < batch; i++, next_number++, due += interval) {
      lengths[i] = sprintf(texts[i], "MESSAGE %0*d%08x", TEXT - 8, 0, next_number);
      ring[next_number % RING].sent_at = due;
      ring[next_number % RING].left = members + others;
    }
    outstanding += batch;
    send_from(member, batch, texts, lengths);
    count -= batch;
  }
}

static void note_latency(uint64_t nanoseconds) {
  unsigned power = nanoseconds < 2 * STEPS ? 0 : 63 - __builtin_clzll(nanoseconds) - 6;
  unsigned bucket = power * STEPS + (unsigned)(nanoseconds >> power);
  (*noted)[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
}

/* In milliseconds, the latency that a share of the copies did not exceed. */
static double latency_of(const uint64_t latencies[BUCKETS], double share) {
  uint64_t all = 0, seen = 0;
  for (unsigned i = 0; i < BUCKETS; i++) all += latencies[i];
  for (unsigned i = 0; i < BUCKETS; i++) {
    seen += latencies[i];
    if (seen == 0 || seen < share * all) continue;
    unsigned power = i < 2 * STEPS ? 0 : i / STEPS - 1;
    return (double)((uint64_t)(i - power * STEPS) << power) / 1e6;
  }
  return 0;
}

/* The number that a copy ends in. */
static uint32_t number_of(const char *bytes, unsigned length) {
  uint32_t number = 0;
  for (const char *digit = bytes + length - 8; digit < bytes + length; digit++) {
    number = number << 4 | (unsigned)(*digit <= '9' ? *digit - '0' : *digit - 'a' + 10);
  }
  return number;
}

static void take(const char *bytes, unsigned length, uint64_t at) {
  copies++;
  if (length < TEXT) return;
  uint32_t number = number_of(bytes, length);
  if (number >= next_number || number + RING <= next_number) return;
  if (is_timing && number >= first_counted) note_latency(at - ring[number % RING].sent_at);
  if (ring[number % RING].left > 0 && --ring[number % RING].left == 0 && number >= first_counted) outstanding--;
}

static unsigned drain_datagrams(void) {
  static char bytes[BATCH][LONGEST];
  static struct iovec payloads[BATCH];
  static struct mmsghdr headers[BATCH];
  unsigned all = 0;
  if (!payloads[0].iov_len) {
    for (unsigned i = 0; i < BATCH; i++) {
      payloads[i] = (struct iovec){ .iov_base = bytes[i], .iov_len = LONGEST };
      headers[i].msg_hdr = (struct msghdr){ .msg_iov = &payloads[i], .msg_iovlen = 1 };
    }
  }
  for (unsigned s = 0; s < socket_count; s++) {
    for (int got = BATCH; got == BATCH;) {
      got = recvmmsg(sockets[s], headers, BATCH, 0, NULL);
      uint64_t at = now();
      for (int i = 0; i < got; i++) take(bytes[i], headers[i].msg_len, at);
      if (got > 0) all += got;
    }
  }
  return all;
}

/* Waits until every copy has arrived, or none has for QUIET; the missing copies count as lost. */
static void settle(void) {
  for (uint64_t last = now(); outstanding > 0 && now() - last < QUIET;) {
    if (drain() > 0) last = now();
    else nap(NAP);
  }
  for (; first_counted < next_number; first_counted++) written_off += ring[first_counted % RING].left;
  outstanding = 0;
}

static void register_all(void) {
  for (int attempt = 0; attempt < 10; attempt++) {
    greet();
    uint64_t before = copies;
    say(1, now(), 0);
    for (uint64_t last = now(); copies - before < members + others && now() - last < 10ull * QUIET;) {
      if (drain() > 0) last = now();
      else nap(NAP);
    }
    if (copies - before == members + others) {
      settle();
      written_off = 0;
      return;
    }
    settle();
  }
  fprintf(stderr, "load: the server does not forward to all %u members\n", members + others);
  exit(1);
}

/* Processor time of a process in seconds, all threads, user and system. */
static double cpu_of(int pid) {
  char path[32], stat[1024];
  unsigned long user = 0, system = 0;
  sprintf(path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  size_t length = file ? fread(stat, 1, sizeof stat - 1, file) : 0;
  if (file) fclose(file);
  stat[length] = 0;
  /* the name, field 2, may hold anything, but ends at the last parenthesis */
  char *fields = strrchr(stat, ')');
  if (fields) sscanf(fields + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
  return (double)(user + system) / sysconf(_SC_CLK_TCK);
}

static double own_cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Sends as fast as the server can take it: `window` messages are on their way all the time. */
static void closed_loop(unsigned window, uint64_t until) {
  uint64_t last = now(), at;
  while ((at = now()) < until) {
    if (outstanding < window) say(window - outstanding, at, 0);
    unsigned got = drain();
    if (got > 0) last = at;
    else if (at - last > QUIET) settle();
    if (got < BATCH) nap(NAP); /* a look at all sockets costs time, too; wait until more has arrived */
  }
}

/* Sends at a fixed rate: a message every `interval` nanoseconds, whatever has arrived. */
static void open_loop(uint64_t interval, uint64_t until, int spin) {
  uint64_t due = now();
  for (uint64_t at; (at = now()) < until;) {
    if (at >= due) {
      unsigned count = (at - due) / interval + 1;
      say(count, due, interval);
      due += count * interval;
    }
    if (drain() == 0 && !spin) nap(NAP);
  }
}
