// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_vsock.c userspace/armvmm-run/virtio/virtio_mmio.c
// sources: userspace/armvmm-run/net/vsock.c userspace/armvmm-run/net/vsock_dial.c
// sources: userspace/armvmm-run/net/vsock_conn.c userspace/armvmm-run/net/vsock_input.c userspace/armvmm-run/net/vsock_output.c
// sources: userspace/armvmm-run/virtio/vhost.c
// sources: userspace/armvmm-run/virtio/vhost_kernel.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c userspace/armvmm-run/core/message.c
// sources: userspace/armvmm-run/core/iov.c userspace/armvmm-run/core/device_type.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/core/process.c userspace/armvmm-run/core/userns.c userspace/armvmm-run/core/named_socket.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// virtio-vsock and the Unix sockets behind it: connections from both sides, credit, what a guest
// and a program of the host may get wrong, and how little either can pile up.
#include <signal.h>
#include <sys/resource.h>

#include "armvmm-run/state_move.h"
#include "armvmm-run/virtio/vsock_driver.h"

static void test_host_connects(void)
{
	struct device *dev = start(setup(), 32);
	uint32_t host_port, other_port;
	char buf[64];
	struct packet p;
	int fd, other;

	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_DEVICE_ID), 19);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_CONFIG), CID);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_CONFIG + 4), 0);
	fd = host_open(1234, &host_port);
	other = host_open(1234, &other_port);
	KTAP_TRUE(host_port != other_port);
	send_data(1234, host_port, "hello", 5);
	KTAP_EQ(host_read(fd, buf, sizeof(buf)), 5);
	KTAP_STREQ(buf, "hello");
	KTAP_EQ(host_read(other, buf, sizeof(buf)), -EAGAIN);
	KTAP_EQ(write(fd, "and back", 8), 8);
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.op, VIRTIO_VSOCK_OP_RW);
	KTAP_EQ(p.host_port, host_port);
	KTAP_EQ(p.len, 8);
	KTAP_TRUE(!memcmp(p.data, "and back", 8));
	/* Five bytes have gone to the program. */
	KTAP_EQ(p.taken, 5);
	KTAP_TRUE(test_level[d.spi]);

	/* Each direction ends by itself. */
	KTAP_EQ(shutdown(fd, SHUT_WR), 0);
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.op, VIRTIO_VSOCK_OP_SHUTDOWN);
	KTAP_EQ(p.flags, VIRTIO_VSOCK_SHUTDOWN_SEND);
	send_data(1234, host_port, "late", 4);
	KTAP_EQ(host_read(fd, buf, sizeof(buf)), 4);
	send_op(VIRTIO_VSOCK_OP_RST, 1234, host_port);
	KTAP_TRUE(host_is_closed(fd));
	expect_nothing();

	/* The guest closes: what it sent before arrives, and it is told when it is done. */
	send_data(1234, other_port, "last", 4);
	send_shutdown(3, 1234, other_port);
	expect(VIRTIO_VSOCK_OP_RST, 1234, other_port);
	KTAP_EQ(host_read(other, buf, sizeof(buf)), 4);
	KTAP_TRUE(host_is_closed(other));
	close(fd);
	close(other);
	test_machine_exit();
}

static void test_guest_refuses(void)
{
	struct packet p;
	int fd;

	start(setup(), 32);
	fd = host_connect("CONNECT 9\n");
	KTAP_ASSERT(get_packet(&p));
	send_op(VIRTIO_VSOCK_OP_RST, 9, p.host_port);
	KTAP_TRUE(host_is_closed(fd));
	close(fd);
	/* A program that goes before the guest has answered. */
	fd = host_connect("CONNECT 9\n");
	KTAP_ASSERT(get_packet(&p));
	close(fd);
	expect(VIRTIO_VSOCK_OP_RST, 9, p.host_port);
	send_op(VIRTIO_VSOCK_OP_RESPONSE, 9, p.host_port);
	expect(VIRTIO_VSOCK_OP_RST, 9, p.host_port);
	test_machine_exit();
}

