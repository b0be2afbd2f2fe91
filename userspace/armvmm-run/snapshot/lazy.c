// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include "core/machine_private.h"
#include "core/thread.h"
#include "snapshot/lazy.h"
#include "snapshot/layout.h"

#define LAZY_NODE	"/dev/userfaultfd"	/* Linux 6.1 */
#define LAZY_NEW	_IO(0xaa, 0)		/* USERFAULTFD_IOC_NEW, for older headers */
#define LAZY_STACK_SIZE	(128u << 10)
#define LAZY_MESSAGES	16u	/* read at once */
#define LAZY_LOOK_MS	100

/* What a range has to be good for when it is registered. */
#define LAZY_IOCTLS	(1ull << _UFFDIO_COPY | 1ull << _UFFDIO_ZEROPAGE | 1ull << _UFFDIO_WAKE)

struct lazy_block {
	bool here;		/* but for zeroes */
	uint32_t gone[PAGES_MAX / 32];	/* pages that were given back before they came */
};

struct lazy {
	struct machine *m;
	int fd;			/* userfaultfd; -1: the thread has closed it */
	unsigned int nr_files;
	struct restore_file file[PLACES_FILES];
	bool running;		/* there is a thread */
	pthread_t thread;
	bool cancelled;		/* atomic: it must end */
	bool only_serves;	/* atomic: what nobody waits for is not wanted any more */
	uint64_t faults;
	uint8_t *room;		/* for a block; the thread's */

	/* Who holds this touches no memory of the guest's. The thread writes .places. */
	pthread_mutex_t lock;
	struct places *places;	/* NULL: all is here */
	struct lazy_block *block;
};

/* ---- Getting it ---- */

/* Of the kernel on behalf of a thread, too. Returns a file that does not block, or -errno. */
static int lazy_get(void)
{
	int flags = O_CLOEXEC | O_NONBLOCK, fd = syscall(SYS_userfaultfd, flags), node, ret;

	if (fd >= 0 || errno != EPERM)
		return fd >= 0 ? fd : -errno;
	node = open(LAZY_NODE, O_RDWR | O_CLOEXEC);
	if (node < 0)
		return -EPERM;
	fd = ioctl(node, LAZY_NEW, flags);
	ret = fd >= 0 ? fd : -errno;
	close(node);
	return ret;
}

/*
 * Only since Linux 6.3 (FOLL_UNLOCKABLE) are pages waited for that are pinned for long; older
 * kernels fail at once.
 */
static bool lazy_pins_too_soon(const struct machine *m)
{
	unsigned int major = 0, minor = 0;
	struct utsname name;

	if (!m->mem.pinned)
		return false;
	return uname(&name) || sscanf(name.release, "%u.%u", &major, &minor) != 2 ||
	       major < 6 || (major == 6 && minor < 3);
}

static int lazy_refuse(int ret, struct error *err)
{
	switch (ret) {
	case -ENOSYS:
		return error_set(err, ret,
				 "--lazy-restore: the host's kernel has no userfaultfd (CONFIG_USERFAULTFD)");
	case -EPERM:
		return error_set(err, ret,
				 "--lazy-restore: this user may not use userfaultfd: it takes CAP_SYS_PTRACE, or access to " LAZY_NODE ", or vm.unprivileged_userfaultfd=1");
	default:
		return error_errno(err, ret, "--lazy-restore: userfaultfd");
	}
}

int lazy_open(struct lazy **out, struct machine *m, struct error *err)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct lazy *l;
	int fd;

	if (lazy_pins_too_soon(m))
		return error_set(err, -ENOTSUP,
				 "--lazy-restore: this host pins guest memory, and its kernel waits for no such page (Linux 6.3 does)");
	fd = lazy_get();
	if (fd < 0)
		return lazy_refuse(fd, err);
	if (ioctl(fd, UFFDIO_API, &api)) {
		int ret = -errno;

		close(fd);
		return lazy_refuse(ret, err);
	}
	l = g_new0(struct lazy, 1);
	l->m = m;
	l->fd = fd;
	pthread_mutex_init(&l->lock, NULL);
	*out = l;
	return 0;
}

/* ---- Pages ---- */

