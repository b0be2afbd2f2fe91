// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_net.c userspace/armvmm-run/net/net_stream.c
// sources: userspace/armvmm-run/virtio/vhost.c userspace/armvmm-run/virtio/virtio_mmio.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/identity.c userspace/armvmm-run/core/parse.c userspace/armvmm-run/net/net.c
// sources: userspace/armvmm-run/core/rate.c userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// sources: userspace/armvmm-run/virtio/vhost_kernel.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// --net stream, with a peer that keeps to the protocol, one that is slow, one that lies and one
// that goes away.
#include <arpa/inet.h>
#include <linux/virtio_net.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "armvmm-run/device_make.h"
#include "armvmm-run/scratch.h"
#include "armvmm-run/state_move.h"
#include "armvmm-run/virtio/virtio_driver.h"

#define V1	(1ULL << VIRTIO_F_VERSION_1)
#define MRG	(1ULL << VIRTIO_NET_F_MRG_RXBUF)
#define STATUS	(1ULL << VIRTIO_NET_F_STATUS)
#define QSIZE	64
#define RX	0
#define TX	1
#define HDR	12
#define FRAME_MAX (65535 + 18)	/* a packet of IP, an Ethernet header and a tag */

#define TXBUF	DATA_GPA
#define RXBUF(i) (DATA_GPA + 0x100000 + (i) * 0x1000)

static struct driver d;
static int listener = -1, peer = -1;
static uint8_t want[FRAME_MAX + 8], got[FRAME_MAX + 8];

