// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "core/machine.h"
#include "virtio/vhost_user.h"
#include "virtio/vhost_wire.h"

/* Requests of the specification, by its numbers. */
enum {
	USER_GET_FEATURES = 1,
	USER_SET_FEATURES = 2,
	USER_SET_OWNER = 3,
	USER_SET_MEM_TABLE = 5,
	USER_SET_VRING_NUM = 8,
	USER_SET_VRING_ADDR = 9,
	USER_SET_VRING_BASE = 10,
	USER_GET_VRING_BASE = 11,
	USER_SET_VRING_KICK = 12,
	USER_SET_VRING_CALL = 13,
	USER_SET_VRING_ERR = 14,
	USER_GET_PROTOCOL_FEATURES = 15,
	USER_SET_PROTOCOL_FEATURES = 16,
	USER_GET_QUEUE_NUM = 17,
	USER_SET_VRING_ENABLE = 18,
	USER_GET_CONFIG = 24,
};

/* Among the features: it has protocol features, which are these. */
#define USER_F_PROTOCOL		VIRTIO_BIT(30)
#define USER_P_MQ		VIRTIO_BIT(0)
#define USER_P_REPLY_ACK	VIRTIO_BIT(3)
#define USER_P_CONFIG		VIRTIO_BIT(9)
#define USER_P_OURS		(USER_P_MQ | USER_P_REPLY_ACK | USER_P_CONFIG)

/* The ring's, which the transport would offer by itself. */
#define USER_RING_FEATURES \
	(VIRTIO_BIT(VIRTIO_RING_F_INDIRECT_DESC) | VIRTIO_BIT(VIRTIO_RING_F_EVENT_IDX))

struct user_state {
	uint32_t index, num;
};

struct user_addr {
	uint32_t index, flags;
	uint64_t desc, used, avail, log;
};

struct user_region {
	uint64_t gpa, size, user, offset;
};

struct user_memory {
	uint32_t nr, padding;
	struct user_region region[GUESTMEM_MAX_REGIONS];
};
_Static_assert(GUESTMEM_MAX_REGIONS <= VHOST_WIRE_FILES, "each has a file");

struct user_config {
	uint32_t offset, size, flags;
	uint8_t space[VHOST_USER_CONFIG_MAX];
};
#define USER_CONFIG_HEAD	offsetof(struct user_config, space)

static struct vhost_user *to_user(struct vhost *v)
{
	return container_of(v, struct vhost_user, v);
}

/* ---- Its end ---- */

static void user_unwatch(struct vhost_user *u)
{
	if (u->watch)
		g_source_destroy(u->watch);
}

/*
 * Gives it up: it @does something that it must not. Tells people, once the guest may have the
 * device, whose lock is held then.
 */
static void user_lose(struct vhost_user *u, const char *does)
{
	if (u->fd < 0)
		return;
	user_unwatch(u);
	close(u->fd);
	u->fd = -1;
	snprintf(u->why, sizeof(u->why), "%s", does);
	if (u->watch)
		machine_warn(u->machine,
			     "%s: the back end %s: the guest has lost this device until armvmm-run is started again",
			     u->label, u->why);
}

static void user_lose_for(struct vhost_user *u, uint32_t request, int ret)
{
	char does[sizeof(u->why)];

	if (ret == -EPIPE || ret == -ECONNRESET)
		snprintf(does, sizeof(does), "has closed the connection");
	else if (ret == -ETIMEDOUT)
		snprintf(does, sizeof(does), "does not answer within %d s (request %u)",
			 VHOST_USER_SECONDS, request);
	else
		snprintf(does, sizeof(does), "breaks the protocol (answer to request %u)", request);
	user_lose(u, does);
}

/* Something comes, or the end, that nobody has asked for. */
static gboolean user_stirs(gint fd, GIOCondition condition, gpointer opaque)
{
	struct vhost_user *u = opaque;
	uint8_t byte;
	ssize_t n;

	(void)condition;
	if (!vhost_lock(&u->v))
		return G_SOURCE_CONTINUE;
	/* It may have been the answer to somebody who has it by now. */
	n = u->fd == fd ? read(fd, &byte, sizeof(byte)) : -1;
	if (u->fd == fd && (n >= 0 || (errno != EAGAIN && errno != EINTR))) {
		user_lose(u, n > 0 ? "speaks without being asked" : "has closed the connection");
		virtio_fail(u->v.vdev, "its back end is gone");
	}
	pthread_mutex_unlock(&u->v.vdev->lock);
	return G_SOURCE_CONTINUE;
}

/* ---- Requests ---- */

static void user_start_clock(struct vhost_user *u)
{
	u->deadline = g_get_monotonic_time() + VHOST_USER_SECONDS * G_USEC_PER_SEC;
}

