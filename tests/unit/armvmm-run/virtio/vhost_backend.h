/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The far end of vhost-user, in a thread: a disk, or what has queues, written from the
 * specification and not from our code. At one request it may do what it must not.
 */
#ifndef TESTS_UNIT_VHOST_BACKEND_H
#define TESTS_UNIT_VHOST_BACKEND_H

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <linux/virtio_blk.h>

#include "armvmm-run/virtio/virtio_driver.h"

#define V1	(1ULL << VIRTIO_F_VERSION_1)
#define PROTOCOL (1ULL << 30)
#define P_MQ	(1u << 0)
#define P_ACK	(1u << 3)
#define P_CONFIG (1u << 9)

#define BACKEND_QUEUES	4
#define BACKEND_SECTORS	64u

enum backend_request {
	GET_FEATURES = 1, SET_FEATURES, SET_OWNER, SET_MEM_TABLE = 5, SET_VRING_NUM = 8,
	SET_VRING_ADDR, SET_VRING_BASE, GET_VRING_BASE, SET_VRING_KICK, SET_VRING_CALL,
	SET_VRING_ERR, GET_PROTOCOL_FEATURES, SET_PROTOCOL_FEATURES, GET_QUEUE_NUM,
	SET_VRING_ENABLE, GET_CONFIG = 24, NR_REQUESTS,
};

/* What it does instead of an answer. */
enum backend_vice {
	HONEST,
	CLOSES,
	FALLS_SILENT,
	SAYS_HALF,	/* of the header, and no more */
	SAYS_TOO_MUCH,	/* the header says 4 GiB */
	SAYS_TOO_LITTLE, /* 4 bytes */
	SAYS_NOTHING,	/* no byte behind the header: a refusal of what was asked for */
	ANSWERS_ANOTHER, /* request */
	ASKS,		/* the header has no mark of an answer */
	REFUSES,	/* an acknowledgement that is none, or values beyond all bounds */
	GIVES_FILES,	/* with the answer */
	REPEATS,	/* the answer */
	NR_VICES,
};

struct backend_queue {
	unsigned int size, base;
	uint64_t desc, avail, used;	/* addresses of the VMM's */
	int kick, call, err;
	bool enabled, running;
	unsigned int held;		/* chains that it has taken and not given back */
};

static struct backend {
	/* Set before backend_start(). */
	uint64_t features, protocol;
	unsigned int nr_queues, config_queues, seg_max;
	enum backend_request at;
	enum backend_vice vice;
	bool is_fs;
	bool blocks;	/* it makes the files that it is given wait */

	char path[64];
	int listener, fd, stop;
	pthread_t thread;
	bool running;

	pthread_mutex_t lock;		/* for all that follows, which tests look at */
	bool holds;			/* takes requests, and does not finish them */
	unsigned int nr_connections, nr_wrong, nr_done, nr_starts;
	uint64_t acked;
	uint8_t *ram;
	uint64_t ram_gpa, ram_size, ram_user;
	struct backend_queue q[BACKEND_QUEUES];
	uint8_t disk[BACKEND_SECTORS * 512];
} be;

static void backend_wrong(const char *what)
{
	printf("# the back end was told wrong: %s\n", what);
	be.nr_wrong++;
}

/* ---- The ring ---- */

static void *backend_by_user(uint64_t user, uint64_t len)
{
	if (user < be.ram_user || user + len > be.ram_user + be.ram_size)
		return NULL;
	return be.ram + (user - be.ram_user);
}

static void *backend_by_gpa(uint64_t gpa, uint64_t len)
{
	if (gpa < be.ram_gpa || gpa + len > be.ram_gpa + be.ram_size)
		return NULL;
	return be.ram + (gpa - be.ram_gpa);
}

/* A request of a disk: a header, one buffer, a status. Returns the bytes written. */
static uint32_t backend_request(struct vring_desc *desc, uint16_t head)
{
	struct vring_desc *h = &desc[head], *data = &desc[h->next], *last = &desc[data->next];
	struct virtio_blk_outhdr *hdr = backend_by_gpa(h->addr, sizeof(*hdr));
	uint8_t *buf = backend_by_gpa(data->addr, data->len);
	uint8_t *status = backend_by_gpa(last->addr, 1), *disk;

	if (be.is_fs || !hdr || !buf || !status || hdr->sector * 512 + data->len > sizeof(be.disk))
		return 0;
	disk = be.disk + hdr->sector * 512;
	if (hdr->type == VIRTIO_BLK_T_IN)
		memcpy(buf, disk, data->len);
	else
		memcpy(disk, buf, data->len);
	*status = VIRTIO_BLK_S_OK;
	return hdr->type == VIRTIO_BLK_T_IN ? data->len + 1 : 1;
}

