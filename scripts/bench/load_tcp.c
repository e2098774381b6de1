/*
 * The load generator for a room with two kinds of members: a crowd that sends datagrams, and others with connections.
 *
 *   load_tcp PORT MEMBERS CONNECTIONS FEED WINDOW WARM_MS MEASURE_MS LATENCY_MS PID SPIN
 *
 * Some of the crowd speak. With FEED 1 each connection has sent a line feed before. It prints `{"joined":...}` when the
 * crowd has joined, and again when the connections have; each time it goes on when it reads a line of standard input.
 * In the end it prints the results. tcp.ts reads all this.
 */
#include "crowd.h"

#include <errno.h>
#include <sys/epoll.h>

enum { EVENTS = 1024, READ = 64 << 10 };

/* the beginning of a line whose end has not arrived, and the number of the last message */
static struct { int fd; unsigned length; uint32_t last; char bytes[LONGEST]; } *connections;
static unsigned connection_count, disconnected, disordered;
static int events_fd;
static uint64_t line_copies, reads, line_latencies[BUCKETS];

static void take_line(unsigned i, const char *bytes, unsigned length, uint64_t at) {
  if (length < TEXT || bytes[0] != '<') return;
  uint32_t number = number_of(bytes, length);
  if (number <= connections[i].last && number > 0) disordered++;
  connections[i].last = number;
  line_copies++;
  take(bytes, length, at);
}

static void take_stream(unsigned i, char *bytes, unsigned count, uint64_t at) {
  for (char *end; (end = memchr(bytes, '\n', count));) {
    unsigned length = end - bytes;
    if (connections[i].length == 0) take_line(i, bytes, length, at);
    else if (connections[i].length + length <= LONGEST) {
      memcpy(connections[i].bytes + connections[i].length, bytes, length);
      take_line(i, connections[i].bytes, connections[i].length + length, at);
    }
    connections[i].length = 0;
    count -= length + 1;
    bytes = end + 1;
  }
  if (connections[i].length + count > LONGEST) count = LONGEST - connections[i].length; /* no line of this program */
  memcpy(connections[i].bytes + connections[i].length, bytes, count);
  connections[i].length += count;
}

static unsigned drain_connections(void) {
  static struct epoll_event events[EVENTS];
  static char bytes[READ];
  unsigned all = 0;
  noted = &line_latencies;
  for (int ready = EVENTS; ready == EVENTS;) {
    ready = epoll_wait(events_fd, events, EVENTS, 0);
    for (int e = 0; e < ready; e++) {
      unsigned i = events[e].data.u32;
      ssize_t got = recv(connections[i].fd, bytes, sizeof bytes, MSG_DONTWAIT);
      if (got > 0) {
        take_stream(i, bytes, got, now());
        all++;
        reads++;
      } else if (got == 0 || errno != EAGAIN) {
        close(connections[i].fd);
        disconnected++;
      }
    }
  }
  noted = &latencies;
  return all;
}

static unsigned drain(void) {
  unsigned got = drain_datagrams();
  return got + (connection_count > 0 ? drain_connections() : 0);
}

static void connect_all(unsigned count, int feed) {
  connections = calloc(count, sizeof *connections);
  events_fd = epoll_create1(0);
  for (connection_count = 0; connection_count < count; connection_count++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof server) < 0) fail("load_tcp: connect");
    if (feed && write(fd, " \n", 2) != 2) fail("load_tcp: write");
    connections[connection_count].fd = fd;
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = connection_count };
    epoll_ctl(events_fd, EPOLL_CTL_ADD, fd, &event);
    if (connection_count % 32 == 31) nap(1000 * 1000);
  }
  others = count;
}

/* Says that all have joined, and takes what arrives until there is a line to read. */
static void wait_for_word(void) {
  char line[64];
  printf("{\"joined\":%u}\n", members + others);
  fflush(stdout);
  for (struct pollfd input = { .fd = 0, .events = POLLIN }; poll(&input, 1, 1) == 0;) drain();
  if (read(0, line, sizeof line) <= 0) exit(1);
}

int main(int argc, char **argv) {
  alarm(600); /* ends this program after 600 s, whatever goes wrong */
  prctl(PR_SET_TIMERSLACK, 1);
  struct rlimit files = { 0 };
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (argc != 11) return fprintf(stderr, "load_tcp: see the top of load_tcp.c\n"), 2;
  server.sin_port = htons(atoi(argv[1]));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  members = atoi(argv[2]);
  unsigned count = atoi(argv[3]), window = atoi(argv[5]), spin = atoi(argv[10]);
  uint64_t warm = atoi(argv[6]) * 1000000ull, measure = atoi(argv[7]) * 1000000ull, latency = atoi(argv[8]) * 1000000ull;
  int pid = atoi(argv[9]);
  if (members == 0) return 2;
  open_sockets();
  register_all();
  wait_for_word();
  if (count > 0) {
    connect_all(count, atoi(argv[4]));
    register_all();
    wait_for_word();
  }
  closed_loop(window, now() + warm);
  uint64_t began = now(), before = copies, lines_before = line_copies, reads_before = reads;
  double cpu = cpu_of(pid), own = own_cpu();
  closed_loop(window, began + measure);
  double seconds = (now() - began) / 1e9;
  uint64_t delivered = copies - before, lines = line_copies - lines_before;
  reads_before = reads - reads_before;
  cpu = cpu_of(pid) - cpu;
  own = own_cpu() - own;
  settle();
  printf("{\"datagrams\":%lu,\"lines\":%lu,\"reads\":%lu,\"seconds\":%.6f,\"serverCpu\":%.3f,\"loadCpu\":%.3f",
         delivered - lines, lines, reads_before, seconds, cpu, own);
  double rate = delivered / seconds / (members + others) / 2;
  is_timing = 1;
  if (rate > 0) open_loop(1e9 / rate, now() + latency, spin);
  settle();
  printf(",\"messages\":%.1f,\"datagramLatency\":[%.4f,%.4f],\"lineLatency\":[%.4f,%.4f]", rate,
         latency_of(latencies, 0.5), latency_of(latencies, 0.99), latency_of(line_latencies, 0.5),
         latency_of(line_latencies, 0.99));
  printf(",\"lost\":%lu,\"disconnected\":%u,\"disordered\":%u}\n", written_off, disconnected, disordered);
  return 0;
}