static void test_guest_connects(void)
{
	int listener = host_listen("s_77"), fd;
	char buf[64];
	struct packet p;
	pid_t pid;

	start(setup(), 32);
	fd = guest_open(5000, listener);
	send_data(5000, 77, "question", 8);
	KTAP_EQ(host_read(fd, buf, sizeof(buf)), 8);
	KTAP_EQ(write(fd, "answer", 6), 6);
	close(fd);
	/* First what it wrote, then its end; in one piece with nobody who could read. */
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.op, VIRTIO_VSOCK_OP_RW);
	KTAP_EQ(p.len, 6);
	KTAP_TRUE(!memcmp(p.data, "answer", 6));
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.op, VIRTIO_VSOCK_OP_SHUTDOWN);
	KTAP_EQ(p.flags, VIRTIO_VSOCK_SHUTDOWN_SEND | VIRTIO_VSOCK_SHUTDOWN_RCV);
	send_data(5000, 77, "more", 4);
	expect(VIRTIO_VSOCK_OP_RST, 5000, 77);

	/* Nobody listens there; or nobody takes any more. */
	send_op(VIRTIO_VSOCK_OP_REQUEST, 5001, 78);
	expect(VIRTIO_VSOCK_OP_RST, 5001, 78);
	/* The guest asks twice for the same: the connection is over. */
	fd = guest_open(5002, listener);
	send_op(VIRTIO_VSOCK_OP_REQUEST, 5002, 77);
	expect(VIRTIO_VSOCK_OP_RST, 5002, 77);
	KTAP_TRUE(host_is_closed(fd));
	close(fd);
	/* It gives up a connection that is being made, and asks for another. */
	pid = dialer();
	KTAP_ASSERT(pid > 0);
	KTAP_EQ(kill(pid, SIGSTOP), 0);
	send_op(VIRTIO_VSOCK_OP_REQUEST, 5003, 77);
	send_op(VIRTIO_VSOCK_OP_RST, 5003, 77);
	send_op(VIRTIO_VSOCK_OP_REQUEST, 5004, 77);
	KTAP_EQ(kill(pid, SIGCONT), 0);
	expect(VIRTIO_VSOCK_OP_RESPONSE, 5004, 77);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	KTAP_TRUE(host_is_closed(fd));
	close(fd);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	send_data(5004, 77, "mine", 4);
	KTAP_EQ(host_read(fd, buf, sizeof(buf)), 4);
	KTAP_STREQ(buf, "mine");
	close(fd);
	close(listener);
	test_machine_exit();
}

/* The guest says how much it has room for. */
static void test_guest_credit(void)
{
	static const char bytes[1000];
	int listener = host_listen("s_77"), fd;
	struct virtio_vsock_hdr hdr;
	struct packet p;

	start(setup(), 32);
	fd = guest_open_with(6000, listener, 100);
	KTAP_EQ(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.len, 100);
	expect_nothing();
	/* It has taken 60 of them. */
	hdr = header(VIRTIO_VSOCK_OP_CREDIT_UPDATE, 6000, 77);
	hdr.buf_alloc = 100;
	hdr.fwd_cnt = 60;
	send_as(&hdr, NULL, 0);
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.len, 60);
	expect_nothing();
	/* Nonsense: it has taken more than it got. */
	hdr.fwd_cnt = 5000;
	send_as(&hdr, NULL, 0);
	expect_nothing();
	/* All the room: the rest comes, as long as a buffer at a time. */
	hdr.fwd_cnt = 160;
	hdr.buf_alloc = UINT32_MAX;
	send_as(&hdr, NULL, 0);
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.len, 840);
	/* It may ask for ours. */
	send_op(VIRTIO_VSOCK_OP_CREDIT_REQUEST, 6000, 77);
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.op, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	KTAP_EQ(p.room, ROOM);
	close(fd);
	close(listener);
	test_machine_exit();
}