static void listen_here(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	strcpy(sun.sun_path, path("net"));
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	KTAP_EQ(bind(listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	KTAP_EQ(listen(listener, 1), 0);
}

static struct device *setup(uint64_t features, const char *more)
{
	struct error err = { "" };
	char words[200];

	KTAP_TRUE(mkdtemp(strcpy(scratch_dir, "/tmp/armvmm-test.XXXXXX")));
	listen_here();
	test_machine_init();
	snprintf(words, sizeof(words), "stream,addr.type=unix,server=off,addr.path=%s%s",
		 path("net"), more);
	if (device_make(&test_machine, "virtio-net", words, &err)) {
		printf("# %s\n", err.text);
		exit(1);
	}
	peer = accept(listener, NULL, NULL);
	KTAP_TRUE(peer >= 0);
	KTAP_TRUE(driver_start(&d, test_machine.bus.dev[0], V1 | features, 2, QSIZE));
	return test_machine.bus.dev[0];
}

static void finish(void)
{
	if (peer >= 0)
		close(peer);
	close(listener);
	test_machine_exit();
	unlink(path("net"));
	rmdir(scratch_dir);
}

/* Contents that tell frames apart, and where in a frame one is. */
static void fill(uint8_t *f, size_t len, unsigned int n)
{
	for (size_t i = 0; i < len; i++)
		f[i] = i * 7 + (i >> 8) + n * 31;
}

static void give_buffers(unsigned int nr, uint32_t len)
{
	static unsigned int next;

	for (unsigned int i = 0; i < nr; i++)
		driver_add(&d.q[RX], &(struct driver_buf){ RXBUF(next++ % QSIZE), len, true }, 1);
	driver_kick(&d, RX);
}

/* Those that the device has not filled yet. */
static unsigned int free_buffers(void)
{
	return (uint16_t)(d.q[RX].avail->idx - d.q[RX].used->idx);
}

/* Puts together the next frame that the guest got. Returns its length, 0 if none came. */
static size_t receive(void)
{
	size_t total = 0;
	unsigned int n = 1;

	if (!TEST_UNTIL(driver_nr_used(&d.q[RX]) > 0))
		return 0;
	for (unsigned int i = 0; i < n; i++) {
		uint32_t skip = i ? 0 : HDR;
		struct vring_used_elem e;
		const uint8_t *at;

		if (!driver_nr_used(&d.q[RX]))
			return 0;
		e = driver_used(&d.q[RX]);
		at = ram(d.q[RX].desc[e.id].addr);
		if (!i) {
			n = ((const struct virtio_net_hdr_mrg_rxbuf *)at)->num_buffers;
			KTAP_EQ(at[0], 0); /* the peer's checksums are for the guest to check */
			KTAP_EQ(at[1], 0);
		}
		memcpy(got + total, at + skip, e.len - skip);
		total += e.len - skip;
	}
	return total;
}

/* The guest got frame @n of @len bytes next. */
static void received(size_t len, unsigned int n)
{
	fill(want, len, n);
	KTAP_EQ(receive(), len);
	KTAP_MEMEQ(got, want, len);
}

static void send_frame(size_t len, unsigned int n)
{
	/* In two pieces, the first of which has a part of the frame. */
	struct driver_buf buf[] = { { TXBUF, HDR + 5, false },
				    { TXBUF + HDR + 5, len - 5, false } };

	memset(ram(TXBUF), 0, HDR);
	fill(ram(TXBUF + HDR), len, n);
	driver_add(&d.q[TX], buf, 2);
	driver_kick(&d, TX);
}

static bool sent(void)
{
	if (!TEST_UNTIL(driver_nr_used(&d.q[TX]) > 0))
		return false;
	driver_used(&d.q[TX]);
	return true;
}

/* Reads all of @len bytes at the peer, while the main loop runs. */
static bool peer_reads(void *to, size_t len)
{
	size_t at = 0;

	for (unsigned int i = 0; at < len && i < 5000; i++) {
		ssize_t n = recv(peer, (uint8_t *)to + at, len - at, MSG_DONTWAIT);

		at += n > 0 ? n : 0;
		test_loop();
		if (n < 0)
			g_usleep(200);
	}
	return at == len;
}

static void peer_gets(size_t len, unsigned int n)
{
	uint32_t head = 0;

	KTAP_TRUE(peer_reads(&head, sizeof(head)));
	KTAP_EQ(ntohl(head), len);
	fill(want, len, n);
	KTAP_ASSERT(peer_reads(got, len));
	KTAP_MEMEQ(got, want, len);
}

static void peer_writes(const void *data, size_t len)
{
	KTAP_EQ(send(peer, data, len, MSG_NOSIGNAL | MSG_DONTWAIT), len);
}

static void peer_sends(size_t len, unsigned int n)
{
	uint32_t head = htonl(len);

	fill(want, len, n);
	peer_writes(&head, sizeof(head));
	peer_writes(want, len);
}

static void test_both_ways(void)
{
	struct device *dev = setup(MRG | STATUS, "");

	KTAP_EQ(dev->ops->read(dev, 0x106, 2), VIRTIO_NET_S_LINK_UP);
	/* No checksum is left to the peer, nor is its word taken for any. */
	KTAP_EQ(offered_features(dev) & (1 << VIRTIO_NET_F_CSUM | 1 << VIRTIO_NET_F_GUEST_CSUM), 0);
	give_buffers(QSIZE, 2048);
	send_frame(60, 1);
	KTAP_TRUE(sent());
	peer_gets(60, 1);
	peer_sends(60, 2);
	received(60, 2);
	KTAP_TRUE(test_level[d.spi]);
	/* The longest, and what is no frame: longer, and shorter than a header. */
	send_frame(FRAME_MAX, 3);
	peer_gets(FRAME_MAX, 3);
	KTAP_TRUE(sent());
	send_frame(FRAME_MAX + 1, 4);
	KTAP_TRUE(sent());
	send_frame(13, 5);
	KTAP_TRUE(sent());
	send_frame(14, 6);
	KTAP_TRUE(sent());
	peer_gets(14, 6);
	peer_sends(FRAME_MAX, 7);
	received(FRAME_MAX, 7);
	peer_sends(14, 8);
	received(14, 8);
	KTAP_EQ(test_warnings, 0);
	finish();
}

/* The stream is cut anywhere, and glued together anywhere. */
static void test_pieces(void)
{
	static uint8_t stream[400000];
	static const size_t len[] = { 60, 1514, 65549, 14, 40000, 0, 300, 60000, 13, 1000, 65553 };
	const unsigned int nr = sizeof(len) / sizeof(len[0]);
	static const size_t cut[] = { 1, 3, 60, 4096, 65557, 100000 };

	setup(MRG, "");
	give_buffers(QSIZE, 4096);
	for (unsigned int c = 0; c < sizeof(cut) / sizeof(cut[0]); c++) {
		size_t total = 0, at = 0;
		unsigned int n = 0;

		for (unsigned int i = 0; i < nr; i++) {
			uint32_t head = htonl(len[i]);

			memcpy(stream + total, &head, 4);
			fill(stream + total + 4, len[i], i);
			total += 4 + len[i];
		}
		while (n < nr) {
			/* Byte by byte only the first frames. */
			size_t part = cut[c] < 4 && at > 2000 ? 5000 : cut[c];
			ssize_t done;

			if (part > total - at)
				part = total - at;
			done = part ? send(peer, stream + at, part, MSG_DONTWAIT) : 0;
			at += done > 0 ? done : 0;
			test_loop();
			while (n < nr && (len[n] < 14 || driver_nr_used(&d.q[RX]))) {
				if (len[n] >= 14)
					received(len[n], n);
				n++;
				give_buffers(QSIZE - free_buffers(), 4096);
			}
			KTAP_ASSERT(part || n == nr);
		}
	}
	KTAP_EQ(test_warnings, 0);
	finish();
}

/* The peer reads nothing: the guest's queue stands still. Then it reads: no frame is lost. */
static void test_slow_peer(void)
{
	unsigned int nr = 0, done = 0;

	setup(MRG, "");
	for (; nr < 5000; nr++) {
		send_frame(9000, nr);
		test_loop();
		if (!driver_nr_used(&d.q[TX]))
			break;
		driver_used(&d.q[TX]);
	}
	KTAP_TRUE(nr > 4 && nr < 5000);
	/* The last, which waits, too. */
	while (done <= nr)
		peer_gets(9000, done++);
	KTAP_TRUE(sent());
	KTAP_EQ(test_warnings, 0);
	finish();
}

/* The driver goes while a frame is sent in part: its rest is sent, and then the next driver's. */
static void test_reset_within_frame(void)
{
	unsigned int nr = 0;

	setup(MRG, "");
	do {
		send_frame(60001, nr);
		test_loop();
	} while (driver_nr_used(&d.q[TX]) == ++nr && nr < 100);
	KTAP_TRUE(nr > 1 && nr < 100);
	KTAP_TRUE(driver_start(&d, d.dev, V1 | MRG, 2, QSIZE));
	send_frame(100, 77);
	/* Frame nr - 1 waited in the ring, and has gone with it. */
	for (unsigned int i = 0; i + 1 < nr; i++)
		peer_gets(60001, i);
	peer_gets(100, 77);
	KTAP_TRUE(sent());
	/* What comes while no driver runs is not for the next. */
	give_buffers(1, 2048);
	peer_sends(60, 1);
	received(60, 1);
	peer_sends(60, 2);
	KTAP_TRUE(TEST_UNTIL(!g_main_context_pending(NULL)));
	test_loop();
	d.dev->ops->reset(d.dev);
	peer_sends(60, 3);
	test_loop();
	KTAP_TRUE(driver_start(&d, d.dev, V1 | MRG, 2, QSIZE));
	give_buffers(4, 2048);
	peer_sends(60, 4);
	received(60, 4);
	KTAP_EQ(test_warnings, 0);
	finish();
}

/* No buffers: frames wait, in order, and none is lost. */
static void test_no_buffers(void)
{
	unsigned int nr = 0;

	setup(MRG, "");
	while (nr < 50) {
		peer_sends(500, nr++);
		test_loop();
	}
	KTAP_EQ(driver_nr_used(&d.q[RX]), 0);
	KTAP_TRUE(!test_loop());
	for (unsigned int i = 0; i < nr; i++) {
		give_buffers(1, 2048);
		received(500, i);
	}
	finish();
}

static void cable_is_pulled(struct device *dev, const char *why)
{
	unsigned int edges = test_edges[d.spi];
	char text[400];

	KTAP_TRUE(TEST_UNTIL(test_warnings));
	snprintf(text, sizeof(text), "--net stream,addr.type=unix,server=off,addr.path=%s: its peer %s: the guest's cable is pulled",
		 path("net"), why);
	KTAP_STREQ(test_last_warning, text);
	KTAP_EQ(dev->ops->read(dev, 0x106, 2), 0);
	KTAP_EQ(test_edges[d.spi], edges + 1);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_MMIO_INT_CONFIG,
		VIRTIO_MMIO_INT_CONFIG);
	/* The guest's frames are lost, also those of a new driver, and nothing is polled for. */
	for (unsigned int i = 0; i < 100; i++) {
		send_frame(60, i);
		KTAP_TRUE(sent());
	}
	KTAP_TRUE(driver_start(&d, dev, V1 | STATUS, 2, QSIZE));
	send_frame(60, 1);
	KTAP_TRUE(sent());
	KTAP_EQ(dev->ops->read(dev, 0x106, 2), 0);
	KTAP_EQ(test_warnings, 1);
	KTAP_TRUE(!test_loop());
}

static void test_lies(void)
{
	static const uint32_t lies[] = { FRAME_MAX + 1, 0x10000000, 0x80000000, 0xffffffff };

	for (unsigned int i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct device *dev = setup(MRG | STATUS, "");
		uint32_t head = htonl(lies[i]);

		give_buffers(8, 2048);
		peer_sends(60, 1);
		received(60, 1);
		reg_write(dev, VIRTIO_MMIO_INTERRUPT_ACK, 3);
		peer_writes(&head, 4);
		cable_is_pulled(dev, "has sent what is no frame");
		finish();
	}
}

static void test_peer_goes(void)
{
	struct device *dev = setup(MRG | STATUS, "");

	give_buffers(8, 2048);
	/* What it has sent before still arrives, but no part of a frame. */
	peer_sends(60, 1);
	peer_writes("\0\0\0\x20", 4);
	received(60, 1);
	reg_write(dev, VIRTIO_MMIO_INTERRUPT_ACK, 3);
	close(peer);
	peer = -1;
	cable_is_pulled(dev, "has closed the connection");
	finish();

	/* While a frame waits for buffers, nothing is read. */
	dev = setup(MRG | STATUS, "");
	peer_sends(60, 1);
	test_loop();
	close(peer);
	peer = -1;
	cable_is_pulled(dev, "has closed the connection");
	finish();
}

/* While a frame of the guest's waits: it is over, too. */
static void test_slow_peer_goes(void)
{
	unsigned int nr = 0;

	setup(MRG | STATUS, "");
	do {
		send_frame(60001, nr);
		test_loop();
	} while (driver_nr_used(&d.q[TX]) == ++nr && nr < 100);
	close(peer);
	peer = -1;
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[TX]) == nr));
	KTAP_EQ(test_warnings, 1);
	finish();
}

