// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include "core/host_kernel.h"
#include "snapshot/faults.h"
#include "snapshot/pages.h"

#define FAULTS_NODE	"/dev/userfaultfd"	/* Linux 6.1 */
#define FAULTS_NEW	_IO(0xaa, 0)		/* USERFAULTFD_IOC_NEW, for older headers */

/* What a range has to be good for when it is registered. */
#define FAULTS_IOCTLS	(1ull << _UFFDIO_COPY | 1ull << _UFFDIO_ZEROPAGE | 1ull << _UFFDIO_WAKE)

/* Of the kernel on behalf of a thread, too. Returns a file that does not block, or -errno. */
static int faults_get(void)
{
	int flags = O_CLOEXEC | O_NONBLOCK, fd = syscall(SYS_userfaultfd, flags), node, ret;

	if (fd >= 0 || errno != EPERM)
		return fd >= 0 ? fd : -errno;
	node = open(FAULTS_NODE, O_RDWR | O_CLOEXEC);
	if (node < 0)
		return -EPERM;
	fd = ioctl(node, FAULTS_NEW, flags);
	ret = fd >= 0 ? fd : -errno;
	close(node);
	return ret;
}

/*
 * Only since Linux 6.3 (FOLL_UNLOCKABLE) are pages waited for that are pinned for long; older
 * kernels fail at once. And a thread of the kernel alone (vhost) waits as no signal ends: if the
 * page does not come, this process stays for ever, with all that it has open.
 */
static int faults_check(const struct machine *m, const char *what, struct error *err)
{
	if (m->mem.pinned && host_kernel_before(6, 3))
		return error_set(err, -ENOTSUP,
				 "%s: this host pins guest memory, and its kernel waits for no such page (Linux 6.3 does)",
				 what);
	/* It has a mapping of its own, in which nobody fills pages. */
	if (m->mem.shared)
		return error_set(err, -ENOTSUP,
				 "%s: not with vhost-user: the back end would find pages empty that have not come yet",
				 what);
	if (m->vhost_kthread)
		return error_set(err, -ENOTSUP,
				 "%s: not with vhost=on here: until Linux 6.4, the host's kernel may wait for a page so that nobody can end this process",
				 what);
	return 0;
}

static int faults_refuse(int ret, const char *what, struct error *err)
{
	switch (ret) {
	case -ENOSYS:
		return error_set(err, ret,
				 "%s: the host's kernel has no userfaultfd (CONFIG_USERFAULTFD)",
				 what);
	case -EPERM:
		return error_set(err, ret,
				 "%s: this user may not use userfaultfd: it takes CAP_SYS_PTRACE, or access to " FAULTS_NODE ", or vm.unprivileged_userfaultfd=1",
				 what);
	default:
		return error_errno(err, ret, "%s: userfaultfd", what);
	}
}

int faults_open(struct faults *f, const struct machine *m, const char *what, struct error *err)
{
	struct uffdio_api api = { .api = UFFD_API };
	int ret = faults_check(m, what, err);

	f->fd = -1;
	if (ret)
		return ret;
	ret = faults_get();
	if (ret < 0)
		return faults_refuse(ret, what, err);
	f->fd = ret;
	if (!ioctl(f->fd, UFFDIO_API, &api))
		return 0;
	ret = -errno;
	faults_close(f);
	return faults_refuse(ret, what, err);
}

void faults_close(struct faults *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

int faults_register(const struct faults *f, const struct machine *m)
{
	for (unsigned int i = 0; i < m->mem.nr_regions; i++) {
		const struct guestmem_region *r = &m->mem.region[i];
		struct uffdio_register reg = {
			.range = { .start = (uintptr_t)r->host, .len = r->size },
			.mode = UFFDIO_REGISTER_MODE_MISSING,
		};

		if (ioctl(f->fd, UFFDIO_REGISTER, &reg))
			return -errno;
		if ((reg.ioctls & FAULTS_IOCTLS) != FAULTS_IOCTLS)
			return -ENOTSUP;
	}
	return 0;
}

void faults_unregister(const struct faults *f, const struct machine *m)
{
	for (unsigned int i = 0; i < m->mem.nr_regions; i++) {
		struct uffdio_range range = {
			.start = (uintptr_t)m->mem.region[i].host,
			.len = m->mem.region[i].size,
		};

		ioctl(f->fd, UFFDIO_UNREGISTER, &range);
	}
}

unsigned int faults_read(const struct faults *f, uint8_t *page[FAULTS_MAX])
{
	struct uffd_msg msg[FAULTS_MAX];
	ssize_t len = read(f->fd, msg, sizeof(msg));
	unsigned int n = 0;

	for (unsigned int i = 0; len > 0 && i < len / sizeof(msg[0]); i++) {
		uintptr_t at = msg[i].arg.pagefault.address;

		if (msg[i].event == UFFD_EVENT_PAGEFAULT)
			page[n++] = (uint8_t *)(at & ~(uintptr_t)(PAGES_SIZE - 1));
	}
	return n;
}

int64_t faults_put(const struct faults *f, uint8_t *to, const uint8_t *from, uint64_t len)
{
	struct uffdio_copy c = { .dst = (uintptr_t)to, .src = (uintptr_t)from, .len = len };
	struct uffdio_zeropage z = { .range = { .start = (uintptr_t)to, .len = len } };
	int64_t done;

	if (!ioctl(f->fd, from ? UFFDIO_COPY : UFFDIO_ZEROPAGE, from ? (void *)&c : (void *)&z))
		return len;
	if (errno != EAGAIN)
		return -errno;
	/* It tells how far it came, or EAGAIN if it did not begin. */
	done = from ? c.copy : z.zeropage;
	return done == -EAGAIN ? 0 : done;
}

int faults_wake(const struct faults *f, const uint8_t *page)
{
	struct uffdio_range wake = { .start = (uintptr_t)page, .len = PAGES_SIZE };

	return ioctl(f->fd, UFFDIO_WAKE, &wake) ? -errno : 0;
}

void faults_again(const struct faults *f, const struct machine *m)
{
	for (unsigned int i = 0; i < m->mem.nr_regions; i++) {
		struct uffdio_range range = {
			.start = (uintptr_t)m->mem.region[i].host,
			.len = m->mem.region[i].size,
		};

		ioctl(f->fd, UFFDIO_WAKE, &range);
	}
}

int faults_error(int ret, struct error *err)
{
	if (ret == -ENOMEM)
		return error_set(err, ret,
				 "the host, or the cgroup, has no memory left for a page of the guest's");
	return error_errno(err, ret, "userfaultfd: a page cannot be put in place");
}
