// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_mmio.c userspace/armvmm-run/virtio/virtqueue.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c
// sources: userspace/armvmm-run/virtio/virtio_blk.c userspace/armvmm-run/virtio/blk_request.c
// sources: userspace/armvmm-run/virtio/vhost_user_blk.c userspace/armvmm-run/virtio/vhost_user.c
// sources: userspace/armvmm-run/virtio/vhost_wire.c userspace/armvmm-run/virtio/vhost.c
// sources: userspace/armvmm-run/virtio/virtio_fs.c userspace/armvmm-run/virtio/disk_file.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// sources: userspace/armvmm-run/virtio/disk.c userspace/armvmm-run/virtio/disk_format.c
// sources: userspace/armvmm-run/core/filelock.c
// sources: userspace/armvmm-run/core/identity.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/core/rate.c userspace/armvmm-run/core/thread.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wno-unused
// pkgs: glib-2.0
// libs: -lfdt -lpthread
// max_len: 1024
/*
 * A disk or a folder by vhost-user, whose far end answers anything and writes anything into the
 * rings, with a driver that does anything. Its answers are often of the right form, so that what is
 * behind the first check is reached. Time passes as it is asked for.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "virtio_fuzz.h"

#define QUEUES	4

static struct fuzz *far;	/* the input, of which answers are made */
static int near_fd = -1, far_fd;
static uint8_t answer[512];
static size_t answer_len;
static gint64 now;

gint64 g_get_monotonic_time(void)
{
	return now += 50000;
}

void g_usleep(gulong us)
{
	now += us;
}

/* Nothing more comes. */
int poll(struct pollfd *fds, nfds_t nr, int ms)
{
	if (nr != 1 || fds->fd != near_fd)
		return syscall(SYS_poll, fds, nr, ms);
	now += ms * 1000;
	return 0;
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	int pair[2];

	FUZZ_MUST(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
	FUZZ_MUST(dup2(pair[0], fd) == fd);
	close(pair[0]);
	near_fd = fd;
	far_fd = pair[1];
	return 0;
}

/* The answer to a message: its head, then what it is about. */
ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	uint32_t head[3], size = 8;
	uint8_t how = fuzz_u8(far);
	size_t len = 0;

	FUZZ_MUST(fd == near_fd);
	for (size_t i = 0; i < msg->msg_iovlen; i++)
		len += msg->msg_iov[i].iov_len;
	if (how == 255) {
		errno = EPIPE;
		return -1;
	}
	/* A short write. */
	if (how == 254 && len > 1)
		len /= 2;
	if (msg->msg_iov[0].iov_len != sizeof(head))
		return len;
	memcpy(head, msg->msg_iov[0].iov_base, sizeof(head));
	/* GET_CONFIG has as much in both directions. */
	if (head[0] == 24)
		size = head[2];
	head[1] = 5;
	head[2] = size;
	if (how == 253)
		fuzz_bytes(far, head, sizeof(head));
	memcpy(answer, head, sizeof(head));
	fuzz_bytes(far, answer + sizeof(head), size);
	/* What it is asked for is often as it should be. */
	if (head[0] == 24 && how < 200)
		memcpy(answer + sizeof(head), msg->msg_iov[1].iov_base, 12);
	else if (head[0] == 1)
		answer[sizeof(head) + 4] |= 1;
	answer_len = sizeof(head) + size - (how == 252);
	/* Nobody waits for an answer to what is not acknowledged. */
	if (how == 251 || (head[0] != 1 && head[0] != 11 && head[0] != 15 && head[0] != 17 &&
			   head[0] != 24 && !(how & 1)))
		answer_len = 0;
	return len;
}

ssize_t read(int fd, void *data, size_t len)
{
	if (fd != near_fd)
		return syscall(SYS_read, fd, data, len);
	if (!answer_len) {
		ssize_t n = syscall(SYS_read, fd, data, len);

		return n < 0 && fuzz_u8(far) >= 250 ? 0 : n;
	}
	if (len > answer_len)
		len = answer_len;
	memcpy(data, answer, len);
	answer_len -= len;
	memmove(answer, answer + len, answer_len);
	return len;
}

static void far_side(struct fuzz *f, struct driver *d)
{
	struct driver_queue *q = &d->q[fuzz_u8(f) % QUEUES];
	uint16_t n = fuzz_u16(f);

	__atomic_store_n(&q->used->idx, n % (2 * VIRTIO_FUZZ_SIZE), __ATOMIC_SEQ_CST);
	/* It stirs without being asked. */
	if (n & 0x8000)
		send(far_fd, "x", 1, MSG_NOSIGNAL);
}

static void act(struct fuzz *f)
{
	struct device *dev = test_machine.bus.dev[0];
	struct driver d;

	virtio_fuzz_start(&d, dev, offered_features(dev), QUEUES);
	for (unsigned int i = 0; f->len && i < 100; i++) {
		switch (fuzz_u8(f) & 3) {
		case 0:
			far_side(f, &d);
			break;
		case 1:
			if (fuzz_u8(f) & 1)
				dev->ops->pause(dev);
			else
				dev->ops->resume(dev);
			dev->ops->is_idle(dev);
			break;
		default:
			virtio_fuzz_act(f, &d, QUEUES);
		}
	}
	for (unsigned int i = 0; i < 100 && g_main_context_iteration(NULL, FALSE); i++)
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };
	bool folder = fuzz_u8(&f) & 1;
	const struct device_type *type = device_type_find(folder ? "virtio-fs" : "virtio-blk");
	struct error err = { "" };
	void *config = NULL;

	/* There may be no bytes at all then, not even where they would be. */
	if (!len)
		return 0;
	far = &f;
	near_fd = far_fd = -1;
	answer_len = 0;
	FUZZ_MUST(!type->parse("label", folder ? "tag=a,queues=3,vhost-user:x" : "vhost-user:x",
			       &config, &err));
	test_machine_init();
	if (!type->create(&test_machine, config, &err) &&
	    !device_bus_begin(&test_machine.bus, &err))
		act(&f);
	else
		FUZZ_MUST(*err.text);
	test_machine_exit();
	if (far_fd >= 0)
		close(far_fd);
	/* The fuzzer reads files as well. */
	near_fd = -1;
	type->release(config);
	return 0;
}