/* A paused card takes nothing and sends nothing; both wait. */
static void test_paused(void)
{
	struct device *dev = setup(MRG, "");
	uint8_t byte;

	give_buffers(8, 2048);
	dev->ops->pause(dev);
	peer_sends(60, 1);
	send_frame(60, 2);
	for (unsigned int i = 0; i < 20; i++) {
		test_loop();
		g_usleep(1000);
	}
	KTAP_EQ(driver_nr_used(&d.q[RX]), 0);
	KTAP_TRUE(recv(peer, &byte, 1, MSG_DONTWAIT) < 0);
	dev->ops->resume(dev);
	received(60, 1);
	peer_gets(60, 2);
	finish();
}

static void test_rates(void)
{
	gint64 start;

	setup(MRG, ",pps=50");
	give_buffers(QSIZE, 2048);
	start = g_get_monotonic_time();
	for (unsigned int i = 0; i < 20; i++) {
		send_frame(60, 99);
		peer_sends(60, i);
	}
	for (unsigned int i = 0; i < 20; i++) {
		peer_gets(60, 99);
		received(60, i);
	}
	/* The bucket has five at first. */
	KTAP_TRUE(g_get_monotonic_time() - start >= 250000);
	finish();
}

static void refused(const char *words, int ret, const char *why)
{
	struct error err = { "" };
	char text[400];

	test_machine_init();
	KTAP_EQ(device_make(&test_machine, "virtio-net", words, &err), ret);
	snprintf(text, sizeof(text), "--net %s: %s", words, why);
	KTAP_STREQ(err.text, text);
	test_machine_exit();
}

