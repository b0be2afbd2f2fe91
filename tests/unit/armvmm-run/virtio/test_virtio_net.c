// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_net.c userspace/armvmm-run/net/net_slirp.c
// sources: userspace/armvmm-run/virtio/vhost.c userspace/armvmm-run/virtio/vhost_kernel.c
// sources: userspace/armvmm-run/core/message.c userspace/armvmm-run/net/net_tap.c userspace/armvmm-run/virtio/virtio_mmio.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/identity.c userspace/armvmm-run/core/parse.c userspace/armvmm-run/net/net.c
// sources: userspace/armvmm-run/net/slirp_config.c userspace/armvmm-run/net/slirp_process.c
// sources: userspace/armvmm-run/net/slirp_stack.c userspace/armvmm-run/net/fragments.c userspace/armvmm-run/core/process.c
// sources: userspace/armvmm-run/core/userns.c
// sources: userspace/armvmm-run/core/rate.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0 slirp
// libs: -lfdt
//
// virtio-net with its two back ends: frames that libslirp and a tap interface
// of the host answer, and what becomes of those that the guest has no room for.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>

#include "armvmm-run/device_make.h"
#include "armvmm-run/inet_checksum.h"
#include "armvmm-run/process_self.h"
#include "armvmm-run/state_move.h"
#include "armvmm-run/virtio/virtio_driver.h"

#define V1    (1ULL << VIRTIO_F_VERSION_1)
#define MRG   (1ULL << VIRTIO_NET_F_MRG_RXBUF)
#define GCSUM (1ULL << VIRTIO_NET_F_GUEST_CSUM)
#define EVENT (1ULL << VIRTIO_RING_F_EVENT_IDX)
#define QSIZE 64
#define RX    0
#define TX    1
/* virtio 1.2 5.1.6.1: a legacy driver without MRG_RXBUF has no num_buffers. */
#define HDR (test_legacy && !(d.features & MRG) ? 10 : 12)

#define TXBUF DATA_GPA
#define RXBUF(i) (DATA_GPA + 0x100000 + (i) * 0x1000)

static struct driver d;
static const char *network; /* what --net is given */

static struct device *setup(uint64_t features)
{
	struct error err = { "" };

	test_machine_init();
	if (device_make(&test_machine, "virtio-net", network, &err)) {
		printf("# %s\n", err.text);
		return NULL;
	}
	if (!driver_start(&d, test_machine.bus.dev[0], V1 | features, 2, QSIZE))
		KTAP_FAIL("features refused");
	return test_machine.bus.dev[0];
}

static struct device *setup_user(uint64_t features)
{
	network = "user";
	return setup(features);
}

static unsigned int next_rx;

static void give_buffers(unsigned int nr, uint32_t len)
{
	for (unsigned int i = 0; i < nr; i++) {
		struct driver_buf buf = { RXBUF(next_rx++ % QSIZE), len, true };

		memset(ram(buf.gpa), 0xee, 0x1000);
		driver_add(&d.q[RX], &buf, 1);
	}
	driver_kick(&d, RX);
}

/* Frames */

static const uint8_t guest_mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

static size_t arp_request(uint8_t *f, uint8_t last)
{
	static const uint8_t head[] = { 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1 };

	memset(f, 0, 60);
	memset(f, 0xff, 6);
	memcpy(f + 6, guest_mac, 6);
	memcpy(f + 12, head, sizeof(head));
	memcpy(f + 22, guest_mac, 6);
	memcpy(f + 28, (uint8_t[]){ 10, 0, 2, 15 }, 4);
	memcpy(f + 38, (uint8_t[]){ 10, 0, 2, last }, 4);
	return 60;
}

static size_t echo_request(uint8_t *f, size_t payload, uint16_t id)
{
	size_t ip_len = 20 + 8 + payload;
	uint8_t *ip = f + 14, *icmp = ip + 20;
	uint16_t sum;

	/* libslirp's own address is made from its IP address. */
	memcpy(f, (uint8_t[]){ 0x52, 0x55, 10, 0, 2, 2 }, 6);
	memcpy(f + 6, guest_mac, 6);
	memcpy(f + 12, (uint8_t[]){ 0x08, 0x00 }, 2);
	memset(ip, 0, 28);
	ip[0] = 0x45;
	ip[2] = ip_len >> 8;
	ip[3] = ip_len;
	ip[8] = 64;
	ip[9] = 1;
	memcpy(ip + 12, (uint8_t[]){ 10, 0, 2, 15, 10, 0, 2, 2 }, 8);
	sum = inet_checksum(ip, 20);
	ip[10] = sum >> 8;
	ip[11] = sum;
	icmp[0] = 8;
	icmp[4] = id >> 8;
	icmp[5] = id;
	for (size_t i = 0; i < payload; i++)
		icmp[8 + i] = i * 3 + id;
	sum = inet_checksum(icmp, 8 + payload);
	icmp[2] = sum >> 8;
	icmp[3] = sum;
	return 14 + ip_len;
}

