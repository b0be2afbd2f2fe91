// SPDX-License-Identifier: GPL-2.0-only
/*
 * nbdserve PATH FILE [ro]: serves FILE by NBD at the Unix socket PATH, to one client after the
 * other. It says "ready" on standard error when it listens, and is ended by a signal.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "nbd_server.h"

int main(int argc, char **argv)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct nbd_server s = { .readonly = argc == 4 };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	struct stat st;

	if (argc < 3)
		return 1;
	s.fd = open(argv[2], s.readonly ? O_RDONLY : O_RDWR);
	if (s.fd < 0 || fstat(s.fd, &st)) {
		perror(argv[2]);
		return 1;
	}
	s.size = st.st_size;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", argv[1]);
	if (bind(listener, (struct sockaddr *)&sun, sizeof(sun)) || listen(listener, 1)) {
		perror(argv[1]);
		return 1;
	}
	fprintf(stderr, "ready\n");
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		nbd_server_serve(&s, fd);
		close(fd);
	}
	return 1;
}