static void test_errors(void)
{
	static char words[300], why[300], far[120];

	KTAP_TRUE(mkdtemp(strcpy(scratch_dir, "/tmp/armvmm-test.XXXXXX")));
	refused("stream", -EINVAL, "needs addr.path=PATH");
	refused("stream,addr.path=", -EINVAL, "a socket's path has 1 to 107 characters");
	memset(far, 'a', 108);
	snprintf(words, sizeof(words), "stream,addr.path=%s", far);
	refused(words, -EINVAL, "a socket's path has 1 to 107 characters");
	refused("stream,addr.type=inet,addr.path=a", -EINVAL, "addr.type must be unix");
	refused("stream,server=on,addr.path=a", -EINVAL,
		"server must be off: the other program listens");
	refused("stream,unix:a", -EINVAL,
		"unknown word \"unix:a\" (--device help lists those of stream)");
	refused("stream=a", -EINVAL,
		"unknown word \"stream=a\" (--device help lists those of stream)");
	snprintf(words, sizeof(words), "stream,addr.path=%s", path("net"));
	snprintf(why, sizeof(why),
		 "nobody listens there: start the other program first (passt --socket %s)",
		 path("net"));
	refused(words, -ENOENT, why);
	listen_here();
	close(listener);
	refused(words, -ECONNREFUSED, why);
	/* A queue that is full: it does not wait for ever. */
	unlink(path("net"));
	listen_here();
	for (unsigned int i = 0; i < 8; i++) {
		struct sockaddr_un sun = { .sun_family = AF_UNIX };
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		strcpy(sun.sun_path, path("net"));
		(void)connect(fd, (struct sockaddr *)&sun, sizeof(sun));
	}
	refused(words, -EAGAIN, "cannot be connected to: Resource temporarily unavailable");
	close(listener);
	unlink(path("net"));
	rmdir(scratch_dir);
}

