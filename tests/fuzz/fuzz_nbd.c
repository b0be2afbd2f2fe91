// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/disk.c userspace/armvmm-run/virtio/disk_file.c userspace/armvmm-run/virtio/disk_format.c
// sources: userspace/armvmm-run/virtio/disk_nbd.c userspace/armvmm-run/virtio/nbd_address.c
// sources: userspace/armvmm-run/virtio/nbd_process.c userspace/armvmm-run/virtio/nbd_library.c
// sources: userspace/armvmm-run/core/process.c userspace/armvmm-run/core/userns.c
// sources: userspace/armvmm-run/core/message.c userspace/armvmm-run/core/iov.c
// sources: userspace/armvmm-run/core/filelock.c
// sources: userspace/armvmm-run/core/identity.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/rate.c userspace/armvmm-run/core/parse.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wno-unused
// pkgs: glib-2.0
// libs: -lpthread -ldl -Wl,--wrap=process_start -Wl,--wrap=process_receive -Wl,--wrap=poll
/*
 * The names of NBD disks, and a disk whose process was taken over by its server: it answers
 * anything at any time, or nothing, writes into the slots, says anything, and ends. Time passes as
 * it is waited for.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/machine.h"
#include "fuzz.h"
#include "virtio/disk.h"
#include "virtio/nbd_address.h"
#include "virtio/nbd_process.h"

#define NAME_MAX_LEN	300
#define MOST		(NBD_SLOT_SIZE + 8192)	/* of a request: more than a slot */

enum answer { ANSWER_WELL, ANSWER_ERROR, ANSWER_ANY, ANSWER_SHORT, ANSWER_UNASKED, ANSWER_TEXT,
	      ANSWER_END, ANSWER_NOTHING };

static struct fuzz *input;
static gint64 now;
static bool lost, abandoned;
static struct disk *the_disk;

/* The process' ends. */
static int process_fd, text_fd, slot_fd[NBD_SLOTS];
static bool pending[NBD_SLOTS];
static uint8_t *memory;

gint64 g_get_monotonic_time(void)
{
	return now;
}

void machine_warn(struct machine *m, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (const char *at = text; *at; at++)
		FUZZ_MUST(*at >= ' ' && *at <= '~');
	/* The process may say so, too. */
	lost |= strstr(fmt, "the guest gets errors from now on") != NULL;
}

static bool is_abandoned(const struct disk *disk)
{
	return abandoned;
}

/* ---- The process ---- */

int __wrap_process_start(struct process *p, const char *name, const char *label, bool *apart,
			 bool user_too, struct error *err);
int __wrap_process_start(struct process *p, const char *name, const char *label, bool *apart,
			 bool user_too, struct error *err)
{
	int fd[2], text[2];

	FUZZ_MUST(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fd));
	FUZZ_MUST(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, text));
	*p = (struct process){ .fd = fd[0], .text = text[0] };
	process_fd = fd[1];
	text_fd = text[1];
	return 0;
}

