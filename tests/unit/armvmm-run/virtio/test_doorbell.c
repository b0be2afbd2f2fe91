// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/doorbell.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
//
// An eventfd that somebody else has made blocking, and empties and fills at any moment. Whoever
// waits for it is ended by the alarm.
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "ktap.h"
#include "virtio/doorbell.h"

#define FULL	(UINT64_MAX - 1)

/* Of a file that nobody has changed. */
static void test_plain(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	KTAP_TRUE(!doorbell_take(fd));
	doorbell_ring(fd);
	KTAP_TRUE(doorbell_take(fd));
	KTAP_TRUE(!doorbell_take(fd));
	close(fd);
}

static void test_rings(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	eventfd_t count = 0;

	alarm(30);
	KTAP_TRUE(!doorbell_take(fd));
	doorbell_ring(fd);
	KTAP_TRUE(doorbell_take(fd));
	KTAP_TRUE(!doorbell_take(fd));
	/* One is as good as many. */
	doorbell_ring(fd);
	doorbell_ring(fd);
	KTAP_EQ(eventfd_read(fd, &count), 0);
	KTAP_EQ(count, 1);
	KTAP_EQ(eventfd_write(fd, FULL), 0);
	doorbell_ring(fd);
	KTAP_TRUE(doorbell_take(fd));
	KTAP_TRUE(!doorbell_take(fd));
	close(fd);
	KTAP_TRUE(!doorbell_take(fd));
	doorbell_ring(fd);
	alarm(0);
}

static bool steals;

/* Somebody else is quicker than who has looked. */
int poll(struct pollfd *fds, nfds_t nr, int ms)
{
	struct timespec timeout = { ms / 1000, ms % 1000 * 1000000 };
	int ret = ppoll(fds, nr, &timeout, NULL);
	eventfd_t count;

	if (steals && ret > 0 && fds[0].revents & POLLIN)
		(void)eventfd_read(fds[0].fd, &count);
	return ret;
}

/* What was there at a look is gone at the read. */
static void test_stolen(void)
{
	int fd = eventfd(1, EFD_CLOEXEC);

	alarm(30);
	steals = true;
	(void)doorbell_take(fd);
	steals = false;
	KTAP_TRUE(!doorbell_take(fd));
	close(fd);
	alarm(0);
}

KTAP_MAIN(KTAP_CASE(test_plain), KTAP_CASE(test_rings), KTAP_CASE(test_stolen))
