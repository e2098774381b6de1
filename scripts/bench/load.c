/*
 * The load generator: a crowd of classic members says something and counts the copies that arrive.
 *
 *   load fanout PORT MEMBERS WINDOW WARM_MS MEASURE_MS LATENCY_MS PID SPIN
 *   load hold PORT MEMBERS
 *   load capacity
 *
 * load.ts does the same in Deno, for machines without a C compiler. measure.ts reads the output, a line of JSON.
 */
#include "crowd.h"

static unsigned drain(void) {
  return drain_datagrams();
}

static void fanout(char **args) {
  unsigned window = atoi(args[2]), warm = atoi(args[3]), measure = atoi(args[4]), latency = atoi(args[5]);
  int pid = atoi(args[6]), spin = atoi(args[7]);
  register_all();
  closed_loop(window, now() + warm * 1000000ull);
  uint64_t began = now(), before = copies;
  double cpu = cpu_of(pid), own = own_cpu();
  closed_loop(window, began + measure * 1000000ull);
  double seconds = (now() - began) / 1e9;
  uint64_t delivered = copies - before;
  cpu = cpu_of(pid) - cpu;
  own = own_cpu() - own;
  settle();
  printf("{\"delivered\":%lu,\"seconds\":%.6f,\"lost\":%lu,\"serverCpu\":%.3f,\"loadCpu\":%.3f", delivered, seconds,
         written_off, cpu, own);
  double rate = delivered / seconds / members / 2;
  if (rate > 0 && latency > 0) {
    written_off = 0;
    is_timing = 1;
    open_loop(1e9 / rate, now() + latency * 1000000ull, spin);
    settle();
    printf(",\"halfLoad\":{\"messages\":%.1f,\"median\":%.4f,\"p99\":%.4f,\"lost\":%lu}", rate, latency_of(latencies, 0.5),
           latency_of(latencies, 0.99), written_off);
  }
  printf("}\n");
}

/* How many copies were lost because this program's receive buffers were full, which is not the server's fault. */
static uint64_t overflow(void) {
  uint64_t all = 0;
  for (unsigned s = 0; s < socket_count; s++) {
    uint32_t info[9] = { 0 }; /* SK_MEMINFO_DROPS is the last */
    socklen_t size = sizeof info;
    getsockopt(sockets[s], SOL_SOCKET, SO_MEMINFO, info, &size);
    all += info[8];
  }
  return all;
}

/* Keeps the members in the room, and says something for each line of standard input, until standard input ends. */
static void hold(void) {
  register_all();
  uint64_t registered = copies;
  printf("{\"members\":%u}\n", members);
  fflush(stdout);
  for (struct pollfd input = { .fd = 0, .events = POLLIN };;) {
    char line[64];
    if (drain() > 0) continue;
    if (poll(&input, 1, 0) > 0) {
      if (read(0, line, sizeof line) <= 0) break;
      uint64_t began = now();
      say(1, began, 0);
      settle();
      printf("{\"copies\":%u,\"ms\":%.3f}\n", members - ring[(next_number - 1) % RING].left, (now() - began) / 1e6);
      fflush(stdout);
    }
    nap(NAP);
  }
  for (uint64_t last = now(); now() - last < QUIET; nap(NAP)) {
    if (drain() > 0) last = now();
  }
  printf("{\"copies\":%lu,\"overflow\":%lu}\n", copies - registered, overflow());
}

/* Measures how fast this program takes waiting datagrams from its sockets: the highest rate that it could count. */
static void capacity(void) {
  members = 10000;
  open_sockets();
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  uint64_t spent = 0;
  char text[LONGEST];
  next_number = 1;
  size_t length = sprintf(text, "INCOMING <From 127.1.0.1:50000>: %0*d%08x", TEXT - 8, 0, 0);
  for (unsigned round = 0; round < 100; round++) {
    for (unsigned s = 0; s < socket_count; s++) {
      struct sockaddr_in to;
      socklen_t size = sizeof to;
      getsockname(sockets[s], (struct sockaddr *)&to, &size);
      to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      for (unsigned i = 0; i < BATCH; i++) sendto(fd, text, length, 0, (struct sockaddr *)&to, size);
    }
    uint64_t began = now();
    while (drain() > 0);
    spent += now() - began;
  }
  printf("{\"delivered\":%lu,\"seconds\":%.6f}\n", copies, spent / 1e9);
}

int main(int argc, char **argv) {
  alarm(600); /* ends this program after 600 s, whatever goes wrong */
  prctl(PR_SET_TIMERSLACK, 1);
  if (argc == 2 && strcmp(argv[1], "capacity") == 0) return capacity(), 0;
  if (argc < 4) return fprintf(stderr, "load: see the top of load.c\n"), 2;
  server.sin_port = htons(atoi(argv[2]));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  members = atoi(argv[3]);
  if (members == 0) return 2;
  open_sockets();
  if (strcmp(argv[1], "hold") == 0) hold();
  else if (argc == 10) fanout(argv + 2);
  else return 2;
  return 0;
}