/* Sends the frame at TXBUF + HDR, in two pieces, as the split must not matter. */
static void send_frame(size_t len)
{
	struct driver_buf buf[] = { { TXBUF, HDR + 5, false },
				    { TXBUF + HDR + 5, len - 5, false } };

	memset(ram(TXBUF), 0, HDR);
	driver_add(&d.q[TX], buf, 2);
	driver_kick(&d, TX);
}

static void send_arp(uint8_t last)
{
	send_frame(arp_request(ram(TXBUF + HDR), last));
}

static bool sent(void)
{
	if (!TEST_UNTIL(driver_nr_used(&d.q[TX]) > 0))
		return false;
	driver_used(&d.q[TX]);
	return true;
}

/*
 * Puts together the next frame that came in, its header first. Returns the length of the frame, 0
 * if none came.
 */
static size_t receive(uint8_t *frame, struct virtio_net_hdr_mrg_rxbuf *hdr)
{
	static uint64_t gpa_of[QSIZE];
	size_t total = 0;
	unsigned int n = 1;

	for (unsigned int i = 0; i < QSIZE; i++)
		gpa_of[i] = d.q[RX].desc[i].addr;
	if (!TEST_UNTIL(driver_nr_used(&d.q[RX]) > 0))
		return 0;
	memset(hdr, 0, sizeof(*hdr));
	for (unsigned int i = 0; i < n; i++) {
		struct vring_used_elem e;
		uint32_t skip = i ? 0 : HDR;

		/* All buffers of a frame come back together. */
		if (!driver_nr_used(&d.q[RX]))
			return 0;
		e = driver_used(&d.q[RX]);
		if (!i) {
			memcpy(hdr, ram(gpa_of[e.id]), HDR);
			if (HDR < 12)
				hdr->num_buffers = 1;
			n = hdr->num_buffers;
		}
		memcpy(frame + total, (uint8_t *)ram(gpa_of[e.id]) + skip, e.len - skip);
		total += e.len - skip;
	}
	return total;
}

/* The next frame, except neighbour and router discovery of IPv6. */
static size_t receive_ipv4(uint8_t *frame, struct virtio_net_hdr_mrg_rxbuf *hdr)
{
	size_t len;

	do {
		len = receive(frame, hdr);
	} while (len > 14 && frame[12] == 0x86 && frame[13] == 0xdd);
	return len;
}

static uint8_t frame[70000];
static struct virtio_net_hdr_mrg_rxbuf hdr;

static void test_configuration(void)
{
	struct error err = { "" };
	struct device *dev = setup_user(0);
	uint64_t mac[3][2];

	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_DEVICE_ID), 1);
	KTAP_EQ(dev->ops->read(dev, 0x100, 4) & 0xffffff, 0x005452);
	KTAP_EQ(offered_features(dev) >> VIRTIO_NET_F_MTU & 1, 0);
	KTAP_EQ(dev->ops->read(dev, 0x106, 2), VIRTIO_NET_S_LINK_UP);
	/* libslirp cannot finish checksums or cut segments for the guest. */
	KTAP_EQ(offered_features(dev) & (1 << VIRTIO_NET_F_CSUM | 1 << VIRTIO_NET_F_HOST_TSO4), 0);
	KTAP_TRUE(offered_features(dev) & MRG);
	test_machine_exit();

	network = "user,mac=02:00:00:00:00:07";
	dev = setup(0);
	KTAP_EQ(dev->ops->read(dev, 0x100, 4), 0x02);
	KTAP_EQ(dev->ops->read(dev, 0x104, 2), 0x0700);
	test_machine_exit();

	/* Cards of one guest differ, and so do those of other guests; none changes by itself. */
	for (unsigned int i = 0; i < 3; i++) {
		test_machine_init();
		test_machine.identity = i < 2 ? "/disk.img" : "/other.img";
		for (unsigned int j = 0; j < 2; j++) {
			KTAP_EQ(device_make(&test_machine, "virtio-net", "user", &err), 0);
			dev = test_machine.bus.dev[j];
			mac[i][j] = (uint64_t)dev->ops->read(dev, 0x104, 2) << 32 |
				    dev->ops->read(dev, 0x100, 4);
			KTAP_EQ(mac[i][j] & 0xffffff, 0x005452);
		}
		test_machine_exit();
	}
	KTAP_TRUE(mac[0][0] == mac[1][0] && mac[0][1] == mac[1][1]);
	KTAP_TRUE(mac[0][0] != mac[0][1] && mac[0][0] != mac[2][0] && mac[0][1] != mac[2][1]);
}

