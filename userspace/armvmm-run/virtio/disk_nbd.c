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
#include <unistd.h>

#include "core/iov.h"
#include "core/machine.h"
#include "core/message.h"
#include "virtio/disk.h"
#include "virtio/nbd_process.h"

/* Time for the process to start, to connect, and for the server to say what it has. */
#define NBD_START_S	60

/* A request that takes longer is never answered. */
#ifndef NBD_PATIENCE_MS
#define NBD_PATIENCE_MS	30000
#endif

/* No server's blocks are larger; a request's pieces are multiples of it. */
#define NBD_BLOCK_MAX	(64u << 10)

struct disk_nbd {
	struct disk *disk;
	struct process process;
	GSource *text;
	uint8_t *memory;
	struct nbd_facts facts;
	pthread_mutex_t lock;	/* guards busy */
	pthread_cond_t freed;
	bool busy[NBD_SLOTS];
	int fd[NBD_SLOTS];
	bool lost;		/* (atomic) no request is answered any more */
};

/* ---- Requests; any thread ---- */

static bool nbd_is_lost(const struct disk_nbd *nbd)
{
	return __atomic_load_n(&nbd->lost, __ATOMIC_RELAXED);
}

static int nbd_lose(struct disk_nbd *nbd, const char *why)
{
	if (!__atomic_exchange_n(&nbd->lost, true, __ATOMIC_RELAXED))
		machine_warn(nbd->disk->machine, "%s: %s: the guest gets errors from now on",
			     nbd->disk->path, why);
	return -EIO;
}

static unsigned int nbd_take_slot(struct disk_nbd *nbd)
{
	unsigned int slot;

	pthread_mutex_lock(&nbd->lock);
	for (slot = 0; nbd->busy[slot];) {
		if (++slot < NBD_SLOTS)
			continue;
		pthread_cond_wait(&nbd->freed, &nbd->lock);
		slot = 0;
	}
	nbd->busy[slot] = true;
	pthread_mutex_unlock(&nbd->lock);
	return slot;
}

static void nbd_give_slot(struct disk_nbd *nbd, unsigned int slot)
{
	pthread_mutex_lock(&nbd->lock);
	nbd->busy[slot] = false;
	pthread_cond_signal(&nbd->freed);
	pthread_mutex_unlock(&nbd->lock);
}

/* Once a request was given up, its slot's answer may come for another: so all are. */
static int nbd_ask(struct disk_nbd *nbd, unsigned int slot, const struct nbd_request *r)
{
	struct pollfd answered = { .fd = nbd->fd[slot], .events = POLLIN };
	struct nbd_answer answer;
	int n;

	if (nbd_is_lost(nbd))
		return -EIO;
	/* A slot has one request at a time: there is room, unless the process takes none. */
	if (send(nbd->fd[slot], r, sizeof(*r), MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(*r))
		return nbd_lose(nbd, "its process has ended");
	do {
		n = poll(&answered, 1, NBD_PATIENCE_MS);
	} while (n < 0 && errno == EINTR);
	if (nbd_is_lost(nbd))
		return -EIO;
	if (!n)
		return nbd_lose(nbd, "the server does not answer");
	if (read(nbd->fd[slot], &answer, sizeof(answer)) != sizeof(answer))
		return nbd_lose(nbd, "its process has ended");
	/* The process may have been taken over, and say anything. */
	return answer.ret > 0 ? -EIO : answer.ret;
}

/* Warns of what the server has refused. */
static int nbd_result(struct disk *disk, const char *what, uint64_t offset, int ret)
{
	return ret && !nbd_is_lost(disk->nbd) ? disk_warn(disk, what, offset, ret) : ret;
}

static int nbd_transfer(struct disk *disk, bool write, const struct iovec *iov, unsigned int nr,
			uint64_t offset)
{
	struct disk_nbd *nbd = disk->nbd;
	unsigned int slot = nbd_take_slot(nbd);
	uint8_t *data = nbd->memory + slot * NBD_SLOT_SIZE;
	size_t total = 0, done = 0;
	int ret = 0;

	for (unsigned int i = 0; i < nr; i++)
		total += iov[i].iov_len;
	while (!ret && done < total) {
		size_t part = total - done < NBD_SLOT_SIZE ? total - done : NBD_SLOT_SIZE;
		const struct nbd_request r = { .op = write ? NBD_WRITE : NBD_READ,
					       .offset = offset + done, .len = part };

		if (write)
			iov_read(iov, nr, done, data, part);
		ret = nbd_ask(nbd, slot, &r);
		if (!write && !ret)
			iov_write(iov, nr, done, data, part);
		done += part;
	}
	nbd_give_slot(nbd, slot);
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
	unsigned int slot = nbd_take_slot(disk->nbd);
	int ret = nbd_ask(disk->nbd, slot, r);

	nbd_give_slot(disk->nbd, slot);
	return ret;
}

/* A server that cannot flush has nothing to flush. */
static int nbd_flush(struct disk *disk)
{
	const struct nbd_request r = { .op = NBD_FLUSH };

	if (!disk->nbd->facts.can_flush)
		return nbd_is_lost(disk->nbd) ? -EIO : 0;
	return nbd_command(disk, &r);
}

static int nbd_discard(struct disk *disk, uint64_t offset, uint64_t len)
{
	const struct nbd_request r = { .op = NBD_TRIM, .offset = offset, .len = len };

	return nbd_result(disk, "discard", offset, nbd_command(disk, &r));
}

static int nbd_zero(struct disk *disk, uint64_t offset, uint64_t len, bool unmap)
{
	const struct nbd_request r = { .op = NBD_ZERO, .unmap = unmap, .offset = offset,
				       .len = len };
	int ret = disk->nbd->facts.can_zero ? nbd_command(disk, &r) : -EOPNOTSUPP;

	return ret == -EOPNOTSUPP ? ret : nbd_result(disk, "clear", offset, ret);
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
	nbd_lose(nbd, "its process has ended");
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
		nbd->fd[nr - 1] = pair[0];
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
	return error_set(err, reply->ret < 0 ? reply->ret : -EPROTO, "%.200s: %.400s",
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
	memset(nbd->fd, 0xff, sizeof(nbd->fd));
	pthread_mutex_init(&nbd->lock, NULL);
	pthread_cond_init(&nbd->freed, NULL);
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
		if (nbd->fd[i] >= 0)
			close(nbd->fd[i]);
	process_end(&nbd->process);
	if (nbd->memory)
		munmap(nbd->memory, NBD_SLOTS * NBD_SLOT_SIZE);
	pthread_cond_destroy(&nbd->freed);
	pthread_mutex_destroy(&nbd->lock);
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