static void take_setup(void)
{
	struct nbd_setup setup;
	union nbd_control control;
	struct iovec iov = { &setup, sizeof(setup) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	int fd[1 + NBD_SLOTS];

	FUZZ_MUST(recvmsg(process_fd, &msg, 0) == sizeof(setup));
	FUZZ_MUST(CMSG_FIRSTHDR(&msg)->cmsg_len == CMSG_LEN(sizeof(fd)));
	memcpy(fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	memory = mmap(NULL, NBD_SLOTS * NBD_SLOT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd[0],
		      0);
	FUZZ_MUST(memory != MAP_FAILED);
	/* To make it shorter would end who reads it. */
	FUZZ_MUST(ftruncate(fd[0], 0));
	close(fd[0]);
	memcpy(slot_fd, fd + 1, sizeof(slot_fd));
}

/* The first reply; often one that is believed. */
static void reply(void)
{
	struct nbd_reply r = { .ret = 0 };
	uint8_t how = fuzz_u8(input), flags[3];

	if (how < 200) {
		r.facts.size = (uint64_t)(fuzz_u16(input) + 1) << 12;
		r.facts.block = 1u << (fuzz_u8(input) & 15);
		fuzz_bytes(input, flags, sizeof(flags));
		memcpy((uint8_t *)&r.facts + offsetof(struct nbd_facts, can_flush), flags,
		       sizeof(flags));
	} else {
		fuzz_bytes(input, &r.ret, sizeof(r.ret));
		fuzz_bytes(input, &r.facts, sizeof(r.facts));
		memset(&r.why, fuzz_u8(input), sizeof(r.why));
		fuzz_bytes(input, &r.why, fuzz_u8(input) % sizeof(r.why));
	}
	if (how != 255)
		send(process_fd, &r, how == 254 ? fuzz_u8(input) : sizeof(r), MSG_NOSIGNAL);
}

ssize_t __real_process_receive(struct process *p, void *data, size_t size, unsigned int seconds);
ssize_t __wrap_process_receive(struct process *p, void *data, size_t size, unsigned int seconds);
ssize_t __wrap_process_receive(struct process *p, void *data, size_t size, unsigned int seconds)
{
	take_setup();
	reply();
	return __real_process_receive(p, data, size, seconds);
}

static void say(void)
{
	uint8_t text[512];
	size_t n = fuzz_u16(input) % sizeof(text);

	fuzz_bytes(input, text, n);
	send(text_fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* What a server is asked for is within what it said that it has. */
static void take_requests(void)
{
	struct nbd_request r;

	for (unsigned int i = 0; i < NBD_SLOTS; i++) {
		if (recv(slot_fd[i], &r, sizeof(r), MSG_DONTWAIT) != sizeof(r))
			continue;
		FUZZ_MUST(!pending[i]);
		FUZZ_MUST(r.op <= NBD_ZERO);
		FUZZ_MUST(r.offset <= the_disk->size && r.len <= the_disk->size - r.offset);
		FUZZ_MUST(r.len <= NBD_SLOT_SIZE || r.op == NBD_TRIM || r.op == NBD_ZERO);
		pending[i] = true;
	}
}

static void answer(unsigned int slot, enum answer how)
{
	static const int errors[] = { -EIO, -EOPNOTSUPP, -ENOSPC, -ECANCELED, 1 };
	struct nbd_answer a = { .ret = 0 };

	if (how == ANSWER_ERROR)
		a.ret = errors[fuzz_u8(input) % 5];
	else if (how != ANSWER_WELL)
		a.ret = fuzz_u32(input);
	fuzz_bytes(input, memory + slot * NBD_SLOT_SIZE, fuzz_u8(input) & 15);
	send(slot_fd[slot], &a, how == ANSWER_SHORT ? 2 : sizeof(a), MSG_NOSIGNAL | MSG_DONTWAIT);
	pending[slot] = false;
}

static void process_ends(void)
{
	for (unsigned int i = 0; i < NBD_SLOTS; i++)
		shutdown(slot_fd[i], SHUT_RDWR);
	shutdown(process_fd, SHUT_RDWR);
	shutdown(text_fd, SHUT_RDWR);
}

static void process_acts(void)
{
	enum answer how = fuzz_u8(input) & 7;

	take_requests();
	switch (how) {
	case ANSWER_NOTHING:
		abandoned = fuzz_u8(input) & 1;
		break;
	case ANSWER_UNASKED:
		answer(fuzz_u8(input) % NBD_SLOTS, how);
		break;
	case ANSWER_TEXT:
		say();
		break;
	case ANSWER_END:
		process_ends();
		break;
	default:
		for (unsigned int i = 0; i < NBD_SLOTS; i++)
			if (pending[i])
				answer(i, how);
	}
}

int __real_poll(struct pollfd *fds, nfds_t nr, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t nr, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t nr, int ms)
{
	int ret;

	FUZZ_MUST(nr == 1 && ms > 0);
	if (the_disk->size)
		process_acts();
	ret = __real_poll(fds, nr, 0);
	now += ret ? 1000 : ms * 1000ll;
	return ret;
}

/* ---- The guest's side ---- */

static int transfer(struct disk *disk, bool write, uint64_t offset, size_t len)
{
	/* Not a byte more is there. */
	uint8_t *data = calloc(1, len);
	size_t first = len / 3;
	struct iovec iov[] = { { data, first }, { data + first, len - first } };
	int ret = write ? disk_write(disk, iov, 2, offset) : disk_read(disk, iov, 2, offset);

	free(data);
	return ret;
}

static int request(struct disk *disk, struct fuzz *f, uint8_t what)
{
	uint64_t blocks = disk->size / disk->block;
	uint64_t at = fuzz_u16(f) % blocks * disk->block, len = MOST;

	/* Most are short. */
	if (what & 8)
		len = fuzz_u8(f) * 64;
	len -= len % disk->block;
	if (!len)
		len = disk->block;
	if (len > disk->size - at)
		len = disk->size - at;
	switch (what & 7) {
	case 0:
	case 1:
		return transfer(disk, false, at, len);
	case 2:
	case 3:
		return disk->readonly ? 0 : transfer(disk, true, at, len);
	case 4:
		return disk->can_discard ? disk_discard(disk, at, len) : 0;
	case 5:
		return disk->readonly ? 0 : disk_zero(disk, at, len, what & 16);
	default:
		return disk_flush(disk);
	}
}

static void use(struct disk *disk, struct fuzz *f)
{
	disk->abandoned = is_abandoned;
	for (unsigned int i = 0; f->len && i < 50; i++) {
		uint8_t what = fuzz_u8(f);
		bool was_lost = lost;
		int ret;

		abandoned = (what >> 5) == 7;
		ret = request(disk, f, what);
		FUZZ_MUST(ret <= 0);
		/* Requests that are not made here have succeeded, too. */
		if (was_lost && (what & 7) <= 1)
			FUZZ_MUST(ret);
		g_main_context_iteration(NULL, FALSE);
	}
}

static void close_ends(void)
{
	for (unsigned int i = 0; i < NBD_SLOTS; i++)
		close(slot_fd[i]);
	close(process_fd);
	close(text_fd);
	munmap(memory, NBD_SLOTS * NBD_SLOT_SIZE);
}

/* A name is refused with a sentence, or says what to connect to. */
static void parse(struct fuzz *f)
{
	static const char *const prefix[] = { "nbd:", "nbd://", "nbd+unix:", "nbd:unix:" };
	struct error err = { "" };
	char name[NAME_MAX_LEN + 16];
	struct nbd_address a;
	size_t at = sprintf(name, "%s", prefix[fuzz_u8(f) & 3]);
	size_t len = f->len < NAME_MAX_LEN ? f->len : NAME_MAX_LEN;

	fuzz_bytes(f, name + at, len);
	name[at + len] = '\0';
	memset(&a, 0, sizeof(a));
	if (nbd_address_parse(&a, name, &err)) {
		FUZZ_MUST(*err.text);
		return;
	}
	FUZZ_MUST(memchr(a.path, '\0', sizeof(a.path)) && memchr(a.host, '\0', sizeof(a.host)));
	FUZZ_MUST(memchr(a.name, '\0', sizeof(a.name)) && memchr(a.port, '\0', sizeof(a.port)));
	FUZZ_MUST(a.is_unix ? *a.path : *a.host && atoi(a.port) > 0 && atoi(a.port) < 65536);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char path[] = "nbd:unix:x";
	struct fuzz f = { data, len };
	uint8_t how = fuzz_u8(&f);
	struct disk_config config = { .path = path, .readonly = how & 2 };
	static struct machine machine;
	struct error err = { "" };
	struct disk disk;

	if (how & 1) {
		parse(&f);
		return 0;
	}
	input = &f;
	the_disk = &disk;
	now = 1;
	lost = abandoned = false;
	memset(pending, 0, sizeof(pending));
	if (!disk_open(&disk, &machine, &config, &err)) {
		use(&disk, &f);
		disk_close(&disk);
	} else {
		FUZZ_MUST(*err.text);
	}
	close_ends();
	return 0;
}