static void test_user_arp(void)
{
	setup_user(0);
	give_buffers(16, 2048);
	send_arp(2);
	KTAP_TRUE(sent());
	KTAP_EQ(receive_ipv4(frame, &hdr), 64);
	KTAP_EQ(hdr.num_buffers, 1);
	KTAP_EQ(hdr.hdr.flags, 0);
	KTAP_EQ(hdr.hdr.gso_type, 0);
	KTAP_MEMEQ(frame, guest_mac, 6);
	KTAP_EQ(frame[21], 2); /* a reply */
	KTAP_MEMEQ(frame + 28, "\x0a\x00\x02\x02", 4);
	KTAP_TRUE(test_level[d.spi]);
	test_machine_exit();
}

static void test_user_echo(void)
{
	size_t len;

	setup_user(GCSUM | EVENT);
	give_buffers(16, 2048);
	send_arp(2); /* so that it knows us */
	KTAP_TRUE(sent() && receive_ipv4(frame, &hdr));
	/* This process made the checksums: the guest need not check them. */
	KTAP_EQ(hdr.hdr.flags, VIRTIO_NET_HDR_F_DATA_VALID);
	len = echo_request(ram(TXBUF + HDR), 1000, 77);
	send_frame(len);
	KTAP_TRUE(sent());
	KTAP_EQ(receive_ipv4(frame, &hdr), len);
	KTAP_EQ(frame[14 + 9], 1);
	KTAP_EQ(frame[34], 0); /* echo reply */
	KTAP_MEMEQ(frame + 42, (uint8_t *)ram(TXBUF + HDR + 42), 1000);
	test_machine_exit();
}

/* One of two pieces of an echo request whose payload is @first + @second bytes. */
static size_t echo_piece(uint8_t *f, size_t first, size_t second, uint16_t id, bool last)
{
	static uint8_t whole[4096];
	size_t from = last ? 8 + first : 0, len = last ? second : 8 + first;
	uint8_t *ip = f + 14;
	uint16_t sum;

	echo_request(whole, first + second, id);
	memcpy(f, whole, 34);
	memcpy(f + 34, whole + 34 + from, len);
	ip[2] = (20 + len) >> 8;
	ip[3] = 20 + len;
	ip[4] = id >> 8;
	ip[5] = id;
	ip[6] = (last ? 0 : 0x20) | from / 8 >> 8;
	ip[7] = from / 8;
	ip[10] = ip[11] = 0;
	sum = inet_checksum(ip, 20);
	ip[10] = sum >> 8;
	ip[11] = sum;
	return 34 + len;
}

static void send_piece(uint16_t id, bool last)
{
	send_frame(echo_piece(ram(TXBUF + HDR), 1000, 600, id, last));
	KTAP_TRUE(sent());
}

/* Is an ARP request answered next? Then nothing else was answered. */
static bool arp_is_next(void)
{
	send_arp(2);
	return sent() && receive_ipv4(frame, &hdr) == 64 && frame[12] == 8 && frame[13] == 6;
}

/* A packet in pieces is put together, even if many pieces of other packets wait. */
static void test_fragments(void)
{
	size_t len = 0;

	setup_user(MRG);
	give_buffers(QSIZE, 2048);
	KTAP_TRUE(arp_is_next());
	send_piece(1, false);
	send_piece(1, true);
	/* The answer comes in pieces, too. */
	while (len < 1608) {
		size_t n = receive_ipv4(frame, &hdr);

		KTAP_ASSERT(n > 34 && frame[14 + 9] == 1);
		len += (frame[16] << 8 | frame[17]) - 20;
	}
	KTAP_EQ(len, 1608);
	for (unsigned int i = 0; i < 1100; i++)
		send_piece(100 + i, false);
	/* Only a last piece, which crashes libslirp 4.7; one out of order; one twice. */
	send_piece(3, true);
	send_piece(100, true);
	KTAP_TRUE(arp_is_next());
	send_piece(2, false);
	send_piece(2, false);
	send_piece(2, true);
	KTAP_TRUE(receive_ipv4(frame, &hdr) > 34 && frame[14 + 9] == 1);
	KTAP_EQ(test_warnings, 0);
	test_machine_exit();
}

/* The process that runs libslirp: our last child. An earlier test's may still be ending. */
static pid_t slirp_pid(void)
{
	FILE *file = fopen("/proc/thread-self/children", "re");
	int pid = 0;

	while (file && fscanf(file, "%d", &pid) == 1)
		;
	if (file)
		fclose(file);
	KTAP_TRUE(pid > 0);
	return pid;
}

/*
 * The process stands still: the guest's queue does, too, and no frame is lost in either direction.
 */
