/*
 * A sender of TCP: sends to all that connect, as fast as the network takes it.
 *
 *   bulk CONGESTION_CONTROL
 *
 * It prints `Listening on PORT`. The socket is told the way to slow down, and not the namespace: Linux lets a namespace
 * have only some of the ways that it knows.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
  static const char bytes[16384];
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t length = sizeof address;
  if (argc != 2) return fprintf(stderr, "bulk: see the top of bulk.c\n"), 2;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (setsockopt(listener, IPPROTO_TCP, TCP_CONGESTION, argv[1], strlen(argv[1])) < 0) return perror("bulk"), 1;
  if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 8) < 0) return perror("bulk"), 1;
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("Listening on 0.0.0.0:%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    int connection = accept(listener, NULL, NULL);
    if (connection < 0 || fork() != 0) {
      close(connection);
      continue;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* ends with the program that has started it */
    while (write(connection, bytes, sizeof bytes) > 0);
    return 0;
  }
}
