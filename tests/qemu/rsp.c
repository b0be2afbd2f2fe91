// SPDX-License-Identifier: GPL-2.0-only
/*
 * rsp PORT: gdb's remote protocol by hand. Each line of the standard input is sent as a packet to
 * 127.0.0.1:PORT, and the packet that comes back is printed on a line; "!" sends a Ctrl-C instead.
 * No answer within 30 seconds ends it with status 1.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[argc - 1])) };
	char line[1024], packet[1100];

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		perror("rsp");
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		unsigned char sum = 0;
		int len;

		line[strcspn(line, "\n")] = 0;
		for (const char *p = line; *p; p++)
			sum += *p;
		len = strcmp(line, "!") ? sprintf(packet, "$%s#%02x", line, sum) :
					  sprintf(packet, "\x03");
		if (write(fd, packet, len) != len)
			return 1;
		rsp_answer();
	}
	return 0;
}
