/*
 * A crowd: thousands of classic members in one thread. They say something and count the copies that arrive.
 *
 * A socket that is bound to a port of every address receives for the whole of 127.0.0.0/8, and IP_PKTINFO lets it send
 * from any address there. So each member has its own address, like in a real room, but a few sockets hold them all. One
 * recvmmsg takes the copies for many members from the kernel. This is far less work than the server's, which has to
 * make one copy for each member. copies.h counts the copies.
 *
 * load.c and load_tcp.c include this file.
 */
#include "copies.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

enum { SOCKETS = 32, SEND_BATCH = 64, LONGEST = 256, BUFFER = 32 << 20 };

static int sockets[SOCKETS];
static unsigned socket_count, members, block;
/* how many of the room have no datagram socket here: they get copies as well */
static unsigned others;
static struct sockaddr_in server = { .sin_family = AF_INET };

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