/*
 * Receives the answer. One that is empty refuses what was asked. Returns 0, -EREMOTEIO for a
 * refusal, or -EPROTO or another -errno, after which the back end is of no use any more.
 */
static int user_receive(struct vhost_user *u, uint32_t request, void *reply, uint32_t size)
{
	struct vhost_wire_head head;
	int ret = vhost_wire_receive(u->fd, &head, reply, size, u->deadline);

	if (ret)
		return ret;
	if (head.request != request || head.flags != (VHOST_WIRE_VERSION | VHOST_WIRE_REPLY))
		return -EPROTO;
	if (!head.size)
		return -EREMOTEIO;
	return head.size == size ? 0 : -EPROTO;
}

static int user_exchange(struct vhost_user *u, const struct vhost_wire_head *head,
			 const void *payload, const int *files, unsigned int nr_files, void *reply,
			 uint32_t reply_size)
{
	int ret = vhost_wire_send(u->fd, head, payload, files, nr_files, u->deadline);
	uint64_t refused = 0;

	if (!ret && reply)
		ret = user_receive(u, head->request, reply, reply_size);
	else if (!ret && head->flags & VHOST_WIRE_NEED_REPLY)
		ret = user_receive(u, head->request, &refused, sizeof(refused));
	return !ret && refused ? -EREMOTEIO : ret;
}

/* Once: a guest can try for ever. */
static void user_tell_refusal(struct vhost_user *u, uint32_t request)
{
	if (u->watch && !u->refused)
		machine_warn(u->machine, "%s: the back end refuses request %u, so the device does not work",
			     u->label, request);
	u->refused = true;
}

/* Asks for @reply, or, where that is NULL, for an acknowledgement if it gives any. */
static int user_call(struct vhost_user *u, uint32_t request, const void *payload, uint32_t size,
		     const int *files, unsigned int nr_files, void *reply, uint32_t reply_size)
{
	struct vhost_wire_head head = {
		.request = request, .flags = VHOST_WIRE_VERSION, .size = size,
	};
	int ret;

	if (u->fd < 0)
		return -ENOTCONN;
	if (!reply && u->protocol & USER_P_REPLY_ACK)
		head.flags |= VHOST_WIRE_NEED_REPLY;
	ret = user_exchange(u, &head, payload, files, nr_files, reply, reply_size);
	if (ret == -EREMOTEIO)
		user_tell_refusal(u, request);
	else if (ret)
		user_lose_for(u, request, ret);
	return ret;
}

static int user_get(struct vhost_user *u, uint32_t request, uint64_t *value)
{
	return user_call(u, request, NULL, 0, NULL, 0, value, sizeof(*value));
}

static int user_set(struct vhost_user *u, uint32_t request, const void *payload, uint32_t size)
{
	return user_call(u, request, payload, size, NULL, 0, NULL, 0);
}

static int user_set_state(struct vhost_user *u, uint32_t request, unsigned int i, uint32_t num)
{
	struct user_state state = { .index = i, .num = num };

	return user_set(u, request, &state, sizeof(state));
}

static int user_set_file(struct vhost_user *u, uint32_t request, uint64_t i, int fd)
{
	return user_call(u, request, &i, sizeof(i), &fd, 1, NULL, 0);
}

/* ---- Of struct vhost_ops ---- */

static int user_begin(struct vhost *v)
{
	const struct guestmem *mem = &v->vdev->machine->mem;
	struct user_memory memory = { .nr = mem->nr_regions };
	int files[GUESTMEM_MAX_REGIONS];

	for (unsigned int i = 0; i < mem->nr_regions; i++) {
		const struct guestmem_region *r = &mem->region[i];

		memory.region[i] = (struct user_region){
			.gpa = r->gpa, .size = r->size, .user = (uintptr_t)r->host,
		};
		files[i] = r->fd;
	}
	user_start_clock(to_user(v));
	return user_call(to_user(v), USER_SET_MEM_TABLE, &memory,
			 offsetof(struct user_memory, region[mem->nr_regions]), files,
			 mem->nr_regions, NULL, 0);
}

static int user_set_features(struct vhost *v, uint64_t features)
{
	/* If there are protocol features, each queue is off until it is enabled. */
	if (to_user(v)->protocol)
		features |= USER_F_PROTOCOL;
	return user_set(to_user(v), USER_SET_FEATURES, &features, sizeof(features));
}

static int user_set_addr(struct vhost_user *u, unsigned int i)
{
	const struct virtqueue *vq = &u->v.vdev->vq[i];
	struct user_addr addr = {
		.index = i,
		.desc = (uintptr_t)vq->desc,
		.avail = (uintptr_t)vq->avail,
		.used = (uintptr_t)vq->used,
	};

	return user_set(u, USER_SET_VRING_ADDR, &addr, sizeof(addr));
}