/*
 * Has the kernel put pages in place, and wake who waits for them: by @copy from there, or else
 * zeroes. Stops at a page that is there already. Returns the bytes, or -errno.
 */
static int64_t lazy_put(struct lazy *l, uint8_t *to, const uint8_t *copy, uint64_t len)
{
	struct uffdio_copy c = { .dst = (uintptr_t)to, .src = (uintptr_t)copy, .len = len };
	struct uffdio_zeropage z = { .range = { .start = (uintptr_t)to, .len = len } };
	int64_t done;

	if (!ioctl(l->fd, copy ? UFFDIO_COPY : UFFDIO_ZEROPAGE, copy ? (void *)&c : (void *)&z))
		return len;
	if (errno != EAGAIN)
		return -errno;
	/* It tells how far it came, or EAGAIN if it did not begin. */
	done = copy ? c.copy : z.zeropage;
	return done == -EAGAIN ? 0 : done;
}

static int lazy_copy(struct lazy *l, uint8_t *to, const uint8_t *from, uint64_t len)
{
	while (len) {
		int64_t n = lazy_put(l, to, from, len);

		if (n < 0)
			return n;
		to += n;
		from += n;
		len -= n;
	}
	return 0;
}

static bool lazy_is_gone(const struct lazy_block *block, unsigned int page)
{
	return block->gone[page / 32] >> page % 32 & 1;
}

/* Is there nothing that anybody wants of a block? After a reset that is so. The lock is held. */
static bool lazy_is_unwanted(const struct lazy_block *block, const struct pages_range *range)
{
	for (unsigned int i = 0; i < range->size / PAGES_SIZE; i++)
		if (!lazy_is_gone(block, i))
			return false;
	return true;
}

/* Puts the pages of a block in place that are not zero, and still wanted. The lock is held. */
static int lazy_place(struct lazy *l, unsigned int n)
{
	const struct pages_range *range = places_block(l->places, n);
	unsigned int nr = range->size / PAGES_SIZE, begin, end = 0;
	int ret = 0;

	for (begin = 0; !ret && begin < nr; begin = end + 1) {
		for (end = begin; end < nr; end++)
			if (lazy_is_gone(&l->block[n], end) ||
			    pages_is_zero(l->room + end * PAGES_SIZE))
				break;
		if (end > begin)
			ret = lazy_copy(l, range->host + begin * PAGES_SIZE,
					l->room + begin * PAGES_SIZE, (end - begin) * PAGES_SIZE);
	}
	return ret;
}

static int lazy_cannot_put(int ret, struct error *err)
{
	if (ret == -ENOMEM)
		return error_set(err, ret,
				 "the host, or the cgroup, has no memory left for a page of the guest's");
	return error_errno(err, ret, "userfaultfd: a page cannot be put in place");
}

/* Reads a block, unless it is here, or is not wanted any more. */
static int lazy_fill(struct lazy *l, unsigned int n, struct error *err)
{
	struct lazy_block *block = &l->block[n];
	bool here;
	int ret;

	pthread_mutex_lock(&l->lock);
	here = block->here || lazy_is_unwanted(block, places_block(l->places, n));
	pthread_mutex_unlock(&l->lock);
	if (here)
		return 0;
	ret = places_load(l->places, n, l->room, err);
	pthread_mutex_lock(&l->lock);
	/* A reset may have come meanwhile: then it does not matter what the file has. */
	if (ret && !lazy_is_unwanted(block, places_block(l->places, n))) {
		pthread_mutex_unlock(&l->lock);
		return ret;
	}
	ret = ret ? 0 : lazy_place(l, n);
	block->here = true;
	pthread_mutex_unlock(&l->lock);
	return ret ? lazy_cannot_put(ret, err) : 0;
}

/*
 * Somebody waits for the page at @host. If it did not come with its block, it is zero, and so may
 * be those behind it.
 */
