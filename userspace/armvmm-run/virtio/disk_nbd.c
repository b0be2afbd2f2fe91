// SPDX-License-Identifier: GPL-2.0-only
/*
 * --disk nbd://...: a disk that an NBD server has. A process of its own asks the server
 * (nbd_process.c). It shares some memory with this one, in slots: each holds what one request
 * moves, and has a socket for the request and its answer. A thread waits for its own slot's answer
 * only.
 *
 * A server that is gone, or does not answer, fails requests; none waits for ever. Nothing is tried
 * again, as writes that were answered but not flushed may be lost with the server.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core/iov.h"
#include "core/machine.h"
#include "core/message.h"
#include "virtio/disk.h"
#include "virtio/nbd_process.h"

/* Time for the process to start, to connect, and for the server to say what it has. */
#define NBD_START_S	60

/*
 * A server that takes longer for a whole request is given up: as long as this, and as long as one
 * takes that moves so many bytes a second.
 */
#ifndef NBD_PATIENCE_MS
#define NBD_PATIENCE_MS	30000
#endif
#ifndef NBD_SLOWEST
#define NBD_SLOWEST	(256u << 10)
#endif

/* How often a request looks whether it still has to wait. */
#define NBD_LOOK_MS	50

/* For the process to end, once it is told. */
#define NBD_END_MS	2000

/* No kernel's errno is larger. */
#define NBD_ERRNO_MAX	4095

/* No server's blocks are larger; a request's pieces are multiples of it. */
#define NBD_BLOCK_MAX	(64u << 10)

/*
 * A guest that resets its disk waits for nothing. But the server may still carry out what it was
 * asked for: that slot is stale until it answers, and nobody asks for anything else before, so that
 * nothing old is written over what is newer.
 */
struct nbd_slot {
	int fd;
	bool busy;
	bool stale;
	bool flush;		/* what it is for */
	int64_t until;		/* microseconds: the server's time is over */
};

struct disk_nbd {
	struct disk *disk;
	struct process process;
	GSource *text;
	uint8_t *memory;
	struct nbd_facts facts;
	pthread_mutex_t lock;	/* guards .busy of slots */
	pthread_cond_t freed;
	struct nbd_slot slot[NBD_SLOTS];
	pthread_mutex_t stale_lock;	/* for who waits for stale slots */
	unsigned int nr_stale;	/* (atomic) */
	bool flush_failed;	/* (atomic) a stale one */
	bool lost;		/* (atomic) no request is answered any more */
};

/* ---- Requests; any thread ---- */

static bool nbd_is_lost(const struct disk_nbd *nbd)
{
	return __atomic_load_n(&nbd->lost, __ATOMIC_ACQUIRE);
}

/* Waits for the process to end. Answers that come now are too late. Returns whether it has. */
static bool nbd_await_end(const struct nbd_slot *slot)
{
	int64_t until = g_get_monotonic_time() + NBD_END_MS * 1000ll;
	struct pollfd ended = { .fd = slot->fd, .events = POLLIN };
	struct nbd_answer late;

	while (g_get_monotonic_time() < until)
		if (poll(&ended, 1, NBD_LOOK_MS) > 0 && read(slot->fd, &late, sizeof(late)) <= 0)
			return true;
	return false;
}

/*
 * From now on there are only errors. What the guest is told has failed must not be written
 * afterwards: so the process ends before, and the connection with it. @slot: NULL, or one of a
 * request that was begun.
 */