static void backend_finish(struct backend_queue *q, unsigned int at)
{
	struct vring_desc *desc = backend_by_user(q->desc, 16 * q->size);
	struct vring_avail *avail = backend_by_user(q->avail, 6 + 2 * q->size);
	struct vring_used *used = backend_by_user(q->used, 6 + 8 * q->size);
	uint16_t head = avail->ring[at & (q->size - 1)];

	used->ring[used->idx & (q->size - 1)] =
		(struct vring_used_elem){ head, backend_request(desc, head) };
	__atomic_store_n(&used->idx, used->idx + 1, __ATOMIC_SEQ_CST);
	be.nr_done++;
}

static void backend_works(struct backend_queue *q)
{
	struct vring_avail *avail = backend_by_user(q->avail, 6 + 2 * q->size);
	unsigned int n = 0;

	if (!q->running || !avail || !be.ram)
		return;
	while ((uint16_t)q->base != __atomic_load_n(&avail->idx, __ATOMIC_SEQ_CST)) {
		if (be.holds)
			q->held++;
		else
			backend_finish(q, q->base);
		q->base++;
		n++;
	}
	if (n && !be.holds && q->call >= 0)
		eventfd_write(q->call, 1);
}

/* Finishes what it has held back, also on a queue that was taken away. */
static MAYBE void backend_lets_go(void)
{
	pthread_mutex_lock(&be.lock);
	be.holds = false;
	for (unsigned int i = 0; i < BACKEND_QUEUES; i++) {
		struct backend_queue *q = &be.q[i];

		for (; q->held; q->held--)
			backend_finish(q, q->base - q->held);
		if (q->call >= 0)
			eventfd_write(q->call, 1);
	}
	pthread_mutex_unlock(&be.lock);
}

/* ---- Messages ---- */

struct backend_message {
	uint32_t request, flags, size;
	uint8_t payload[512] __attribute__((aligned(8)));
	int files[8];
	unsigned int nr_files;
};

static bool backend_receive(struct backend_message *m)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(8 * sizeof(int))];
	} control;
	struct iovec iov = { m, 12 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;

	m->nr_files = 0;
	if (recvmsg(be.fd, &msg, MSG_WAITALL) != 12)
		return false;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_type == SCM_RIGHTS) {
		m->nr_files = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(m->files, CMSG_DATA(c), m->nr_files * sizeof(int));
	}
	if (m->size > sizeof(m->payload)) {
		backend_wrong("a long message");
		return false;
	}
	return !m->size || recv(be.fd, m->payload, m->size, MSG_WAITALL) == m->size;
}

static bool backend_send(const void *data, size_t len, bool files)
{
	int null = open("/dev/null", O_RDONLY);
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(4 * sizeof(int)), .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	memcpy(CMSG_DATA(&control.header), (int[]){ null, null, null, null }, 4 * sizeof(int));
	if (files) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	n = sendmsg(be.fd, &msg, MSG_NOSIGNAL);
	close(null);
	return n == (ssize_t)len;
}

/* Returns false to close the connection. */
static bool backend_answer(const struct backend_message *to, const void *data, uint32_t size)
{
	struct {
		uint32_t request, flags, size;
		uint8_t payload[512];
	} m = { .request = to->request, .flags = 1 | 4, .size = size };
	enum backend_vice vice = to->request == be.at ? be.vice : HONEST;
	size_t len = 12 + size;

	memcpy(m.payload, data, size);
	switch (vice) {
	case CLOSES:
		return false;
	case FALLS_SILENT:
		return true;
	case SAYS_HALF:
		len = 6;
		break;
	case SAYS_TOO_MUCH:
		m.size = UINT32_MAX;
		len = 512;
		break;
	case SAYS_TOO_LITTLE:
		m.size = 4;
		len = 16;
		break;
	case SAYS_NOTHING:
		m.size = 0;
		len = 12;
		break;
	case ANSWERS_ANOTHER:
		m.request++;
		break;
	case ASKS:
		m.flags = 1;
		break;
	case REFUSES:
		memset(m.payload, 0xff, size);
		break;
	default:
		break;
	}
	return backend_send(&m, len, vice == GIVES_FILES) &&
	       (vice != REPEATS || backend_send(&m, len, false));
}