/* It starts with the file for notifications, so that comes when all else is there. */
static int user_give_queue(struct vhost *v, unsigned int i)
{
	const struct virtqueue *vq = &v->vdev->vq[i];
	struct vhost_user *u = to_user(v);
	int ret = user_set_state(u, USER_SET_VRING_NUM, i, vq->size);

	if (!ret)
		ret = user_set_state(u, USER_SET_VRING_BASE, i, vq->next_avail);
	if (!ret)
		ret = user_set_addr(u, i);
	if (!ret)
		ret = user_set_file(u, USER_SET_VRING_ERR, i, v->broken[i]);
	if (!ret)
		ret = user_set_file(u, USER_SET_VRING_CALL, i, v->call[i]);
	if (!ret)
		ret = user_set_file(u, USER_SET_VRING_KICK, i, v->vdev->kick[i]);
	if (!ret && u->protocol)
		ret = user_set_state(u, USER_SET_VRING_ENABLE, i, 1);
	return ret;
}

static int user_take_queue(struct vhost *v, unsigned int i, unsigned int *base)
{
	struct user_state state = { .index = i }, reply = { .index = 0 };
	struct vhost_user *u = to_user(v);
	int ret = user_call(u, USER_GET_VRING_BASE, &state, sizeof(state), NULL, 0, &reply,
			    sizeof(reply));

	/* One that keeps a queue may write where the guest has something else by then. */
	if (ret == -EREMOTEIO || (!ret && (reply.index != i || reply.num > UINT16_MAX))) {
		ret = -EPROTO;
		user_lose_for(u, USER_GET_VRING_BASE, ret);
	}
	*base = reply.num;
	return ret;
}

static const struct vhost_ops user_ops = {
	.who = "the back end",
	.begin = user_begin,
	.set_features = user_set_features,
	.give_queue = user_give_queue,
	.take_queue = user_take_queue,
};

/* ---- What it still has ---- */

/*
 * Chains that it has taken and not given back. The guest can write any number there: one that
 * cannot be is none.
 */
static unsigned int user_nr_taken(const struct virtqueue *vq)
{
	uint16_t used, taken;

	if (!vq->ready)
		return 0;
	used = le16toh(__atomic_load_n(&vq->used->idx, __ATOMIC_ACQUIRE));
	taken = vq->next_avail - used;
	return taken <= vq->size ? taken : 0;
}

static unsigned int user_nr_all_taken(const struct vhost_user *u)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < u->v.nr; i++)
		nr += user_nr_taken(&u->v.vdev->vq[i]);
	return nr;
}

bool vhost_user_works(struct vhost_user *u)
{
	return u->fd >= 0 && user_nr_all_taken(u);
}

/*
 * The driver may use the memory for other things as soon as it is told that the device has stopped:
 * so waits for what was begun.
 */
static void user_await_end(struct vhost_user *u)
{
	char does[sizeof(u->why)];

	while (vhost_user_works(u) && g_get_monotonic_time() < u->deadline)
		g_usleep(1000);
	if (!vhost_user_works(u))
		return;
	snprintf(does, sizeof(does), "has not finished %u requests within %d s",
		 user_nr_all_taken(u), VHOST_USER_SECONDS);
	user_lose(u, does);
}

int vhost_user_run(struct vhost_user *u, bool run)
{
	user_start_clock(u);
	if (run)
		return vhost_give_queues(&u->v);
	vhost_take_queues(&u->v);
	/* Who pauses a device asks vhost_user_works(). */
	if (!u->v.vdev->paused)
		user_await_end(u);
	return 0;
}

void vhost_user_reset(struct vhost_user *u)
{
	user_start_clock(u);
	/* A pause has taken its queues, and waited for nothing. */
	user_await_end(u);
}

static int user_refuse(struct vhost_user *u, int ret, struct error *err)
{
	if (u->fd < 0)
		return error_set(err, ret, "%s: the back end %s", u->label, u->why);
	return error_set(err, ret, "%s: the back end refuses to begin", u->label);
}

int vhost_user_begin(struct vhost_user *u, struct virtio_device *vdev, struct error *err)
{
	bool first = !u->v.begun;
	int ret;

	/* Nobody else knows the device yet, or it is at rest. */
	pthread_mutex_lock(&vdev->lock);
	ret = vhost_begin(&u->v, vdev, err);
	pthread_mutex_unlock(&vdev->lock);
	if (ret)
		return user_refuse(u, ret, err);
	if (!first)
		return 0;
	u->watch = g_unix_fd_source_new(u->fd, G_IO_IN);
	g_source_set_callback(u->watch, G_SOURCE_FUNC(user_stirs), u, NULL);
	g_source_attach(u->watch, u->machine->context);
	return 0;
}