static int nbd_lose(struct disk_nbd *nbd, const struct nbd_slot *slot, const char *why)
{
	bool first = !__atomic_exchange_n(&nbd->lost, true, __ATOMIC_ACQ_REL), ended = true;

	/* It ends by whatever comes there. */
	if (first)
		(void)send(nbd->process.fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (slot)
		ended = nbd_await_end(slot);
	if (first)
		machine_warn(nbd->disk->machine, "%s: %s: the guest gets errors from now on%s",
			     nbd->disk->path, why,
			     ended ? "" : ", and what was under way may still be written");
	return -EIO;
}

/* Returns NULL if none is free for a moment. */
static struct nbd_slot *nbd_take_slot(struct disk_nbd *nbd)
{
	struct nbd_slot *slot = NULL;
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += NBD_LOOK_MS * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&nbd->lock);
	for (int ret = 0; !slot && !ret;) {
		for (unsigned int i = 0; !slot && i < NBD_SLOTS; i++)
			if (!nbd->slot[i].busy)
				slot = &nbd->slot[i];
		if (!slot)
			ret = pthread_cond_timedwait(&nbd->freed, &nbd->lock, &until);
	}
	if (slot)
		slot->busy = true;
	pthread_mutex_unlock(&nbd->lock);
	return slot;
}

static void nbd_give_slot(struct disk_nbd *nbd, struct nbd_slot *slot)
{
	pthread_mutex_lock(&nbd->lock);
	slot->busy = false;
	pthread_cond_signal(&nbd->freed);
	pthread_mutex_unlock(&nbd->lock);
}

/* Returns 0 if there is something to read; -ECANCELED: nobody wants it any more. */
static int nbd_await(struct disk_nbd *nbd, const struct nbd_slot *slot)
{
	struct pollfd answered = { .fd = slot->fd, .events = POLLIN };

	while (g_get_monotonic_time() < slot->until) {
		if (poll(&answered, 1, NBD_LOOK_MS) > 0)
			return 0;
		if (nbd_is_lost(nbd))
			return -EIO;
		if (disk_is_abandoned(nbd->disk))
			return -ECANCELED;
	}
	return -ETIMEDOUT;
}

/*
 * Is it the number of an error? The process may have been taken over, and say anything. -ECANCELED
 * is what this file says of a request that nobody waits for.
 */
static bool nbd_is_error(int ret)
{
	return ret < 0 && ret >= -NBD_ERRNO_MAX && ret != -ECANCELED;
}

/* What the server says to the slot's request. Returns -EIO also if it is lost. */
static int nbd_answer(struct disk_nbd *nbd, const struct nbd_slot *slot)
{
	int ret = nbd_await(nbd, slot);
	struct nbd_answer answer;

	if (ret == -ECANCELED)
		return ret;
	/* Once a request was given up, its slot's answer may come for another: so all are. */
	if (ret)
		return nbd_lose(nbd, slot, "the server does not answer in time");
	if (read(slot->fd, &answer, sizeof(answer)) != sizeof(answer))
		return nbd_lose(nbd, slot, "its process has ended");
	return nbd_is_error(answer.ret) || !answer.ret ? answer.ret : -EIO;
}

/* Waits for the answer that nobody else waits for any more. */
static int nbd_settle_slot(struct disk_nbd *nbd, struct nbd_slot *slot)
{
	int ret = nbd_answer(nbd, slot);

	if (ret == -ECANCELED || nbd_is_lost(nbd))
		return ret ? ret : -EIO;
	if (ret && slot->flush)
		__atomic_store_n(&nbd->flush_failed, true, __ATOMIC_RELAXED);
	slot->stale = false;
	__atomic_fetch_sub(&nbd->nr_stale, 1, __ATOMIC_RELEASE);
	nbd_give_slot(nbd, slot);
	return 0;
}

static int nbd_settle(struct disk_nbd *nbd)
{
	int ret = 0;

	if (__atomic_load_n(&nbd->nr_stale, __ATOMIC_ACQUIRE)) {
		pthread_mutex_lock(&nbd->stale_lock);
		for (unsigned int i = 0; !ret && i < NBD_SLOTS; i++)
			if (__atomic_load_n(&nbd->slot[i].stale, __ATOMIC_ACQUIRE))
				ret = nbd_settle_slot(nbd, &nbd->slot[i]);
		pthread_mutex_unlock(&nbd->stale_lock);
	}
	return !ret && nbd_is_lost(nbd) ? -EIO : ret;
}

