// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/doorbell.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
//
// An eventfd that somebody else has made blocking, and empties and fills at any moment. Whoever
// waits for it is ended by the alarm.
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
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

/* The host's vhost is woken by each write, and never reads: so is a poller of edges. */
static void test_wakes(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), ep = epoll_create1(EPOLL_CLOEXEC);

	KTAP_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event), 0);
	KTAP_EQ(epoll_wait(ep, &event, 1, 0), 0);
	for (unsigned int i = 0; i < 3; i++) {
		doorbell_ring(fd);
		KTAP_EQ(epoll_wait(ep, &event, 1, 0), 1);
		KTAP_EQ(epoll_wait(ep, &event, 1, 0), 0);
	}
	close(ep);
	close(fd);
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

KTAP_MAIN(KTAP_CASE(test_plain), KTAP_CASE(test_rings), KTAP_CASE(test_wakes),
	  KTAP_CASE(test_stolen))