static void backend_take_memory(struct backend_message *m)
{
	const uint64_t *region = (const uint64_t *)(m->payload + 8);

	if (*(uint32_t *)m->payload != 1 || m->size != 8 + 32 || m->nr_files != 1 || region[3])
		backend_wrong("the table of memory");
	be.ram_gpa = region[0];
	be.ram_size = region[1];
	be.ram_user = region[2];
	be.ram = mmap(NULL, be.ram_size, PROT_READ | PROT_WRITE, MAP_SHARED, m->files[0], 0);
	if (be.ram == MAP_FAILED) {
		backend_wrong("the memory's file");
		be.ram = NULL;
	}
}

static void backend_take_file(struct backend_message *m)
{
	uint64_t i = *(uint64_t *)m->payload;
	struct backend_queue *q;

	if (i >= be.nr_queues || m->nr_files != 1) {
		backend_wrong("a queue's file");
		return;
	}
	q = &be.q[i];
	if (be.blocks)
		fcntl(m->files[0], F_SETFL, 0);
	if (m->request == SET_VRING_KICK) {
		q->kick = m->files[0];
		q->running = true;
		be.nr_starts++;
		if (!q->avail || q->call < 0 || q->err < 0)
			backend_wrong("a queue that starts before all is there");
	} else if (m->request == SET_VRING_CALL) {
		q->call = m->files[0];
	} else {
		if (q->err >= 0)
			close(q->err);
		q->err = m->files[0];
	}
	m->nr_files = 0;
}

static void backend_stop_queue(struct backend_queue *q)
{
	if (q->kick >= 0)
		close(q->kick);
	if (q->call >= 0)
		close(q->call);
	q->kick = q->call = -1;
	q->running = false;
}

static void backend_set_state(const struct backend_message *m)
{
	const uint32_t *state = (const uint32_t *)m->payload;

	if (m->size != 8 || state[0] >= be.nr_queues || be.q[state[0]].running) {
		if (m->request != SET_VRING_ENABLE)
			backend_wrong("a queue's state");
	}
	if (m->request == SET_VRING_NUM)
		be.q[state[0]].size = state[1];
	else if (m->request == SET_VRING_BASE)
		be.q[state[0]].base = state[1];
	else
		be.q[state[0]].enabled = state[1];
}

static void backend_set_addr(const struct backend_message *m)
{
	const uint64_t *addr = (const uint64_t *)m->payload;
	struct backend_queue *q = &be.q[*(uint32_t *)m->payload % BACKEND_QUEUES];

	q->desc = addr[1];
	q->used = addr[2];
	q->avail = addr[3];
	if (m->size != 40 || !backend_by_user(q->desc, 16 * q->size) ||
	    !backend_by_user(q->avail, 6) || !backend_by_user(q->used, 6))
		backend_wrong("addresses of rings");
}

static void backend_config(uint8_t *space)
{
	struct virtio_blk_config c = {
		.capacity = BACKEND_SECTORS, .seg_max = be.seg_max, .blk_size = 512,
		.num_queues = be.config_queues,
	};

	memcpy(space, &c, 60);
}

/* Returns false to close the connection. */
static bool backend_handle(struct backend_message *m)
{
	bool acks = be.protocol & P_ACK && m->flags & 8;
	uint64_t value = 0;
	uint8_t config[12 + 60] = { 0 };
	uint32_t state[2];

	switch (m->request) {
	case GET_FEATURES:
		return backend_answer(m, &be.features, 8);
	case GET_PROTOCOL_FEATURES:
		return backend_answer(m, &be.protocol, 8);
	case GET_QUEUE_NUM:
		value = be.nr_queues;
		return backend_answer(m, &value, 8);
	case GET_CONFIG:
		if (m->size != sizeof(config))
			backend_wrong("the size of the configuration");
		memcpy(config, m->payload, 12);
		backend_config(config + 12);
		return backend_answer(m, config, sizeof(config));
	case GET_VRING_BASE:
		state[0] = *(uint32_t *)m->payload;
		state[1] = (uint16_t)be.q[state[0] % BACKEND_QUEUES].base;
		backend_stop_queue(&be.q[state[0] % BACKEND_QUEUES]);
		return backend_answer(m, state, sizeof(state));
	case SET_FEATURES:
		be.acked = *(uint64_t *)m->payload;
		break;
	case SET_PROTOCOL_FEATURES:
		if (*(uint64_t *)m->payload & ~be.protocol)
			backend_wrong("protocol features");
		break;
	case SET_MEM_TABLE:
		backend_take_memory(m);
		break;
	case SET_VRING_KICK:
	case SET_VRING_CALL:
	case SET_VRING_ERR:
		backend_take_file(m);
		break;
	case SET_VRING_NUM:
	case SET_VRING_BASE:
	case SET_VRING_ENABLE:
		backend_set_state(m);
		break;
	case SET_VRING_ADDR:
		backend_set_addr(m);
		break;
	case SET_OWNER:
		break;
	default:
		backend_wrong("an unknown request");
	}
	if (acks)
		return backend_answer(m, &value, 8);
	return m->request != be.at || be.vice != CLOSES;
}