/* Takes a slot for a request that moves @bytes, whose time begins. Returns 0 or -errno. */
static int nbd_begin(struct disk_nbd *nbd, uint64_t bytes, struct nbd_slot **slot)
{
	int ret;

	do {
		ret = nbd_settle(nbd);
		if (!ret && disk_is_abandoned(nbd->disk))
			ret = -ECANCELED;
		*slot = ret ? NULL : nbd_take_slot(nbd);
	} while (!ret && !*slot);
	if (*slot)
		(*slot)->until = g_get_monotonic_time() + NBD_PATIENCE_MS * 1000ll +
				 bytes * G_USEC_PER_SEC / NBD_SLOWEST;
	return ret;
}

static void nbd_end(struct disk_nbd *nbd, struct nbd_slot *slot)
{
	if (slot && !slot->stale)
		nbd_give_slot(nbd, slot);
}

/* One piece of a request, or all of it. */
static int nbd_ask(struct disk_nbd *nbd, struct nbd_slot *slot, const struct nbd_request *r)
{
	int ret;

	if (nbd_is_lost(nbd))
		return -EIO;
	if (disk_is_abandoned(nbd->disk))
		return -ECANCELED;
	slot->flush = r->op == NBD_FLUSH;
	/* A slot has one request at a time: there is room, unless the process takes none. */
	if (send(slot->fd, r, sizeof(*r), MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(*r))
		return nbd_lose(nbd, slot, "its process has ended");
	ret = nbd_answer(nbd, slot);
	if (ret == -ECANCELED) {
		__atomic_store_n(&slot->stale, true, __ATOMIC_RELEASE);
		__atomic_fetch_add(&nbd->nr_stale, 1, __ATOMIC_RELEASE);
	}
	return ret;
}

static uint8_t *nbd_data(const struct disk_nbd *nbd, const struct nbd_slot *slot)
{
	return nbd->memory + (slot - nbd->slot) * NBD_SLOT_SIZE;
}

/* Warns of what the server has refused. */
static int nbd_result(struct disk *disk, const char *what, uint64_t offset, int ret)
{
	if (!ret || ret == -ECANCELED || nbd_is_lost(disk->nbd))
		return ret;
	return disk_warn(disk, what, offset, ret);
}

static size_t nbd_part(uint64_t left)
{
	return left < NBD_SLOT_SIZE ? left : NBD_SLOT_SIZE;
}

static int nbd_transfer(struct disk *disk, bool write, const struct iovec *iov, unsigned int nr,
			uint64_t offset)
{
	struct disk_nbd *nbd = disk->nbd;
	size_t total = 0, done = 0, part;
	struct nbd_slot *slot;
	int ret;

	for (unsigned int i = 0; i < nr; i++)
		total += iov[i].iov_len;
	ret = nbd_begin(nbd, total, &slot);
	for (; !ret && done < total; done += part) {
		struct nbd_request r = { .op = write ? NBD_WRITE : NBD_READ,
					 .offset = offset + done };

		r.len = part = nbd_part(total - done);
		if (write)
			iov_read(iov, nr, done, nbd_data(nbd, slot), part);
		ret = nbd_ask(nbd, slot, &r);
		if (!write && !ret)
			iov_write(iov, nr, done, nbd_data(nbd, slot), part);
	}
	nbd_end(nbd, slot);
	return nbd_result(disk, write ? "write" : "read", offset, ret);
}

static int nbd_read(struct disk *disk, struct iovec *iov, unsigned int nr, uint64_t offset)
{
	return nbd_transfer(disk, false, iov, nr, offset);
}

static int nbd_write(struct disk *disk, struct iovec *iov, unsigned int nr, uint64_t offset)
{
	return nbd_transfer(disk, true, iov, nr, offset);
}

/* A request without data. */
static int nbd_command(struct disk *disk, const struct nbd_request *r)
{
	struct nbd_slot *slot;
	int ret = nbd_begin(disk->nbd, 0, &slot);

	if (!ret)
		ret = nbd_ask(disk->nbd, slot, r);
	nbd_end(disk->nbd, slot);
	return ret;
}

/* A server that cannot flush has nothing to flush. */
static int nbd_flush(struct disk *disk)
{
	const struct nbd_request r = { .op = NBD_FLUSH };
	int ret = disk->nbd->facts.can_flush ? nbd_command(disk, &r) : nbd_settle(disk->nbd);

	return !ret && __atomic_load_n(&disk->nbd->flush_failed, __ATOMIC_RELAXED) ? -EIO : ret;
}

static int nbd_discard(struct disk *disk, uint64_t offset, uint64_t len)
{
	const struct nbd_request r = { .op = NBD_TRIM, .offset = offset, .len = len };

	return nbd_result(disk, "discard", offset, nbd_command(disk, &r));
}

/* The zeroes are written, where the server cannot make them. */
static int nbd_write_zeroes(struct disk *disk, uint64_t offset, uint64_t len)
{
	struct disk_nbd *nbd = disk->nbd;
	struct nbd_slot *slot;
	int ret = nbd_begin(nbd, len, &slot);

	if (!ret)
		memset(nbd_data(nbd, slot), 0, nbd_part(len));
	while (!ret && len) {
		const struct nbd_request r = { .op = NBD_WRITE, .offset = offset,
					       .len = nbd_part(len) };

		ret = nbd_ask(nbd, slot, &r);
		offset += r.len;
		len -= r.len;
	}
	nbd_end(nbd, slot);
	return ret;
}

static int nbd_zero(struct disk *disk, uint64_t offset, uint64_t len, bool unmap)
{
	const struct nbd_request r = { .op = NBD_ZERO, .unmap = unmap, .offset = offset,
				       .len = len };
	int ret = disk->nbd->facts.can_zero ? nbd_command(disk, &r) : -EOPNOTSUPP;

	if (ret == -EOPNOTSUPP)
		ret = nbd_write_zeroes(disk, offset, len);
	return nbd_result(disk, "clear", offset, ret);
}

/* The server's sizes do not change. */
static uint64_t nbd_size(const struct disk *disk, uint64_t size)
{
	(void)disk;
	return size;
}

static uint64_t nbd_allocated(const struct disk *disk)
{
	return disk_size(disk);
}

static int nbd_resize(struct disk *disk, uint64_t size, struct error *err)
{
	if (size == disk_size(disk))
		return 0;
	return error_set(err, -ENOTSUP, "it has the size that its server gave it, %llu bytes",
			 (unsigned long long)disk_size(disk));
}

/* ---- Main thread ---- */

/* Passes on what the process says. One that was taken over may say anything. */
static void nbd_hear(struct disk_nbd *nbd, bool *ended)
{
	char text[256];

	for (unsigned int i = 0; i < PROCESS_SENTENCES; i++) {
		if (!process_says(&nbd->process, text, sizeof(text), ended))
			break;
		machine_warn(nbd->disk->machine, "%s: %s", nbd->disk->path, text);
	}
}

static gboolean nbd_text(int fd, GIOCondition condition, void *opaque)
{
	struct disk_nbd *nbd = opaque;
	bool ended;

	(void)fd;
	(void)condition;
	nbd_hear(nbd, &ended);
	if (!ended)
		return G_SOURCE_CONTINUE;
	nbd_lose(nbd, NULL, "its process has ended");
	return G_SOURCE_REMOVE;
}

static void nbd_watch(struct disk_nbd *nbd)
{
	nbd->text = g_unix_fd_source_new(nbd->process.text, G_IO_IN);
	g_source_set_callback(nbd->text, G_SOURCE_FUNC(nbd_text), nbd, NULL);
	g_source_attach(nbd->text, nbd->disk->machine->context);
}

/* ---- Start ---- */

/*
 * Memory that both processes see. It cannot be made shorter: that would end this process, when it
 * touches what is not there any more.
 */
static int nbd_make_memory(struct disk_nbd *nbd, struct error *err)
{
	const size_t size = NBD_SLOTS * NBD_SLOT_SIZE;
	int fd = memfd_create("nbd", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, size) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		goto fail;
	nbd->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (nbd->memory != MAP_FAILED)
		return fd;
	nbd->memory = NULL;
fail:
	error_errno(err, -errno, "%s: memory", nbd->disk->path);
	if (fd >= 0)
		close(fd);
	return -ENOMEM;
}

/* Sends the setup, and the descriptors in @fd with it. */
static int nbd_send(struct disk_nbd *nbd, struct nbd_setup *setup, const int fd[1 + NBD_SLOTS])
{
	union nbd_control control = { .space = "" };
	struct iovec iov = { setup, sizeof(*setup) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control) };

	control.header = (struct cmsghdr){
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(sizeof(int) * (1 + NBD_SLOTS)),
	};
	memcpy(CMSG_DATA(&control.header), fd, sizeof(int) * (1 + NBD_SLOTS));
	return sendmsg(nbd->process.fd, &msg, MSG_NOSIGNAL) == sizeof(*setup) ? 0 : -errno;
}

