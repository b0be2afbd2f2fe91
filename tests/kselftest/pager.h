/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory whose pages come by userfaultfd when somebody asks for them. The first word of each is
 * 0x1000 plus its number.
 */
#ifndef TEST_PAGER_H
#define TEST_PAGER_H

#include "vm.h"

#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/syscall.h>

#define PAGER_PAGE	4096u

struct pager {
	pthread_t thread;
	int fd;
	uint64_t area;
	volatile unsigned int served;
	volatile bool stop;
};

static void *pager_main(void *arg)
{
	struct pager *p = arg;
	uint32_t page[PAGER_PAGE / 4];
	struct uffd_msg msg;

	while (!p->stop) {
		struct pollfd pfd = { .fd = p->fd, .events = POLLIN };
		struct uffdio_copy copy = { .len = PAGER_PAGE, .src = (uintptr_t)page };

		if (poll(&pfd, 1, 20) != 1 || read(p->fd, &msg, sizeof(msg)) != sizeof(msg)) {
			usleep(1000);
			continue;
		}
		copy.dst = msg.arg.pagefault.address & ~(uint64_t)(PAGER_PAGE - 1);
		memset(page, 0, sizeof(page));
		page[0] = 0x1000 + (uint32_t)((copy.dst - p->area) / PAGER_PAGE);
		/* Count first: when the page arrives, the guest goes on. */
		p->served++;
		if (ioctl(p->fd, UFFDIO_COPY, &copy) && errno != EEXIST)
			p->served--;
	}
	return NULL;
}

/* Pages of @mem that nobody has touched come from @p from now on, once it was started. */
static void pager_make(struct pager *p, void *mem, size_t size)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)mem, .len = size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	*p = (struct pager){ .area = (uintptr_t)mem };
	p->fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (p->fd < 0)
		ktap_skip("userfaultfd: %s", strerror(errno));
	MUST_OK(ioctl(p->fd, UFFDIO_API, &api));
	MUST_OK(ioctl(p->fd, UFFDIO_REGISTER, &reg));
}

static void pager_start(struct pager *p)
{
	p->stop = false;
	MUST(!pthread_create(&p->thread, NULL, pager_main, p), "no thread");
}

static void pager_stop(struct pager *p)
{
	p->stop = true;
	pthread_join(p->thread, NULL);
}

#endif
