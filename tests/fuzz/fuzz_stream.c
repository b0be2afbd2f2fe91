// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_mmio.c userspace/armvmm-run/virtio/virtqueue.c
// sources: userspace/armvmm-run/virtio/vhost.c userspace/armvmm-run/virtio/vhost_kernel.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c
// sources: userspace/armvmm-run/virtio/virtio_net.c userspace/armvmm-run/net/net.c
// sources: userspace/armvmm-run/net/net_stream.c
// sources: userspace/armvmm-run/core/identity.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/core/rate.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wno-unused
// pkgs: glib-2.0
// libs: -lfdt -lpthread
// max_len: 2048
/*
 * --net stream, with a peer that writes whole frames, parts of them or anything, reads when it
 * likes, and leaves. What it reads is a stream of frames until the cable is pulled, whatever the
 * guest's driver does: the length of each is one that a frame has.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include "virtio_fuzz.h"

#include "net/net.h"

static int peer = -1;
static uint32_t head;		/* of the frame that the peer reads */
static size_t head_at, rest;	/* bytes of it that have come, and of the frame that have not */

/* In place of a socket that is found by its name. */
int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	int pair[2];

	FUZZ_MUST(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair));
	FUZZ_MUST(dup3(pair[0], fd, O_CLOEXEC) == fd);
	close(pair[0]);
	peer = pair[1];
	head_at = rest = 0;
	return 0;
}

static void peer_leaves(void)
{
	if (peer >= 0)
		close(peer);
	peer = -1;
}

static void peer_writes(const void *data, size_t len)
{
	if (peer >= 0)
		(void)!send(peer, data, len, MSG_NOSIGNAL);
}

static void peer_reads(size_t max)
{
	static uint8_t bytes[1 << 16];
	ssize_t n = peer < 0 ? 0 : read(peer, bytes, max < sizeof(bytes) ? max : sizeof(bytes));

	for (ssize_t i = 0; i < n;) {
		size_t part = rest < (size_t)(n - i) ? rest : (size_t)(n - i);

		rest -= part;
		i += part;
		if (rest || i == n)
			continue;
		((uint8_t *)&head)[head_at++] = bytes[i++];
		if (head_at < sizeof(head))
			continue;
		head_at = 0;
		rest = ntohl(head);
		FUZZ_MUST(rest >= 14 && rest <= NET_FRAME_MAX);
	}
}

static void step(struct fuzz *f)
{
	static uint8_t bytes[1 << 16];
	uint8_t what = fuzz_u8(f);
	uint16_t len = fuzz_u16(f);
	uint32_t length = htonl(what & 0x10 ? fuzz_u32(f) : len);

	switch (what & 15) {
	case 0:
	case 1:
	case 2:
		peer_writes(&length, sizeof(length));
		peer_writes(bytes, what & 0x20 ? len / 2 : len);
		break;
	case 3:
		peer_writes(bytes, len);
		break;
	case 4:
		peer_writes(&length, len & 3);
		break;
	case 5:
	case 6:
		peer_reads(len);
		break;
	case 7:
		if (what == 0xf7)
			peer_leaves();
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct device_type *type = device_type_find("virtio-net");
	struct fuzz f = { data, len };
	struct error err = { "" };
	void *config = NULL;

	signal(SIGPIPE, SIG_IGN);
	FUZZ_MUST(!type->parse("--net", fuzz_u8(&f) & 1 ? "stream,addr.path=x,pps=100000" :
			       "stream,addr.path=x", &config, &err));
	virtio_fuzz(&f, "virtio-net", config, 2, step);
	peer_leaves();
	type->release(config);
	return 0;
}