/* Makes memory and sockets, and gives the process its ends of them. */
static int nbd_join(struct disk_nbd *nbd, struct nbd_setup *setup, struct error *err)
{
	int fd[1 + NBD_SLOTS], pair[2], ret = 0;
	unsigned int nr = 1;

	fd[0] = nbd_make_memory(nbd, err);
	if (fd[0] < 0)
		return fd[0];
	for (; nr < 1 + NBD_SLOTS; nr++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
			ret = error_errno(err, -errno, "%s: sockets", nbd->disk->path);
			break;
		}
		nbd->slot[nr - 1].fd = pair[0];
		fd[nr] = pair[1];
	}
	if (!ret) {
		ret = nbd_send(nbd, setup, fd);
		if (ret)
			error_errno(err, ret, "%s: its process", nbd->disk->path);
	}
	while (nr--)
		close(fd[nr]);
	return ret;
}

/* The server's text, if there is one, goes to a person's terminal. */
static int nbd_refused(struct disk_nbd *nbd, struct nbd_reply *reply, struct error *err)
{
	reply->why.text[sizeof(reply->why.text) - 1] = '\0';
	for (char *at = reply->why.text; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	return error_set(err, nbd_is_error(reply->ret) ? reply->ret : -EPROTO, "%.200s: %.400s",
			 nbd->disk->path, reply->why.text);
}

static int nbd_start_process(struct disk_nbd *nbd, struct nbd_setup *setup, struct error *err)
{
	struct disk *disk = nbd->disk;
	struct nbd_reply reply = { .ret = 0 };
	bool apart = setup->rights.confined, ended;
	ssize_t n;
	int ret;

	ret = process_start(&nbd->process, NBD_ROLE, disk->path, &apart, !setup->rights.change_user,
			    err);
	if (ret)
		return ret;
	if (setup->rights.confined && !apart)
		message("%s: sandbox: goes on without what this host does not give: PID namespaces",
			disk->path);
	ret = nbd_join(nbd, setup, err);
	if (ret)
		return ret;
	n = process_receive(&nbd->process, &reply, sizeof(reply), NBD_START_S);
	nbd_hear(nbd, &ended);
	if (n == -ETIMEDOUT)
		return error_set(err, n, "%s: the server says nothing", disk->path);
	if (n != sizeof(reply))
		return error_set(err, n < 0 ? n : -EPROTO,
				 "%s: its process does not start (/proc/self/exe)", disk->path);
	nbd->facts = reply.facts;
	return reply.ret ? nbd_refused(nbd, &reply, err) : 0;
}

/* What the server says of its disk, and the process says that it does. */
static int nbd_accept(struct disk *disk, const struct nbd_facts *facts, struct error *err)
{
	if (facts->block > NBD_BLOCK_MAX || facts->block & (facts->block - 1))
		return error_set(err, -EINVAL, "%s: its blocks of %u bytes are too large",
				 disk->path, facts->block);
	if (facts->block > disk->block)
		disk->block = facts->block;
	if (disk->block > disk->physical)
		disk->physical = disk->block;
	if (!facts->size)
		return error_set(err, -EINVAL, "%s: is empty", disk->path);
	if (facts->size % disk->block || facts->size > INT64_MAX)
		return error_set(err, -EINVAL, "%s: its size, %llu bytes, is not a multiple of %u",
				 disk->path, (unsigned long long)facts->size, disk->block);
	if (facts->readonly && !disk->readonly)
		return error_set(err, -EROFS, "%s: may be used with ,ro only", disk->path);
	disk->size = facts->size;
	disk->can_discard = facts->can_trim && !disk->readonly;
	return 0;
}

static void nbd_init_slots(struct disk_nbd *nbd)
{
	pthread_condattr_t attr;

	for (unsigned int i = 0; i < NBD_SLOTS; i++)
		nbd->slot[i].fd = -1;
	pthread_mutex_init(&nbd->lock, NULL);
	pthread_mutex_init(&nbd->stale_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&nbd->freed, &attr);
	pthread_condattr_destroy(&attr);
}

static int nbd_start(struct disk *disk, const struct disk_config *config, struct error *err)
{
	struct nbd_setup setup = { .rights = disk->machine->rights };
	struct disk_nbd *nbd;
	int ret;

	if (config->direct)
		return error_set(err, -EINVAL, "%s: direct, cache=none and cache=directsync are for files", disk->path);
	ret = nbd_address_parse(&setup.address, disk->path, err);
	if (ret)
		return ret;
	setup.rights.connected = true;
	nbd = disk->nbd = calloc(1, sizeof(*nbd));
	if (!nbd)
		return error_errno(err, -ENOMEM, "%s", disk->path);
	nbd->disk = disk;
	nbd->process.fd = nbd->process.text = -1;
	nbd_init_slots(nbd);
	ret = nbd_start_process(nbd, &setup, err);
	if (!ret)
		ret = nbd_accept(disk, &nbd->facts, err);
	if (!ret)
		nbd_watch(nbd);
	return ret;
}

static void nbd_stop(struct disk *disk)
{
	struct disk_nbd *nbd = disk->nbd;

	if (!nbd)
		return;
	if (nbd->text) {
		g_source_destroy(nbd->text);
		g_source_unref(nbd->text);
	}
	for (unsigned int i = 0; i < NBD_SLOTS; i++)
		if (nbd->slot[i].fd >= 0)
			close(nbd->slot[i].fd);
	process_end(&nbd->process);
	if (nbd->memory)
		munmap(nbd->memory, NBD_SLOTS * NBD_SLOT_SIZE);
	pthread_cond_destroy(&nbd->freed);
	pthread_mutex_destroy(&nbd->lock);
	pthread_mutex_destroy(&nbd->stale_lock);
	free(nbd);
	disk->nbd = NULL;
}

static const char *const nbd_prefix[] = { "nbd:", "nbd+unix:", "nbds:", "nbds+unix:", NULL };

static const struct disk_type disk_nbd = {
	.prefix = nbd_prefix,
	.start = nbd_start,
	.stop = nbd_stop,
	.read = nbd_read,
	.write = nbd_write,
	.flush = nbd_flush,
	.discard = nbd_discard,
	.zero = nbd_zero,
	.size = nbd_size,
	.allocated = nbd_allocated,
	.resize = nbd_resize,
};
DISK_TYPE(disk_nbd);
