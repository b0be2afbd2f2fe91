// SPDX-License-Identifier: GPL-2.0-only
/*
 * The process in which libslirp runs. The guest's frames come by a socket, and go to sockets of the
 * host. No other process parses them, or the Internet's answers.
 *
 * Libslirp hands over a frame whether or not there is room for it. Frames without room are queued
 * here, and while any is queued, libslirp does not read from its sockets. If the queue grows long,
 * no more of the guest's frames are read.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/message.h"
#include "net/slirp_process.h"
#include "net/slirp_stack.h"

/* At so many queued bytes, no more of the guest's frames are read. */
#define SLIRP_BACKLOG_FULL	(256u << 10)

/* More than all connections can send at once. Frames beyond are dropped: TCP sends them again. */
#define SLIRP_BACKLOG_MAX	(16u << 20)

/* The guest's frames between two looks at the host's sockets. */
#define SLIRP_BUDGET		64

struct slirp_frame {
	struct slirp_frame *next;
	size_t len;
	uint8_t data[];
};

struct slirp_process {
	int fd;
	bool verbose;
	struct slirp_stack *stack;
	struct slirp_frame *backlog;
	struct slirp_frame **backlog_end;
	size_t backlog_size;	/* bytes */
};

/* ---- To the guest ---- */

static void slirp_enqueue(struct slirp_process *p, const void *data, size_t len)
{
	struct slirp_frame *frame;

	if (p->backlog_size + len > SLIRP_BACKLOG_MAX)
		return;
	frame = malloc(sizeof(*frame) + len);
	if (!frame)
		return;
	frame->next = NULL;
	frame->len = len;
	memcpy(frame->data, data, len);
	*p->backlog_end = frame;
	p->backlog_end = &frame->next;
	p->backlog_size += len;
}

static void slirp_dequeue(struct slirp_process *p)
{
	struct slirp_frame *frame = p->backlog;

	p->backlog = frame->next;
	if (!p->backlog)
		p->backlog_end = &p->backlog;
	p->backlog_size -= frame->len;
	free(frame);
}

/* False: there is no room. If the guest's process is gone, the next read notices it. */
static bool slirp_deliver(struct slirp_process *p, const void *data, size_t len)
{
	return write(p->fd, data, len) >= 0 || (errno != EAGAIN && errno != EINTR);
}

static void slirp_output(void *opaque, const void *data, size_t len)
{
	struct slirp_process *p = opaque;

	if (p->backlog || !slirp_deliver(p, data, len))
		slirp_enqueue(p, data, len);
}

static void slirp_flush(struct slirp_process *p)
{
	while (p->backlog && slirp_deliver(p, p->backlog->data, p->backlog->len))
		slirp_dequeue(p);
}

/* The driver is gone: drops the frames that were for it. */
static void slirp_stop(struct slirp_process *p)
{
	const uint8_t stop[SLIRP_STOP] = { 0 };

	while (p->backlog)
		slirp_dequeue(p);
	slirp_output(p, stop, sizeof(stop));
}

static void slirp_note(void *opaque, const char *text)
{
	struct slirp_process *p = opaque;

	if (p->verbose)
		message("%s", text);
}

static const struct slirp_stack_ops slirp_ops = {
	.output = slirp_output,
	.note = slirp_note,
};

/* ---- From the guest ---- */

/* Returns false once the guest's process has ended. */
static bool slirp_take(struct slirp_process *p)
{
	uint8_t frame[SLIRP_FRAME_MAX + 1];

	for (unsigned int i = 0; i < SLIRP_BUDGET && p->backlog_size < SLIRP_BACKLOG_FULL; i++) {
		ssize_t n = read(p->fd, frame, sizeof(frame));

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0)
			return false;
		if (n == SLIRP_STOP)
			slirp_stop(p);
		else
			slirp_stack_input(p->stack, frame, n);
	}
	return true;
}

static void slirp_serve(struct slirp_process *p)
{
	for (;;) {
		unsigned int nr;
		int timeout;
		struct pollfd *fds = slirp_stack_prepare(p->stack, p->backlog, &nr, &timeout);

		fds[0] = (struct pollfd){ .fd = p->fd };
		if (p->backlog)
			fds[0].events |= POLLOUT;
		if (p->backlog_size < SLIRP_BACKLOG_FULL)
			fds[0].events |= POLLIN;
		if (poll(fds, nr, timeout) < 0) {
			if (errno != EINTR)
				return;
			continue;
		}
		slirp_flush(p);
		slirp_stack_dispatch(p->stack);
		/* @fds must not be used any more: libslirp may have reallocated the array. */
		if (!slirp_take(p))
			return;
	}
}

/* ---- Start ---- */

static void slirp_reply(int fd, int ret, const struct error *err)
{
	struct slirp_reply reply = { .ret = ret, .why = *err };

	if (write(fd, &reply, sizeof(reply)) < 0)
		_exit(1);
}

static int slirp_confine(const struct slirp_setup *setup, process_confine *confine,
			 struct error *err)
{
	unsigned int connections = setup->config.connections;
	uint64_t data;

	if (!setup->rights.confined || !confine)
		return 0;
	if (!connections)
		connections = SLIRP_CONNECTIONS;
	data = (uint64_t)connections * SLIRP_CONNECTION_DATA + SLIRP_DATA;
	return confine(&setup->rights, data, connections, err);
}

static int slirp_process_main(int fd, process_confine *confine)
{
	struct slirp_process p = { .fd = fd };
	struct error err = { "" };
	struct slirp_setup setup;
	int ret;

	if (read(fd, &setup, sizeof(setup)) != sizeof(setup))
		return 1;
	p.backlog_end = &p.backlog;
	p.verbose = setup.verbose;
	p.stack = slirp_stack_new(&setup.config, &slirp_ops, &p, &ret, &err);
	if (!ret)
		ret = slirp_confine(&setup, confine, &err);
	slirp_reply(fd, ret, &err);
	if (!ret && !fcntl(fd, F_SETFL, O_NONBLOCK))
		slirp_serve(&p);
	if (p.stack)
		slirp_stack_free(p.stack);
	return 0;
}

static const struct process_role slirp_role = {
	.name = SLIRP_ROLE,
	.main = slirp_process_main,
};
PROCESS_ROLE(slirp_role);
