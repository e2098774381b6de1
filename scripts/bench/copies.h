/*
 * Counts the copies of numbered messages, and measures how long they take.
 *
 * A text ends in its number, eight hexadecimal digits, which identifies its copies. crowd.h and load_irc.c include this
 * file and say how messages are said; it says when.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 256, TEXT = 100, RING = 1 << 20 };
/* nanoseconds between two looks at empty sockets; nanoseconds without any copy after which missing copies are lost */
enum { NAP = 100 * 1000, QUIET = 150 * 1000 * 1000 };
/* a latency falls into one of 64 steps for each power of two of nanoseconds: the error is 1.6% at most */
enum { STEPS = 64, BUCKETS = STEPS * 40 };

static struct { uint64_t sent_at; unsigned left; } ring[RING];
static uint32_t next_number, first_counted;
static uint64_t copies, outstanding, written_off;
static uint64_t latencies[BUCKETS], (*noted)[BUCKETS] = &latencies;
static int is_timing;

/* Takes the copies that have arrived; returns how many there were. */
static unsigned drain(void);

/* Says `count` numbered texts; the latency of each is counted from its due time. */
static void say(unsigned count, uint64_t due, uint64_t interval);

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

/* Waits until every copy has arrived, or none has for QUIET; the missing copies count as lost. */
static void settle(void) {
  for (uint64_t last = now(); outstanding > 0 && now() - last < QUIET;) {
    if (drain() > 0) last = now();
    else nap(NAP);
  }
  for (; first_counted < next_number; first_counted++) written_off += ring[first_counted % RING].left;
  outstanding = 0;
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