static bool backend_hears(void)
{
	struct backend_message m;
	bool goes_on;

	if (!backend_receive(&m))
		return false;
	pthread_mutex_lock(&be.lock);
	goes_on = backend_handle(&m);
	pthread_mutex_unlock(&be.lock);
	for (unsigned int i = 0; i < m.nr_files; i++)
		close(m.files[i]);
	return goes_on;
}

/* ---- Life ---- */

static void backend_forget(void)
{
	pthread_mutex_lock(&be.lock);
	for (unsigned int i = 0; i < BACKEND_QUEUES; i++) {
		backend_stop_queue(&be.q[i]);
		if (be.q[i].err >= 0)
			close(be.q[i].err);
		be.q[i] = (struct backend_queue){ .kick = -1, .call = -1, .err = -1 };
	}
	if (be.ram)
		munmap(be.ram, be.ram_size);
	be.ram = NULL;
	pthread_mutex_unlock(&be.lock);
}

static void *backend_main(void *opaque)
{
	struct pollfd poll_fd[2 + BACKEND_QUEUES];

	for (;;) {
		poll_fd[0] = (struct pollfd){ .fd = be.stop, .events = POLLIN };
		poll_fd[1] = (struct pollfd){ .fd = be.fd >= 0 ? be.fd : be.listener,
					      .events = POLLIN };
		for (unsigned int i = 0; i < BACKEND_QUEUES; i++)
			poll_fd[2 + i] = (struct pollfd){ .fd = be.q[i].kick, .events = POLLIN };
		poll(poll_fd, 2 + BACKEND_QUEUES, -1);
		if (poll_fd[0].revents)
			break;
		if (poll_fd[1].revents && be.fd < 0) {
			be.fd = accept(be.listener, NULL, NULL);
			be.nr_connections++;
		} else if (poll_fd[1].revents && !backend_hears()) {
			close(be.fd);
			be.fd = -1;
			backend_forget();
		}
		pthread_mutex_lock(&be.lock);
		for (unsigned int i = 0; i < BACKEND_QUEUES; i++) {
			struct backend_queue *q = &be.q[i];
			eventfd_t count;

			if (q->kick >= 0 && poll_fd[2 + i].revents &&
			    poll_fd[2 + i].fd == q->kick && !eventfd_read(q->kick, &count))
				backend_works(q);
		}
		pthread_mutex_unlock(&be.lock);
	}
	if (be.fd >= 0)
		close(be.fd);
	be.fd = -1;
	backend_forget();
	return NULL;
}

/* One that does all well, and is not running yet. */
static void backend_init(void)
{
	be = (struct backend){
		.features = V1 | PROTOCOL | 1u << VIRTIO_BLK_F_SEG_MAX | 1u << VIRTIO_BLK_F_MQ |
			    1u << VIRTIO_BLK_F_FLUSH | 1ull << VIRTIO_RING_F_INDIRECT_DESC,
		.protocol = P_MQ | P_ACK | P_CONFIG | 1u << 5 | 1u << 15,
		.nr_queues = 1, .config_queues = 1, .seg_max = 254, .fd = -1,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	for (unsigned int i = 0; i < BACKEND_QUEUES; i++)
		be.q[i] = (struct backend_queue){ .kick = -1, .call = -1, .err = -1 };
	for (unsigned int i = 0; i < sizeof(be.disk); i++)
		be.disk[i] = i / 512 + i;
}

static void backend_start(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(be.path, sizeof(be.path), "/tmp/vhost-user-%d", getpid());
	unlink(be.path);
	strcpy(sun.sun_path, be.path);
	be.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	be.stop = eventfd(0, EFD_CLOEXEC);
	if (bind(be.listener, (struct sockaddr *)&sun, sizeof(sun)) || listen(be.listener, 4) ||
	    pthread_create(&be.thread, NULL, backend_main, NULL)) {
		perror("back end");
		exit(1);
	}
	be.running = true;
}

/* It dies. */
static void backend_stop(void)
{
	if (!be.running)
		return;
	eventfd_write(be.stop, 1);
	pthread_join(be.thread, NULL);
	close(be.stop);
	close(be.listener);
	unlink(be.path);
	be.running = false;
}

#endif /* TESTS_UNIT_VHOST_BACKEND_H */