static void test_full_socket(void)
{
	unsigned int nr_sent = 0, answered = 0;
	pid_t pid;

	setup_user(MRG);
	pid = slirp_pid();
	give_buffers(8, 2048);
	KTAP_TRUE(arp_is_next());
	KTAP_EQ(kill(pid, SIGSTOP), 0);
	do {
		send_arp(2 + nr_sent++ % 2);
		for (unsigned int i = 0; i < 20 && !driver_nr_used(&d.q[TX]); i++) {
			test_loop();
			g_usleep(1000);
		}
		if (!driver_nr_used(&d.q[TX]))
			break;
		driver_used(&d.q[TX]);
	} while (nr_sent < 5000);
	KTAP_TRUE(nr_sent > 50 && nr_sent < 5000);
	KTAP_EQ(kill(pid, SIGCONT), 0);
	KTAP_TRUE(sent());
	while (answered < nr_sent && receive_ipv4(frame, &hdr) == 64) {
		KTAP_EQ(frame[31], 2 + answered % 2);
		answered++;
		give_buffers(1, 2048);
	}
	KTAP_EQ(answered, nr_sent);
	test_machine_exit();
}

/* The process dies: the cable is pulled, and the guest learns that, once. */
static void test_process_dies(void)
{
	struct device *dev = setup_user(1ull << VIRTIO_NET_F_STATUS);
	unsigned int edges;

	give_buffers(8, 2048);
	KTAP_TRUE(arp_is_next());
	KTAP_EQ(dev->ops->read(dev, 0x106, 2), VIRTIO_NET_S_LINK_UP);
	reg_write(dev, VIRTIO_MMIO_INTERRUPT_ACK, 3);
	edges = test_edges[d.spi];
	KTAP_EQ(kill(slirp_pid(), SIGKILL), 0);
	KTAP_TRUE(TEST_UNTIL(test_warnings));
	KTAP_STREQ(test_last_warning,
		   "--net user: its process has ended of signal 9: the guest's cable is pulled");
	KTAP_EQ(dev->ops->read(dev, 0x106, 2), 0);
	KTAP_EQ(test_edges[d.spi], edges + 1);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_MMIO_INT_CONFIG,
		VIRTIO_MMIO_INT_CONFIG);
	/* Frames from the guest are lost, also those of a new driver. */
	for (unsigned int i = 0; i < 100; i++) {
		send_arp(2);
		KTAP_TRUE(sent());
	}
	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	send_arp(2);
	KTAP_TRUE(sent());
	KTAP_EQ(dev->ops->read(dev, 0x106, 2), 0);
	KTAP_EQ(test_warnings, 1);
	KTAP_TRUE(!test_loop());
	test_machine_exit();
}

/* Frames of 60 bytes both ways, as fast as @words allow. Returns the ms for @nr round trips. */
static unsigned int timed_frames(const char *words, unsigned int nr)
{
	gint64 start;

	network = words;
	setup(MRG);
	give_buffers(QSIZE, 2048);
	start = g_get_monotonic_time();
	for (unsigned int i = 0; i < nr; i++)
		send_arp(2);
	for (unsigned int i = 0; i < nr; i++)
		KTAP_TRUE(sent());
	for (unsigned int i = 0; i < nr; i++)
		KTAP_EQ(receive_ipv4(frame, &hdr), 64);
	start = (g_get_monotonic_time() - start) / 1000;
	test_machine_exit();
	return start;
}

/* All arrive in the end, but not faster than allowed: at first the bucket has 100 ms' worth. */
static void test_rates(void)
{
	KTAP_TRUE(timed_frames("user,pps=50,ipv6=off", 25) >= 300);
	/* 30 frames of 60 bytes, of which the bucket has two. */
	KTAP_TRUE(timed_frames("user,bps=3000,ipv6=off", 20) >= 250);
	/* A driver that goes away while frames wait. */
	network = "user,pps=1";
	setup(0);
	give_buffers(QSIZE, 2048);
	for (unsigned int i = 0; i < 5; i++)
		send_arp(2);
	test_loop();
	KTAP_TRUE(driver_nr_used(&d.q[TX]) < 5);
	KTAP_TRUE(driver_start(&d, d.dev, V1, 2, QSIZE));
	test_loop();
	KTAP_EQ(driver_nr_used(&d.q[TX]), 0);
	test_machine_exit();
}

/* A process that cannot be started: here, because there are no more files. */
static void test_no_process(void)
{
	struct rlimit before, none = { 0, 0 };
	struct error err = { "" };

	test_machine_init();
	KTAP_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
	none.rlim_max = before.rlim_max;
	KTAP_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
	KTAP_EQ(device_make(&test_machine, "virtio-net", "user", &err), -EMFILE);
	KTAP_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
	KTAP_STREQ(err.text, "--net user: sockets: Too many open files");
	test_machine_exit();
}