/* The host's program does not read: the guest gets no more room than there is. */
static void test_host_credit(void)
{
	static uint8_t bytes[4096], back[1 << 20];
	int listener = host_listen("s_77"), fd;
	uint32_t sent = 0, got = 0, taken = 0;
	struct packet p;
	ssize_t n;

	start(setup(), 64);
	fd = guest_open(6000, listener);
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = i * 7;
	/* A driver that keeps to the rules: the socket's own room, and ours. */
	for (;;) {
		while (driver_nr_used(&d.q[RX])) {
			KTAP_ASSERT(get_packet(&p));
			KTAP_EQ(p.op, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
			taken = p.taken;
			give_rx(1);
		}
		if (sent - taken + sizeof(bytes) > ROOM)
			break;
		send_data(6000, 77, bytes, sizeof(bytes));
		sent += sizeof(bytes);
	}
	KTAP_TRUE(sent > ROOM);
	/* The program reads all of it, and the guest is told of the room. */
	while (got < sent) {
		test_loop();
		n = read(fd, back, sizeof(back));
		KTAP_ASSERT(n > 0);
		for (ssize_t i = 0; i < n; i++)
			if (back[i] != bytes[(got + i) % sizeof(bytes)])
				KTAP_FAIL("byte %u", (unsigned int)(got + i));
		got += n;
	}
	KTAP_EQ(got, sent);
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.op, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	KTAP_TRUE(p.taken > taken && sent - p.taken <= ROOM / 2);

	/* One that breaks them loses the connection, and the host keeps nothing of it. */
	for (unsigned int i = 0; i < 1000 && p.op != VIRTIO_VSOCK_OP_RST; i++) {
		send_data(6000, 77, bytes, sizeof(bytes));
		while (driver_nr_used(&d.q[RX]) && p.op != VIRTIO_VSOCK_OP_RST)
			get_packet(&p);
	}
	KTAP_EQ(p.op, VIRTIO_VSOCK_OP_RST);
	close(fd);
	close(listener);
	test_machine_exit();
}

/* A guest that breaks the rules of packets, but not of the ring, is answered or ignored. */
static void test_bad_packets(void)
{
	struct device *dev = start(setup(), 64);
	struct virtio_vsock_hdr hdr;
	uint32_t host_port;
	struct packet p;
	int fd;

	/* From, or to, somebody else. */
	hdr = header(VIRTIO_VSOCK_OP_REQUEST, 1, 2);
	hdr.src_cid = CID + 1;
	send_as(&hdr, NULL, 0);
	hdr = header(VIRTIO_VSOCK_OP_REQUEST, 1, 2);
	hdr.dst_cid = 3;
	send_as(&hdr, NULL, 0);
	hdr.dst_cid = 1ull << 32 | 2;
	send_as(&hdr, NULL, 0);
	send_op(VIRTIO_VSOCK_OP_RST, 1, 2);
	expect_nothing();
	/* Of a type that there is not. */
	hdr = header(VIRTIO_VSOCK_OP_REQUEST, 1, 2);
	hdr.type = 2;
	send_as(&hdr, NULL, 0);
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.op, VIRTIO_VSOCK_OP_RST);
	KTAP_EQ(p.type, 2);
	hdr.op = VIRTIO_VSOCK_OP_RST;
	send_as(&hdr, NULL, 0);
	/* Of no connection, and of no kind. */
	for (unsigned int op = 2; op < 10; op++) {
		if (op == VIRTIO_VSOCK_OP_RST)
			continue;
		send_op(op, 1, 2);
		expect(VIRTIO_VSOCK_OP_RST, 1, 2);
	}
	expect_nothing();
	/* In a connection: of no kind, or out of turn. */
	for (unsigned int i = 0; i < 3; i++) {
		static const uint16_t op[] = { 99, 0, VIRTIO_VSOCK_OP_RESPONSE };

		fd = host_open(1000 + i, &host_port);
		send_op(op[i], 1000 + i, host_port);
		expect(VIRTIO_VSOCK_OP_RST, 1000 + i, host_port);
		KTAP_TRUE(host_is_closed(fd));
		close(fd);
	}
	/* Data before the answer to the host's question, and after the end that was announced. */
	fd = host_connect("CONNECT 1\n");
	KTAP_ASSERT(get_packet(&p));
	send_data(1, p.host_port, "x", 1);
	expect(VIRTIO_VSOCK_OP_RST, 1, p.host_port);
	close(fd);
	fd = host_open(1, &host_port);
	send_shutdown(VIRTIO_VSOCK_SHUTDOWN_SEND, 1, host_port);
	KTAP_TRUE(host_is_closed(fd));
	send_data(1, host_port, "x", 1);
	expect(VIRTIO_VSOCK_OP_RST, 1, host_port);
	close(fd);
	KTAP_TRUE(!driver_needs_reset(&d));

	/* A header that is cut off, or says more than there is. */
	driver_add(&d.q[TX], &(struct driver_buf){ TXBUF, HDR - 1, false }, 1);
	driver_kick(&d, TX);
	KTAP_TRUE(TEST_UNTIL(driver_needs_reset(&d)));
	start(dev, 16);
	hdr = header(VIRTIO_VSOCK_OP_RW, 1, 2);
	hdr.len = 5;
	send_as(&hdr, "four", 4);
	KTAP_TRUE(driver_needs_reset(&d));
	start(dev, 16);
	hdr.len = UINT32_MAX;
	send_as(&hdr, "four", 4);
	KTAP_TRUE(driver_needs_reset(&d));
	/* A buffer without room for more than a header. */
	start(dev, 0);
	driver_add(&d.q[RX], &(struct driver_buf){ RXBUF(0), HDR, true }, 1);
	send_op(VIRTIO_VSOCK_OP_RW, 1, 2);
	KTAP_TRUE(driver_needs_reset(&d));
	test_machine_exit();
}

