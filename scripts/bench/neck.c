/*
 * A bottleneck between two network namespaces: a forwarder between two tun devices (Linux, root).
 *
 *   neck FIRST SECOND BITS_PER_SECOND QUEUE_BYTES DELAY_MS LOSS_PERCENT
 *
 * It makes a device `neck` in each namespace. In each direction a packet may be lost at random; then it waits its turn in
 * a queue that is full at so many bytes, and what comes to a full queue is dropped; then it takes its time on the line,
 * and arrives after the delay. Only IPv4 passes. It prints `ready`, and a line of counters for each line that it reads;
 * it ends when its input does. neck.ts reads all this.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST = 2048, RING = 1 << 14, UDP = 17, TCP = 6, KINDS = 3 };

/* what came, what a full queue dropped, and what was lost at random */
struct counters { uint64_t packets, bytes, dropped, lost; };

struct packet { uint64_t arrives; unsigned length; char bytes[LONGEST]; };

static struct direction {
  int from, to;
  uint64_t free_at; /* when the line has sent all that waits */
  unsigned head, tail;
  struct counters counters[KINDS];
  struct packet ring[RING];
} directions[2];

static double nanoseconds_per_byte, loss;
static uint64_t queue_bytes, delay;

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void fail(const char *what) {
  fprintf(stderr, "neck: %s: %s\n", what, strerror(errno));
  exit(1);
}

/* Makes the device in a namespace. It stays there whatever namespace this program is in. */
static int open_device(const char *namespace) {
  char path[256];
  snprintf(path, sizeof path, "/var/run/netns/%s", namespace);
  int place = open(path, O_RDONLY);
  if (place < 0 || setns(place, CLONE_NEWNET) < 0) fail(path);
  close(place);
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  struct ifreq request = { .ifr_name = "neck", .ifr_flags = IFF_TUN | IFF_NO_PI };
  if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0) fail("/dev/net/tun");
  return fd;
}

static struct counters *counters_of(struct direction *way, unsigned char protocol) {
  return &way->counters[protocol == UDP ? 0 : protocol == TCP ? 1 : 2];
}

/* Takes what a device has. */
static void take(struct direction *way) {
  for (;;) {
    unsigned next = (way->tail + 1) % RING;
    struct packet *packet = &way->ring[way->tail];
    ssize_t got = read(way->from, packet->bytes, LONGEST);
    if (got < 0) return;
    if (got < 20 || packet->bytes[0] >> 4 != 4) continue;
    struct counters *counters = counters_of(way, packet->bytes[9]);
    counters->packets++;
    counters->bytes += got;
    uint64_t at = now(), starts = way->free_at > at ? way->free_at : at;
    if (drand48() < loss) {
      counters->lost++;
    } else if ((starts - at) / nanoseconds_per_byte + got > queue_bytes || next == way->head) {
      counters->dropped++;
    } else {
      way->free_at = starts + (uint64_t)(got * nanoseconds_per_byte);
      packet->arrives = way->free_at + delay;
      packet->length = got;
      way->tail = next;
    }
  }
}

/* Hands over what has arrived; returns when the next packet does. */
static uint64_t hand_over(struct direction *way) {
  for (; way->head != way->tail; way->head = (way->head + 1) % RING) {
    struct packet *packet = &way->ring[way->head];
    if (packet->arrives > now()) return packet->arrives;
    if (write(way->to, packet->bytes, packet->length) < 0 && errno == EAGAIN) continue;
  }
  return UINT64_MAX;
}

static void print_counters(void) {
  static const char *const kinds[KINDS] = { "udp", "tcp", "other" };
  for (int d = 0; d < 2; d++) {
    printf("%s", d == 0 ? "{\"toSecond\":{" : "},\"toFirst\":{");
    for (int kind = 0; kind < KINDS; kind++) {
      struct counters *it = &directions[d].counters[kind];
      printf("%s\"%s\":{\"packets\":%lu,\"bytes\":%lu,\"dropped\":%lu,\"lost\":%lu}", kind ? "," : "", kinds[kind],
             it->packets, it->bytes, it->dropped, it->lost);
    }
  }
  printf("}}\n");
  fflush(stdout);
}

int main(int argc, char **argv) {
  alarm(600); /* ends this program after 600 s, whatever goes wrong */
  prctl(PR_SET_TIMERSLACK, 1);
  if (argc != 7) return fprintf(stderr, "neck: see the top of neck.c\n"), 2;
  nanoseconds_per_byte = 8e9 / atof(argv[3]);
  queue_bytes = atoll(argv[4]);
  delay = (uint64_t)(atof(argv[5]) * 1e6);
  loss = atof(argv[6]) / 100;
  srand48(now()); /* without it the first numbers are always small: the first packets would be lost each time */
  int first = open_device(argv[1]), second = open_device(argv[2]);
  directions[0].from = directions[1].to = first;
  directions[0].to = directions[1].from = second;
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    uint64_t next = UINT64_MAX;
    for (int d = 0; d < 2; d++) {
      uint64_t arrives = hand_over(&directions[d]);
      if (arrives < next) next = arrives;
    }
    uint64_t at = now(), rest = next > at ? next - at : 0;
    struct timespec pause = { .tv_sec = rest / 1000000000, .tv_nsec = rest % 1000000000 };
    struct pollfd ready[] = {
      { .fd = first, .events = POLLIN }, { .fd = second, .events = POLLIN }, { .fd = 0, .events = POLLIN },
    };
    ppoll(ready, 3, next == UINT64_MAX ? NULL : &pause, NULL);
    for (int d = 0; d < 2; d++) {
      if (ready[d].revents) take(&directions[d]);
    }
    char line[64];
    if (!ready[2].revents) continue;
    if (read(0, line, sizeof line) <= 0) return 0;
    print_counters();
  }
}