/* 1514 bytes are a frame, and more are not. */
static void test_longest_frame(void)
{
	setup_user(MRG);
	give_buffers(QSIZE, 2048);
	KTAP_TRUE(arp_is_next());
	send_frame(echo_request(ram(TXBUF + HDR), 1514 - 42, 1));
	KTAP_TRUE(sent());
	KTAP_EQ(receive_ipv4(frame, &hdr), 1514);
	send_frame(echo_request(ram(TXBUF + HDR), 1515 - 42, 1));
	KTAP_TRUE(sent());
	KTAP_TRUE(arp_is_next());
	test_machine_exit();
}

/* A SYN to @port of 10.0.2.2. */
static size_t tcp_syn(uint8_t *f, uint16_t port)
{
	uint8_t pseudo[32] = { 10, 0, 2, 15, 10, 0, 2, 2, 0, 6, 0, 20 }, *tcp = f + 34;
	uint16_t sum;

	echo_request(f, 12, 0);
	f[14 + 9] = 6;
	f[14 + 10] = f[14 + 11] = 0;
	sum = inet_checksum(f + 14, 20);
	f[14 + 10] = sum >> 8;
	f[14 + 11] = sum;
	memset(tcp, 0, 20);
	tcp[0] = 0x30;
	tcp[2] = port >> 8;
	tcp[3] = port;
	tcp[12] = 0x50;
	tcp[13] = 2;
	tcp[14] = 0x20;
	memcpy(pseudo + 12, tcp, 20);
	sum = inet_checksum(pseudo, 32);
	tcp[16] = sum >> 8;
	tcp[17] = sum;
	return 54;
}

/* Does @words let the guest reach a server on the host's 127.0.0.1 through 10.0.2.2? */
static bool loopback_reached(const char *words, int server, uint16_t port)
{
	struct timeval second = { .tv_sec = 1 };
	fd_set set;
	bool reached;

	network = words;
	setup(0);
	give_buffers(16, 2048);
	KTAP_TRUE(arp_is_next());
	send_frame(tcp_syn(ram(TXBUF + HDR), port));
	KTAP_TRUE(sent());
	test_loop();
	FD_ZERO(&set);
	FD_SET(server, &set);
	reached = select(server + 1, &set, NULL, NULL, &second) > 0;
	if (reached)
		close(accept(server, NULL, NULL));
	test_machine_exit();
	return reached;
}

static void test_loopback(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t a_len = sizeof(a);
	int server = socket(AF_INET, SOCK_STREAM, 0);

	KTAP_EQ(bind(server, (struct sockaddr *)&a, sizeof(a)), 0);
	getsockname(server, (struct sockaddr *)&a, &a_len);
	listen(server, 4);
	KTAP_TRUE(!loopback_reached("user", server, ntohs(a.sin_port)));
	KTAP_TRUE(loopback_reached("user,loopback=on", server, ntohs(a.sin_port)));
	KTAP_TRUE(!loopback_reached("user,loopback=on,restrict=on", server, ntohs(a.sin_port)));
	close(server);
}

static void test_merged_buffers(void)
{
	size_t len;

	setup_user(MRG);
	give_buffers(40, 100);
	send_arp(2);
	KTAP_TRUE(sent() && receive_ipv4(frame, &hdr));
	KTAP_EQ(hdr.num_buffers, 1);
	len = echo_request(ram(TXBUF + HDR), 1000, 5);
	send_frame(len);
	KTAP_TRUE(sent());
	KTAP_EQ(receive_ipv4(frame, &hdr), len);
	KTAP_EQ(hdr.num_buffers, (HDR + len + 99) / 100);
	KTAP_MEMEQ(frame + 42, (uint8_t *)ram(TXBUF + HDR + 42), 1000);
	test_machine_exit();
}

static void test_frame_too_long_for_buffer(void)
{
	/* Without MRG_RXBUF only a frame that does not fit is lost. */
	setup_user(0);
	give_buffers(8, 200);
	send_arp(2);
	KTAP_TRUE(sent() && receive_ipv4(frame, &hdr));
	send_frame(echo_request(ram(TXBUF + HDR), 1000, 5));
	KTAP_TRUE(sent());
	send_arp(3);
	KTAP_TRUE(sent());
	KTAP_EQ(receive_ipv4(frame, &hdr), 64);
	KTAP_EQ(frame[31], 3);
	test_machine_exit();

	/* With it, a frame that the whole ring cannot hold. */
	setup_user(MRG);
	give_buffers(QSIZE, 15);
	send_arp(2);
	KTAP_TRUE(sent() && receive_ipv4(frame, &hdr));
	give_buffers(hdr.num_buffers, 15);
	send_frame(echo_request(ram(TXBUF + HDR), 1400, 5));
	KTAP_TRUE(sent());
	send_arp(3);
	KTAP_TRUE(sent());
	KTAP_EQ(receive_ipv4(frame, &hdr), 64);
	KTAP_EQ(frame[31], 3);
	test_machine_exit();
}