static int lazy_fault(struct lazy *l, uint8_t *host, struct error *err)
{
	struct uffdio_range wake = { .start = (uintptr_t)host, .len = PAGES_SIZE };
	unsigned int n = places_find(l->places, host);
	const struct pages_range *range;
	int64_t ret;

	if (n == places_blocks(l->places))
		return error_set(err, -EFAULT, "userfaultfd: a fault at an address of nobody's");
	l->faults++;
	ret = lazy_fill(l, n, err);
	if (ret)
		return ret;
	range = places_block(l->places, n);
	do
		ret = lazy_put(l, host, NULL, range->host + range->size - host);
	while (!ret);
	if (ret == -EEXIST)
		ret = ioctl(l->fd, UFFDIO_WAKE, &wake) ? -errno : 0;
	return ret < 0 ? lazy_cannot_put(ret, err) : 0;
}

/* Those who wait come before what nobody waits for. */
static int lazy_serve(struct lazy *l, struct error *err)
{
	struct uffd_msg msg[LAZY_MESSAGES];
	ssize_t len;
	int ret = 0;

	while (!ret && (len = read(l->fd, msg, sizeof(msg))) > 0) {
		for (unsigned int i = 0; !ret && i < len / sizeof(msg[0]); i++) {
			uintptr_t at = msg[i].arg.pagefault.address;

			if (msg[i].event == UFFD_EVENT_PAGEFAULT)
				ret = lazy_fault(l, (uint8_t *)(at & ~(uintptr_t)(PAGES_SIZE - 1)),
						 err);
		}
	}
	return ret;
}

/* ---- The thread ---- */

static bool lazy_is_ram(const struct lazy *l, const struct pages_range *range)
{
	return guestmem_ptr(&l->m->mem, range->gpa, range->size) == range->host;
}

/* What is missing from here on is zero, as in any new memory. Wakes who waits. */
static void lazy_unregister(struct lazy *l)
{
	for (unsigned int i = 0; i < l->m->mem.nr_regions; i++) {
		struct uffdio_range range = {
			.start = (uintptr_t)l->m->mem.region[i].host,
			.len = l->m->mem.region[i].size,
		};

		ioctl(l->fd, UFFDIO_UNREGISTER, &range);
	}
}

/* Nothing is needed any more. */
static void lazy_forget(struct lazy *l)
{
	pthread_mutex_lock(&l->lock);
	places_free(l->places);
	l->places = NULL;
	pthread_mutex_unlock(&l->lock);
	while (l->nr_files)
		close(l->file[--l->nr_files].fd);
	g_clear_pointer(&l->room, g_free);
	g_clear_pointer(&l->block, g_free);
}