/* Answers that the guest does not take stop what it sends, and nothing is lost. */
static void test_flood(void)
{
	unsigned int sent = 0, before;

	start(setup(), 0);
	while (sent < QSIZE) {
		send_op(VIRTIO_VSOCK_OP_RW, sent, 2);
		sent++;
	}
	before = driver_nr_used(&d.q[TX]);
	KTAP_TRUE(before > 0 && before < sent);
	/* As many answers as packets, in their order. */
	for (unsigned int i = 0; i < sent; i++) {
		give_rx(1);
		expect(VIRTIO_VSOCK_OP_RST, i, 2);
	}
	test_loop();
	KTAP_EQ(driver_nr_used(&d.q[TX]), sent);
	give_rx(1);
	expect_nothing();
	test_machine_exit();
}

static void test_bad_programs(void)
{
	static const char *const words[] = {
		"connect 5\n", "CONNECT\n", "CONNECT \n", "CONNECT -5\n", "CONNECT 4294967296\n",
		"CONNECT 5 6\n", "CONNECT 5x\n", "\n", "CONNECT 000000000000000000000000000000005\n",
		"CONNECTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT",
	};
	int fd, waiting[GREETINGS + 1];
	char buf[64];
	struct device *dev = setup();
	struct packet p;

	/* No driver is there. */
	fd = host_connect("CONNECT 5\n");
	KTAP_TRUE(host_is_closed(fd));
	close(fd);
	start(dev, 32);
	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		fd = host_connect(words[i]);
		/* A socket whose bytes were not all read ends with an error. */
		KTAP_TRUE(TEST_UNTIL(host_read(fd, buf, sizeof(buf)) != -EAGAIN));
		close(fd);
	}
	expect_nothing();
	/* Those that say nothing keep others waiting, but not the guest's. */
	for (unsigned int i = 0; i < GREETINGS + 1; i++)
		waiting[i] = host_connect("");
	KTAP_EQ(write(waiting[GREETINGS], "CONNECT 6\r\n", 11), 11);
	expect_nothing();
	KTAP_EQ(write(waiting[0], "CONN", 4), 4);
	test_loop();
	KTAP_EQ(write(waiting[0], "ECT 5\n", 6), 6);
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.guest_port, 5);
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.guest_port, 6);
	for (unsigned int i = 0; i < GREETINGS + 1; i++)
		close(waiting[i]);
	test_machine_exit();
}

/* Bytes behind the line are the guest's, and wait for its answer. */
static void test_pipelined(void)
{
	struct packet p;
	int fd;

	start(setup(), 32);
	fd = host_connect("CONNECT 5\nfirst");
	KTAP_ASSERT(get_packet(&p));
	expect_nothing();
	send_op(VIRTIO_VSOCK_OP_RESPONSE, 5, p.host_port);
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.op, VIRTIO_VSOCK_OP_RW);
	KTAP_EQ(p.len, 5);
	KTAP_TRUE(!memcmp(p.data, "first", 5));
	close(fd);
	test_machine_exit();
}