/* ---- The connection ---- */

static int user_connect(struct vhost_user *u, const char *path, struct error *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	if (!*path || strlen(path) >= sizeof(sun.sun_path))
		return error_set(err, -EINVAL, "%s: a socket's name has 1 to %zu characters",
				 u->label, sizeof(sun.sun_path) - 1);
	strcpy(sun.sun_path, path);
	u->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (u->fd >= 0 && !connect(u->fd, (const struct sockaddr *)&sun, sizeof(sun)))
		return 0;
	if (u->fd >= 0 && (errno == ENOENT || errno == ECONNREFUSED))
		return error_set(err, -errno, "%s: %s: %s: is the back end started?", u->label,
				 path, strerror(errno));
	if (u->fd >= 0 && errno == EAGAIN)
		return error_set(err, -EAGAIN, "%s: %s: takes no more connections", u->label, path);
	return error_errno(err, -errno, "%s: %s", u->label, path);
}

static int user_negotiate_protocol(struct vhost_user *u)
{
	uint64_t theirs, ours, queues;
	int ret = user_get(u, USER_GET_PROTOCOL_FEATURES, &theirs);

	ours = theirs & USER_P_OURS;
	if (!ret)
		ret = user_set(u, USER_SET_PROTOCOL_FEATURES, &ours, sizeof(ours));
	if (ret)
		return ret;
	u->protocol = ours;
	if (ours & USER_P_MQ) {
		ret = user_get(u, USER_GET_QUEUE_NUM, &queues);
		u->max_queues = queues < VHOST_MAX_QUEUES ? queues : VHOST_MAX_QUEUES;
	}
	return ret;
}

static int user_negotiate(struct vhost_user *u)
{
	uint64_t features;
	int ret = user_get(u, USER_GET_FEATURES, &features);

	if (!ret && features & USER_F_PROTOCOL)
		ret = user_negotiate_protocol(u);
	if (!ret)
		ret = user_set(u, USER_SET_OWNER, NULL, 0);
	u->v.features = ret ? 0 : features & ~USER_F_PROTOCOL;
	return ret;
}

int vhost_user_open(struct vhost_user *u, struct machine *m, const char *path, const char *label,
		    struct error *err)
{
	int ret;

	*u = (struct vhost_user){ .machine = m, .label = label, .fd = -1 };
	vhost_init(&u->v, &user_ops, 0);
	ret = user_connect(u, path, err);
	if (ret)
		return ret;
	user_start_clock(u);
	ret = user_negotiate(u);
	if (ret)
		return user_refuse(u, ret, err);
	if (!(u->v.features & VIRTIO_BIT(VIRTIO_F_VERSION_1)))
		return error_set(err, -ENOTSUP, "%s: the back end knows no virtio 1.x", label);
	return 0;
}

void vhost_user_close(struct vhost_user *u)
{
	user_unwatch(u);
	if (u->watch)
		g_source_unref(u->watch);
	vhost_exit(&u->v);
	if (u->fd >= 0)
		close(u->fd);
	u->fd = -1;
}

int vhost_user_read_config(struct vhost_user *u, void *space, uint32_t size, struct error *err)
{
	struct user_config config = { .size = size };
	int ret;

	if (!(u->protocol & USER_P_CONFIG))
		return error_set(err, -ENOTSUP,
				 "%s: the back end does not tell the device's configuration (VHOST_USER_PROTOCOL_F_CONFIG)",
				 u->label);
	user_start_clock(u);
	ret = user_call(u, USER_GET_CONFIG, &config, USER_CONFIG_HEAD + size, NULL, 0, &config,
			USER_CONFIG_HEAD + size);
	if (!ret && (config.offset || config.size != size)) {
		ret = -EPROTO;
		user_lose_for(u, USER_GET_CONFIG, ret);
	}
	if (ret)
		return user_refuse(u, ret, err);
	memcpy(space, config.space, size);
	return 0;
}

int vhost_user_register(struct vhost_user *u, struct machine *m, struct virtio_device *vdev,
			const struct virtio_ops *ops, uint64_t features, const void *config,
			unsigned int config_size, struct error *err)
{
	int ret = virtio_device_register(m, vdev, ops, features & u->v.features, config,
					 config_size, err);

	if (ret)
		return ret;
	/* No driver has seen them yet. */
	vdev->offered &= ~USER_RING_FEATURES | u->v.features;
	u->v.nr = ops->nr_queues;
	m->vhost_user = true;
	m->unlogged = "vhost-user: the back end";
	return 0;
}