static bool lazy_is_set(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

/* Until it must end: requests of devices may come to memory that is missing. */
static int lazy_serve_only(struct lazy *l, struct error *err)
{
	struct pollfd wait = { .fd = l->fd, .events = POLLIN };
	int ret = 0;

	while (!ret && !lazy_is_set(&l->cancelled)) {
		poll(&wait, 1, LAZY_LOOK_MS);
		ret = lazy_serve(l, err);
	}
	return ret ? ret : -ECANCELED;
}

static int lazy_fill_all(struct lazy *l, struct error *err)
{
	int ret = 0;

	for (unsigned int n = 0; !ret && n < places_blocks(l->places); n++) {
		if (lazy_is_set(&l->cancelled))
			return -ECANCELED;
		if (lazy_is_set(&l->only_serves))
			return lazy_serve_only(l, err);
		ret = lazy_serve(l, err);
		if (!ret && lazy_is_ram(l, places_block(l->places, n)))
			ret = lazy_fill(l, n, err);
	}
	return ret;
}

static void *lazy_thread(void *opaque)
{
	struct lazy *l = opaque;
	struct error why = { "" };
	uint64_t all;
	int ret;

	prctl(PR_SET_NAME, "lazy-restore");
	machine_confine(l->m, MACHINE_THREAD_LAZY);
	ret = lazy_fill_all(l, &why);
	if (ret && ret != -ECANCELED) {
		char text[sizeof(why.text) + 80];

		snprintf(text, sizeof(text),
			 "%s: the guest, which runs already, cannot go on", why.text);
		l->m->broken(text);
	}
	lazy_unregister(l);
	if (!ret)
		machine_note(l->m, "all of the guest's memory is here; %llu times somebody has waited, and %llu bytes were read",
			     (unsigned long long)l->faults,
			     (unsigned long long)places_bytes(l->places, &all));
	close(l->fd);
	l->fd = -1;
	lazy_forget(l);
	return NULL;
}

/* ---- Its course ---- */

/* RAM is given back to the host, in whole pages: it reads as zero afterwards. Main thread. */
static void lazy_give_back(void *opaque, const uint8_t *host, size_t len)
{
	struct lazy *l = opaque;

	pthread_mutex_lock(&l->lock);
	for (const uint8_t *at = host; l->places && at < host + len; at += PAGES_SIZE) {
		unsigned int n = places_find(l->places, at);
		unsigned int page = (at - places_block(l->places, n)->host) / PAGES_SIZE;

		l->block[n].gone[page / 32] |= 1u << page % 32;
	}
	pthread_mutex_unlock(&l->lock);
}

static int lazy_register(struct lazy *l)
{
	for (unsigned int i = 0; i < l->m->mem.nr_regions; i++) {
		const struct guestmem_region *r = &l->m->mem.region[i];
		struct uffdio_register reg = {
			.range = { .start = (uintptr_t)r->host, .len = r->size },
			.mode = UFFDIO_REGISTER_MODE_MISSING,
		};

		/* A page that was touched would not be missing. */
		if (madvise(r->host, r->size, MADV_DONTNEED) ||
		    ioctl(l->fd, UFFDIO_REGISTER, &reg))
			return -errno;
		if ((reg.ioctls & LAZY_IOCTLS) != LAZY_IOCTLS)
			return -ENOTSUP;
	}
	return 0;
}

/* The memory of devices has no thread that would wait for it. */
static int lazy_fill_devices(struct lazy *l, struct error *err)
{
	int ret = 0;

	for (unsigned int n = 0; !ret && n < places_blocks(l->places); n++) {
		const struct pages_range *range = places_block(l->places, n);

		if (lazy_is_ram(l, range))
			continue;
		ret = places_load(l->places, n, l->room, err);
		/* What is written becomes memory of this process for good, zeroes too. */
		for (uint64_t at = 0; !ret && at < range->size; at += PAGES_SIZE)
			if (memcmp(range->host + at, l->room + at, PAGES_SIZE))
				memcpy(range->host + at, l->room + at, PAGES_SIZE);
	}
	return ret;
}

int lazy_start(struct lazy *l, struct places *places, const struct restore_file *file,
	       unsigned int nr, struct error *err)
{
	uint64_t all, bytes;
	int ret;

	l->places = places;
	l->room = g_malloc(PAGES_BLOCK);
	l->block = g_new0(struct lazy_block, places_blocks(places));
	ret = lazy_fill_devices(l, err);
	if (!ret) {
		ret = lazy_register(l);
		if (ret)
			error_errno(err, ret, "--lazy-restore: userfaultfd");
	}
	/* The thread's own, and closed by it. */
	memcpy(l->file, file, nr * sizeof(*file));
	l->nr_files = nr;
	bytes = places_bytes(places, &all);
	if (!ret) {
		machine_note(l->m, "the guest goes on when %llu of %llu bytes were read",
			     (unsigned long long)bytes, (unsigned long long)all);
		ret = thread_start(&l->thread, LAZY_STACK_SIZE, lazy_thread, l);
		if (ret)
			error_errno(err, ret, "--lazy-restore: thread");
	}
	l->running = !ret;
	if (!ret) {
		l->m->mem.give_back = lazy_give_back;
		l->m->mem.give_back_opaque = l;
		return 0;
	}
	/* Still the caller's. */
	l->places = NULL;
	l->nr_files = 0;
	return ret;
}

void lazy_only_serve(struct lazy *l)
{
	if (l)
		__atomic_store_n(&l->only_serves, true, __ATOMIC_RELEASE);
}

void lazy_free(struct lazy *l)
{
	if (!l)
		return;
	__atomic_store_n(&l->cancelled, true, __ATOMIC_RELEASE);
	if (l->running)
		pthread_join(l->thread, NULL);
	l->m->mem.give_back = NULL;
	if (l->fd >= 0)
		close(l->fd);
	lazy_forget(l);
	pthread_mutex_destroy(&l->lock);
	g_free(l);
}
