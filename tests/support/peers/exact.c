/* A TCP chat client in C: one recv of 1,023 bytes is a line, which it ends with a NUL and prints with puts. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char buffer[1024];
  struct sockaddr_in server = {.sin_family = AF_INET};
  int sock = socket(AF_INET, SOCK_STREAM, 0);
  if (argc < 3 || sock < 0) return 2;
  server.sin_port = htons(atoi(argv[2]));
  inet_pton(AF_INET, argv[1], &server.sin_addr);
  if (connect(sock, (struct sockaddr *)&server, sizeof server) < 0) return 1;
  setbuf(stdout, NULL);
  for (;;) {
    fd_set ready;
    FD_ZERO(&ready);
    FD_SET(0, &ready);
    FD_SET(sock, &ready);
    if (select(sock + 1, &ready, NULL, NULL, NULL) < 0) return 1;
    if (FD_ISSET(sock, &ready)) {
      ssize_t length = recv(sock, buffer, 1023, 0);
      if (length <= 0) return 0;
      if (buffer[length - 1] == '\n') length--;
      buffer[length] = 0;
      /* a line feed inside shows that two messages came in one read */
      printf("read(%zd): %s\n", length, buffer);
    }
    if (FD_ISSET(0, &ready)) {
      ssize_t length = read(0, buffer, 1023);
      if (length <= 0) return 0;
      /* the length of the text and its NUL, as strlen() + 1 gives it */
      if (buffer[length - 1] == '\n') length--;
      buffer[length] = 0;
      send(sock, buffer, length + 1, 0);
    }
  }
}