/* No buffers: frames wait, in order, and none is lost. */
/* A paused card takes no frame and sends none; both wait. A restored card has its address. */
static void test_paused(void)
{
	struct device *dev = setup_user(0);
	struct record saved;
	uint16_t before;
	uint32_t mac;

	give_buffers(4, 2000);
	send_arp(2);
	KTAP_TRUE(sent());
	dev->ops->pause(dev);
	/* The answer comes while it is paused, unless it was very fast. */
	before = driver_nr_used(&d.q[RX]);
	for (unsigned int i = 0; i < 50; i++) {
		test_loop();
		g_usleep(4000);
	}
	KTAP_EQ(driver_nr_used(&d.q[RX]), before);
	send_arp(3);
	test_loop();
	KTAP_EQ(driver_nr_used(&d.q[TX]), 0);
	state_save(dev, &saved);
	dev->ops->resume(dev);
	KTAP_TRUE(receive(frame, &hdr) > 0);
	KTAP_EQ(frame[31], 2);
	KTAP_TRUE(sent());
	KTAP_TRUE(receive(frame, &hdr) > 0);
	KTAP_EQ(frame[31], 3);
	mac = dev->ops->read(dev, 0x102, 4);

	dev->ops->reset(dev);
	state_torture(dev, &saved);
	KTAP_EQ(dev->ops->read(dev, 0x102, 4), mac);
	dev->ops->resume(dev);
	record_free(&saved);
	test_machine_exit();
}

static void test_back_pressure(void)
{
	static const uint64_t features[] = { 0, MRG, EVENT, MRG | EVENT };

	for (unsigned int i = 0; i < 4; i++) {
		setup_user(features[i]);
		/* Room for the first frame, and for a part of the second. */
		give_buffers(1, 2048);
		for (unsigned int n = 0; n < 20; n++) {
			send_arp(2 + n % 2);
			KTAP_TRUE(sent());
		}
		KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[RX]) == 1));
		for (unsigned int n = 0; n < 20; n++) {
			uint16_t before = d.q[RX].avail->idx;

			KTAP_ASSERT(receive(frame, &hdr) == 64);
			KTAP_EQ(frame[31], 2 + n % 2);
			if (n == 19)
				break;
			/* The device asks for notifications of the next buffers. */
			if (features[i] & EVENT)
				KTAP_TRUE(TEST_UNTIL(driver_avail_event(&d.q[RX]) == before));
			else
				KTAP_TRUE(TEST_UNTIL(!d.q[RX].used->flags));
			KTAP_EQ(driver_nr_used(&d.q[RX]), 0);
			give_buffers(1, features[i] & MRG ? 40 : 2048);
			if (features[i] & MRG) {
				test_loop();
				KTAP_EQ(driver_nr_used(&d.q[RX]), 0);
				/* One part was there: it asks again, for the buffer after it. */
				if (features[i] & EVENT)
					KTAP_EQ(driver_avail_event(&d.q[RX]), before + 1);
				give_buffers(1, 40);
			}
		}
		test_machine_exit();
	}
	/* When the driver goes away, frames that wait for it are dropped. */
	setup_user(0);
	for (unsigned int n = 0; n < 20; n++) {
		send_arp(2);
		KTAP_TRUE(sent());
	}
	KTAP_TRUE(driver_start(&d, d.dev, V1, 2, QSIZE));
	give_buffers(1, 2048);
	test_loop();
	KTAP_EQ(driver_nr_used(&d.q[RX]), 0);
	send_arp(3);
	KTAP_TRUE(sent());
	KTAP_EQ(receive(frame, &hdr), 64);
	KTAP_EQ(frame[31], 3);
	test_machine_exit();
}

static void test_bad_frames(void)
{
	struct device *dev = setup_user(0);
	struct driver_buf shorter = { TXBUF, HDR - 1, false }, empty = { TXBUF, HDR, false };
	struct driver_buf tiny = { TXBUF, HDR + 13, false }, huge = { TXBUF, 80000, false };

	driver_add(&d.q[TX], &shorter, 1);
	driver_kick(&d, TX);
	KTAP_TRUE(TEST_UNTIL(driver_needs_reset(&d)));

	/* These are not frames, but break no rule: they come back and are dropped. */
	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	driver_add(&d.q[TX], &empty, 1);
	driver_add(&d.q[TX], &tiny, 1);
	driver_add(&d.q[TX], &huge, 1);
	driver_kick(&d, TX);
	for (unsigned int i = 0; i < 3; i++)
		KTAP_TRUE(sent());
	KTAP_TRUE(!driver_needs_reset(&d));

	/* A receive buffer without room for a header, or not writable. */
	give_buffers(1, HDR - 1);
	send_arp(2);
	KTAP_TRUE(TEST_UNTIL(driver_needs_reset(&d)));
	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	driver_add(&d.q[RX], &huge, 1);
	send_arp(2);
	KTAP_TRUE(TEST_UNTIL(driver_needs_reset(&d)));

	/* Random data, for long. */
	test_seed = 4711;
	KTAP_TRUE(driver_start(&d, dev, V1 | MRG, 2, QSIZE));
	give_buffers(8, 4096);
	for (unsigned int i = 0; i < 3000; i++) {
		uint8_t *f = ram(TXBUF + HDR);
		size_t len = test_random() % 4 ? echo_request(f, test_random() % 1400, i) :
						 arp_request(f, 2);

		for (unsigned int n = test_random() % 8; n; n--)
			f[test_random() % len] = test_random();
		send_frame(len);
		KTAP_ASSERT(sent());
		while (driver_nr_used(&d.q[RX])) {
			driver_used(&d.q[RX]);
			give_buffers(1, 4096);
		}
	}
	KTAP_TRUE(!driver_needs_reset(&d));
	test_machine_exit();
}