static void test_restored(void)
{
	struct driver_buf event = { EVENTBUF, 8, true };
	struct record saved;
	struct device *dev = start(setup(), 32);
	uint32_t host_port, *id = ram(EVENTBUF);
	int fd = host_open(7, &host_port), listener = host_listen("s_77"), other;

	*id = 99;
	driver_add(&d.q[EVENT], &event, 1);
	driver_add(&d.q[EVENT], &event, 1);
	driver_kick(&d, EVENT);
	test_loop();
	KTAP_EQ(driver_nr_used(&d.q[EVENT]), 0);
	/* A guest that is saved and goes on keeps its connections. */
	state_save(dev, &saved);
	KTAP_EQ(write(fd, "x", 1), 1);
	expect_nothing();
	dev->ops->resume(dev);
	expect(VIRTIO_VSOCK_OP_RW, 7, host_port);
	KTAP_EQ(driver_nr_used(&d.q[EVENT]), 0);
	record_free(&saved);

	/* One that is restored is told that they are gone. */
	state_save(dev, &saved);
	dev->ops->reset(dev);
	KTAP_TRUE(host_is_closed(fd));
	close(fd);
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	dev->ops->resume(dev);
	test_loop();
	KTAP_EQ(driver_nr_used(&d.q[EVENT]), 1);
	KTAP_EQ(driver_used(&d.q[EVENT]).len, 4);
	KTAP_EQ(*id, VIRTIO_VSOCK_EVENT_TRANSPORT_RESET);
	send_data(7, host_port, "x", 1);
	expect(VIRTIO_VSOCK_OP_RST, 7, host_port);
	/* Until it has seen that, it would end new ones as well, and tell nobody. */
	fd = host_connect("CONNECT 8\n");
	send_op(VIRTIO_VSOCK_OP_REQUEST, 9, 77);
	driver_kick(&d, EVENT);
	KTAP_TRUE(TEST_UNTIL(is_readable(listener)));
	other = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	expect_nothing();
	driver_add(&d.q[EVENT], &event, 1);
	driver_kick(&d, EVENT);
	expect(VIRTIO_VSOCK_OP_REQUEST, 8, host_port + 1);
	expect(VIRTIO_VSOCK_OP_RESPONSE, 9, 77);
	close(fd);
	expect(VIRTIO_VSOCK_OP_RST, 8, host_port + 1);
	close(other);
	expect_shutdown(3, 9, 77);

	/* Again: the buffers that are left over from before are no answer. */
	record_free(&saved);
	state_save(dev, &saved);
	dev->ops->reset(dev);
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	dev->ops->resume(dev);
	test_loop();
	KTAP_EQ(driver_nr_used(&d.q[EVENT]), 1);
	driver_used(&d.q[EVENT]);
	fd = host_connect("CONNECT 8\n");
	expect_nothing();
	driver_add(&d.q[EVENT], &event, 1);
	driver_kick(&d, EVENT);
	expect(VIRTIO_VSOCK_OP_REQUEST, 8, host_port + 2);
	close(fd);
	expect(VIRTIO_VSOCK_OP_RST, 8, host_port + 2);
	close(listener);
	state_torture(dev, &saved);
	record_free(&saved);
	test_machine_exit();
}

/* A driver that never gives the buffer back gets connections all the same, later. */
static void test_restored_mute(void)
{
	struct record saved;
	struct device *dev = start(setup(), 32);
	struct packet p;
	gint64 from;
	int fd, other;

	state_save(dev, &saved);
	dev->ops->reset(dev);
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	from = g_get_monotonic_time();
	dev->ops->resume(dev);
	fd = host_connect("CONNECT 8\n");
	expect_nothing();
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.op, VIRTIO_VSOCK_OP_REQUEST);
	KTAP_TRUE(g_get_monotonic_time() - from >= 5 * G_USEC_PER_SEC);
	/* It had its time, and does not get it again whenever it stops and goes on. */
	dev->ops->pause(dev);
	dev->ops->resume(dev);
	from = g_get_monotonic_time();
	other = host_connect("CONNECT 9\n");
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.guest_port, 9);
	KTAP_TRUE(g_get_monotonic_time() - from < 3 * G_USEC_PER_SEC);
	close(other);
	/* A driver that starts anew has nothing to forget. */
	dev->ops->pause(dev);
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	dev->ops->resume(dev);
	start(dev, 32);
	KTAP_TRUE(host_is_closed(fd));
	close(fd);
	from = g_get_monotonic_time();
	fd = host_connect("CONNECT 8\n");
	KTAP_ASSERT(get_packet(&p));
	KTAP_TRUE(g_get_monotonic_time() - from < 3 * G_USEC_PER_SEC);
	close(fd);
	record_free(&saved);
	test_machine_exit();
}

