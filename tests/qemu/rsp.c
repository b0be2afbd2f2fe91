// SPDX-License-Identifier: GPL-2.0-only
/*
 * rsp PORT|PATH: gdb's remote protocol by hand. Sends each line of the standard input as a packet
 * to 127.0.0.1:PORT, or to the socket PATH, and prints the answer's packet on a line. "!" sends a
 * Ctrl-C instead. "&PACKET" sends PACKET and does not wait for an answer; "=TEXT" sends TEXT as it
 * is, and does not wait either. Without an answer within 30 seconds it ends with status 1.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fd;

static int rsp_byte(void)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	unsigned char c;

	if (poll(&poll_fd, 1, 30000) != 1 || read(fd, &c, 1) != 1) {
		printf("no answer\n");
		exit(1);
	}
	return c;
}

static void rsp_answer(void)
{
	char packet[4096];
	size_t len = 0;
	int c;

	while (rsp_byte() != '$')
		;
	while ((c = rsp_byte()) != '#')
		if (len < sizeof(packet) - 1)
			packet[len++] = c;
	packet[len] = 0;
	rsp_byte();
	rsp_byte();
	if (write(fd, "+", 1) != 1)
		exit(1);
	printf("%s\n", packet);
	fflush(stdout);
}

static int rsp_connect(const char *where)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(atoi(where)) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	bool path = strchr(where, '/');

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	strncpy(un.sun_path, where, sizeof(un.sun_path) - 1);
	fd = socket(path ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
	return path ? connect(fd, (struct sockaddr *)&un, sizeof(un)) :
		      connect(fd, (struct sockaddr *)&in, sizeof(in));
}

static void rsp_send(const char *line)
{
	char packet[1100];
	unsigned char sum = 0;
	int len;

	for (const char *p = line; *p; p++)
		sum += *p;
	len = sprintf(packet, "$%s#%02x", line, sum);
	if (write(fd, packet, len) != len)
		exit(1);
}

int main(int argc, char **argv)
{
	char line[1024];

	if (rsp_connect(argv[argc - 1])) {
		perror("rsp");
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		if (!strcmp(line, "!") || line[0] == '=') {
			const char *raw = line[0] == '=' ? line + 1 : "\x03";

			if (write(fd, raw, strlen(raw)) < 0)
				return 1;
		} else {
			rsp_send(line[0] == '&' ? line + 1 : line);
		}
		if (line[0] != '&' && line[0] != '=')
			rsp_answer();
	}
	return 0;
}