/* A connection from the host reaches the guest as a SYN, and data waits for it. */
static void test_hostfwd(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t a_len = sizeof(a);
	char words[64];
	struct error err = { "" };
	int probe, fd;

	/* A port that is free now. */
	probe = socket(AF_INET, SOCK_STREAM, 0);
	KTAP_EQ(bind(probe, (struct sockaddr *)&a, sizeof(a)), 0);
	getsockname(probe, (struct sockaddr *)&a, &a_len);

	snprintf(words, sizeof(words), "user,hostfwd=tcp:127.0.0.1:%u-:22", ntohs(a.sin_port));
	network = words;
	/* While the port is taken: an error that says so. */
	listen(probe, 1);
	test_machine_init();
	KTAP_TRUE(device_make(&test_machine, "virtio-net", network, &err) < 0);
	KTAP_TRUE(strstr(err.text, "cannot listen on host TCP port"));
	test_machine_exit();
	close(probe);

	setup(0);
	give_buffers(16, 2048);
	send_arp(2);
	KTAP_TRUE(sent() && receive_ipv4(frame, &hdr));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	KTAP_EQ(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	KTAP_ASSERT(receive_ipv4(frame, &hdr) >= 54);
	KTAP_EQ(frame[14 + 9], 6);
	KTAP_EQ(frame[36] << 8 | frame[37], 22);
	KTAP_EQ(frame[47] & 0x12, 0x02); /* SYN without ACK */
	close(fd);
	test_machine_exit();
}

/* The host's end of a tap interface, by a raw socket. Needs privilege. */

static int tap_peer(const char *name)
{
	struct ifreq ifr = { 0 };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(0x88b5)); /* for local experiments */
	struct {
		uint16_t family, protocol;
		int32_t ifindex;
		uint8_t rest[12];
	} ll = { AF_PACKET, htons(0x88b5), 0, { 0 } };

	strcpy(ifr.ifr_name, name);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &ifr))
		return -1;
	ifr.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr) || ioctl(fd, SIOCGIFINDEX, &ifr))
		return -1;
	ll.ifindex = ifr.ifr_ifindex;
	return bind(fd, (struct sockaddr *)&ll, sizeof(ll)) ? -1 : fd;
}

static size_t local_frame(uint8_t *f, size_t len, unsigned int mark)
{
	memset(f, 0xff, 6);
	memcpy(f + 6, guest_mac, 6);
	f[12] = 0x88;
	f[13] = 0xb5;
	for (size_t i = 14; i < len; i++)
		f[i] = i + mark;
	return len;
}

static size_t receive_local(void)
{
	size_t len;

	/* The host sends frames of its own on a new interface. */
	do {
		len = receive(frame, &hdr);
	} while (len && !(frame[12] == 0x88 && frame[13] == 0xb5));
	return len;
}