/* Restored before its driver has started, it has the address that it is given here. */
static void test_restored_early(void)
{
	struct device *dev = setup();
	struct record saved;
	char args[200];

	state_save(dev, &saved);
	test_machine_exit();
	snprintf(args, sizeof(args), "cid=%u,unix:%s", CID + 1, path("s"));
	dev = setup_as(args);
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	dev->ops->resume(dev);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_CONFIG), CID + 1);
	record_free(&saved);
	test_machine_exit();
}

/* The host has no descriptor left when a program comes, and has one later: nobody tells. */
static void test_no_files(void)
{
	struct rlimit limit, none;
	struct packet p;
	int fd;

	start(setup(), 32);
	KTAP_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	/* It is the lowest that was free. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	none = limit;
	none.rlim_cur = fd + 1;
	KTAP_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
	host_connect_by(fd, "CONNECT 9\n");
	KTAP_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	/* It looks again after a second. */
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.op, VIRTIO_VSOCK_OP_REQUEST);
	KTAP_EQ(p.guest_port, 9);
	close(fd);
	test_machine_exit();
}

/* The process that connects is killed: the guest is refused, and can still be connected to. */
static void test_dialer_dies(void)
{
	int listener = host_listen("s_77"), fd;
	uint32_t host_port;
	pid_t pid;

	start(setup(), 32);
	pid = dialer();
	KTAP_ASSERT(pid > 0);
	KTAP_EQ(kill(pid, SIGKILL), 0);
	KTAP_TRUE(TEST_UNTIL(test_warnings == 1));
	KTAP_TRUE(strstr(test_last_warning, "its process has ended"));
	send_op(VIRTIO_VSOCK_OP_REQUEST, 1, 77);
	expect(VIRTIO_VSOCK_OP_RST, 1, 77);
	fd = host_open(7, &host_port);
	close(fd);
	close(listener);
	test_machine_exit();
}

static void refused(const char *args, const char *why)
{
	struct error err = { "" };

	KTAP_TRUE(device_make(&test_machine, "virtio-vsock", args, &err) < 0);
	if (!strstr(err.text, why))
		KTAP_FAIL("%s: it said '%s'", args ? args : "(none)", err.text);
}

static void test_options(void)
{
	char args[200], longest[128];
	struct error err = { "" };
	int fd, listener;

	test_machine_init();
	refused(NULL, "needs cid=N");
	refused("unix:/tmp/x", "needs cid=N");
	refused("cid=3", "needs unix:PATH");
	refused("cid=2,unix:/tmp/x", "cid must be 3 to 4294967294");
	refused("cid=4294967295,unix:/tmp/x", "cid must be");
	refused("cid=,unix:/tmp/x", "cid must be");
	refused("cid=3,unix:", "1 to 96 characters");
	memset(longest, 'x', 97);
	longest[97] = 0;
	snprintf(args, sizeof(args), "cid=3,unix:%s", longest);
	refused(args, "1 to 96 characters");
	refused("cid=3,unix:/tmp/x,ro", "unknown word \"ro\"");
	refused("cid=3,unix:/nowhere/x", "/nowhere: No such file");
	refused("cid=3,unix:/tmp/x,bus=isa", "bus must be mmio or pcie");
	write_file("file", "x", 1, 1);
	snprintf(args, sizeof(args), "cid=3,unix:%s", path("file"));
	refused(args, "is no socket");
	listener = host_listen("used");
	snprintf(args, sizeof(args), "cid=3,unix:%s", path("used"));
	refused(args, "is in use by a running process");
	close(listener);
	/* Once that process has ended, its name is free. */
	KTAP_EQ(device_make(&test_machine, "virtio-vsock", args, &err), 0);
	test_machine_exit();
	fd = access(path("used"), F_OK);
	KTAP_TRUE(fd && errno == ENOENT);
}

KTAP_MAIN(KTAP_CASE(make_scratch), KTAP_CASE(test_host_connects), KTAP_CASE(test_guest_refuses),
	  KTAP_CASE(test_guest_connects), KTAP_CASE(test_guest_credit),
	  KTAP_CASE(test_host_credit), KTAP_CASE(test_bad_packets), KTAP_CASE(test_flood),
	  KTAP_CASE(test_bad_programs), KTAP_CASE(test_pipelined), KTAP_CASE(test_restored),
	  KTAP_CASE(test_restored_mute), KTAP_CASE(test_restored_early),
	  KTAP_CASE(test_no_files), KTAP_CASE(test_dialer_dies), KTAP_CASE(test_options),
	  KTAP_CASE(remove_scratch))