__attribute__((constructor)) static void no_signals(void)
{
	signal(SIGPIPE, SIG_IGN);
}

/* As the driver reads it. */
static bool is_up(struct device *dev)
{
	return dev->ops->read(dev, VIRTIO_MMIO_CONFIG + offsetof(struct virtio_net_config, status),
			      2) & VIRTIO_NET_S_LINK_UP;
}

static void comes_back(struct device *dev, struct record *saved)
{
	KTAP_EQ(state_restore(dev, saved, saved->len, NULL), 0);
	reg_write(dev, VIRTIO_MMIO_INTERRUPT_ACK, ~0u);
	dev->ops->resume(dev);
	record_free(saved);
}

static bool is_told(struct device *dev)
{
	return reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_MMIO_INT_CONFIG;
}

static void pull(void)
{
	close(peer);
	peer = -1;
	KTAP_TRUE(TEST_UNTIL(test_warnings == 1));
}

/* Saves a card with its cable in, or out, with a driver or none. */
static void save_card(struct record *saved, bool out, bool driven)
{
	struct device *dev = setup(STATUS, "");

	if (!driven)
		reg_write(dev, VIRTIO_MMIO_STATUS, 0);
	if (out)
		pull();
	KTAP_EQ(is_up(dev), !out);
	state_save(dev, saved);
	finish();
}

/* The cable of a card that is restored is the one here. */
static void test_cable(void)
{
	for (unsigned int i = 0; i < 8; i++) {
		bool was_out = i & 1, is_out = i & 2, driven = i & 4;
		struct record saved;
		struct device *dev;

		save_card(&saved, was_out, driven);
		dev = setup(STATUS, "");
		/* It ends while armvmm-run waits for the guest. */
		if (is_out)
			pull();
		comes_back(dev, &saved);
		KTAP_EQ(is_up(dev), !is_out);
		KTAP_EQ(is_told(dev), driven && was_out != is_out);
		/* That was all: a stop changes nothing. */
		reg_write(dev, VIRTIO_MMIO_INTERRUPT_ACK, ~0u);
		dev->ops->pause(dev);
		dev->ops->resume(dev);
		KTAP_EQ(is_up(dev), !is_out);
		KTAP_TRUE(!is_told(dev));
		/* And the driver's next start finds it so. */
		KTAP_TRUE(driver_start(&d, dev, V1 | STATUS, 2, QSIZE));
		KTAP_EQ(is_up(dev), !is_out);
		finish();
	}
}

KTAP_MAIN(KTAP_CASE(test_both_ways), KTAP_CASE(test_pieces), KTAP_CASE(test_slow_peer),
	  KTAP_CASE(test_reset_within_frame), KTAP_CASE(test_no_buffers), KTAP_CASE(test_lies),
	  KTAP_CASE(test_peer_goes), KTAP_CASE(test_slow_peer_goes), KTAP_CASE(test_paused),
	  KTAP_CASE(test_rates), KTAP_CASE(test_errors), KTAP_CASE(test_cable))