static void test_tap(void)
{
	static const uint8_t types[] = {
		VIRTIO_NET_HDR_GSO_TCPV6, VIRTIO_NET_HDR_GSO_UDP, 2, 5, 0x7f,
		VIRTIO_NET_HDR_GSO_ECN, VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN,
		VIRTIO_NET_HDR_GSO_NONE,
	};
	uint8_t got[2048], want[2048];
	struct device *dev;
	ssize_t n;
	int peer;

	network = "tap=armvmmtest0";
	dev = setup(MRG);
	/*
	 * A user who may not make interfaces can do so in a network of its own
	 * (user_namespaces(7)).
	 */
	if (!dev && !unshare(CLONE_NEWUSER | CLONE_NEWNET)) {
		test_machine_exit();
		dev = setup(MRG);
	}
	if (!dev) {
		test_machine_exit();
		KTAP_SKIP("no tap interface to be had");
	}
	peer = tap_peer("armvmmtest0");
	if (peer < 0) {
		test_machine_exit();
		KTAP_SKIP("no packet socket to be had");
	}
	KTAP_TRUE(offered_features(dev) & 1 << VIRTIO_NET_F_CSUM);
	KTAP_TRUE(offered_features(dev) & 1 << VIRTIO_NET_F_HOST_TSO4);

	/* Guest to host. A header that asks for features that were not negotiated is ignored. */
	local_frame(ram(TXBUF + HDR), 1200, 1);
	memset(ram(TXBUF), 0xff, HDR);
	driver_add(&d.q[TX], (struct driver_buf[]){ { TXBUF, HDR + 1200, false } }, 1);
	driver_kick(&d, TX);
	KTAP_TRUE(sent());
	n = recv(peer, got, sizeof(got), MSG_DONTWAIT);
	KTAP_EQ(n, 1200);
	KTAP_MEMEQ(got, (uint8_t *)ram(TXBUF + HDR), 1200);

	/* The MTU is the interface's. */
	KTAP_EQ(dev->ops->read(dev, 0x10a, 2), 1500);
	KTAP_TRUE(offered_features(dev) & 1 << VIRTIO_NET_F_MTU);

	/* Host to guest, when there is no room and when there is. */
	for (unsigned int i = 0; i < 10; i++) {
		local_frame(want, 1000, i);
		KTAP_EQ(send(peer, want, 1000, 0), 1000);
	}
	test_loop();
	KTAP_EQ(driver_nr_used(&d.q[RX]), 0);
	give_buffers(QSIZE, 512);
	for (unsigned int i = 0; i < 10; i++) {
		local_frame(want, 1000, i);
		KTAP_ASSERT(receive_local() == 1000);
		KTAP_EQ(hdr.num_buffers, 2);
		KTAP_EQ(hdr.hdr.flags, 0);
		KTAP_MEMEQ(frame, want, 1000);
	}

	/* Offloads are accepted only in combinations that make sense. */
	KTAP_TRUE(test_legacy || !driver_negotiate(&d, V1 | 1 << VIRTIO_NET_F_HOST_TSO4));
	KTAP_TRUE(test_legacy || !driver_negotiate(&d, V1 | 1 << VIRTIO_NET_F_GUEST_TSO4));
	KTAP_TRUE(test_legacy || !driver_negotiate(&d, V1 | GCSUM | 1 << VIRTIO_NET_F_GUEST_ECN));
	KTAP_TRUE(driver_start(&d, dev, V1 | GCSUM | 1 << VIRTIO_NET_F_CSUM |
			       1 << VIRTIO_NET_F_HOST_TSO4 | 1 << VIRTIO_NET_F_GUEST_TSO4, 2,
			       QSIZE));
	/*
	 * CSUM and TSO4 were negotiated, TSO6 and ECN not: a frame that asks for them is dropped.
	 */
	for (unsigned int i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct virtio_net_hdr *h = ram(TXBUF);

		local_frame(ram(TXBUF + HDR), 1200, 1);
		memset(h, 0, HDR);
		h->gso_type = types[i];
		driver_add(&d.q[TX], (struct driver_buf[]){ { TXBUF, HDR + 1200, false } }, 1);
		driver_kick(&d, TX);
		KTAP_TRUE(sent());
		n = recv(peer, got, sizeof(got), MSG_DONTWAIT);
		KTAP_EQ(n, types[i] ? (uint64_t)-1 : 1200);
	}
	close(peer);
	test_machine_exit();
}

static void test_tap_errors(void)
{
	struct error err = { "" };

	test_machine_init();
	network = "tap=";
	KTAP_EQ(device_make(&test_machine, "virtio-net", network, &err), -EINVAL);
	network = "tap=a-name-that-is-too-long";
	KTAP_EQ(device_make(&test_machine, "virtio-net", network, &err), -EINVAL);
	KTAP_TRUE(strstr(err.text, "--net tap=a-name"));
	/* An interface that is no tap, or a host without tun. */
	network = "tap=lo";
	err.text[0] = 0;
	KTAP_TRUE(device_make(&test_machine, "virtio-net", network, &err) < 0);
	KTAP_TRUE(strstr(err.text, "--net tap=lo: "));
	test_machine_exit();
}

KTAP_MAIN(KTAP_CASE(test_configuration), KTAP_CASE(test_user_arp), KTAP_CASE(test_user_echo),
	  KTAP_CASE(test_fragments), KTAP_CASE(test_full_socket), KTAP_CASE(test_process_dies),
	  KTAP_CASE(test_rates), KTAP_CASE(test_no_process), KTAP_CASE(test_longest_frame),
	  KTAP_CASE(test_loopback),
	  KTAP_CASE(test_merged_buffers), KTAP_CASE(test_frame_too_long_for_buffer),
	  KTAP_CASE(test_back_pressure), KTAP_CASE(test_bad_frames), KTAP_CASE(test_hostfwd),
	  KTAP_CASE(test_paused), KTAP_CASE(test_tap), KTAP_CASE(test_tap_errors))
