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
// Connections of virtio-vsock: how they end, how many there can be, and what those cost that are
// silent.
#include <sys/syscall.h>

#include "armvmm-run/virtio/vsock_driver.h"

/* ---- What it costs ---- */

static unsigned int nr_writes; /* of any kind, GLib's wake-ups among them */

ssize_t write(int fd, const void *buf, size_t len)
{
	nr_writes++;
	return syscall(SYS_write, fd, buf, len);
}

static bool small; /* sockets have less room than the device keeps beside them */

ssize_t send(int fd, const void *buf, size_t len, int flags)
{
	int size = 8192;

	if (small)
		KTAP_EQ(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	return syscall(SYS_sendto, fd, buf, len, flags, NULL, 0);
}

/* ---- Ends ---- */

static const uint8_t filler[4096] = { 1, 2, 3 };

/* The guest sends to a program that does not read, until its room is full. Returns the bytes. */
static uint32_t fill(uint32_t guest_port, uint32_t host_port)
{
	uint32_t sent = 0, taken = 0;
	struct packet p;

	for (;;) {
		while (driver_nr_used(&d.q[RX])) {
			KTAP_TRUE(get_packet(&p));
			KTAP_EQ(p.op, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
			taken = p.taken;
			give_rx(1);
		}
		if (sent - taken + sizeof(filler) > ROOM)
			return sent;
		send_data(guest_port, host_port, filler, sizeof(filler));
		sent += sizeof(filler);
	}
}

/* The program reads until the end of the stream. Returns the bytes, or -errno. */
static ssize_t drain(int fd)
{
	static char buf[1 << 20];
	ssize_t got = 0, n = 1;

	while (n > 0) {
		if (!TEST_UNTIL(is_readable(fd)))
			return -ETIMEDOUT;
		n = read(fd, buf, sizeof(buf));
		got += n;
	}
	return n < 0 ? -errno : got;
}

/* A guest closes a connection, and forgets it before the program has read all. */
static void test_guest_forgets(void)
{
	int listener = host_listen("s_77"), fd, again;
	uint32_t sent;

	start(setup(), 64);
	fd = guest_open(6000, listener);
	sent = fill(6000, 77);
	send_shutdown(3, 6000, 77);
	send_op(VIRTIO_VSOCK_OP_RST, 6000, 77);
	/* It is the guest's no more, which may make another of that name. */
	send_data(6000, 77, "x", 1);
	expect(VIRTIO_VSOCK_OP_RST, 6000, 77);
	again = guest_open(6000, listener);
	KTAP_EQ(drain(fd), sent);
	expect_nothing();
	close(fd);
	close(again);
	expect_shutdown(3, 6000, 77);
	/* One that waits for the end of it is told when the program goes before it has read. */
	fd = guest_open(6001, listener);
	fill(6001, 77);
	send_shutdown(3, 6001, 77);
	expect_nothing();
	close(fd);
	expect(VIRTIO_VSOCK_OP_RST, 6001, 77);
	/* Without a word; and the program goes before it has read. */
	fd = guest_open(6001, listener);
	fill(6001, 77);
	send_op(VIRTIO_VSOCK_OP_RST, 6001, 77);
	close(fd);
	expect_nothing();
	/* All places are free again, and a reset frees those that are not. */
	for (unsigned int i = 0; i < 3; i++) {
		fd = guest_open(7000 + i, listener);
		fill(7000 + i, 77);
		send_op(VIRTIO_VSOCK_OP_RST, 7000 + i, 77);
		if (i < 2)
			close(fd);
	}
	test_machine.bus.dev[0]->ops->reset(test_machine.bus.dev[0]);
	KTAP_TRUE(drain(fd) > 0);
	close(fd);
	close(listener);
	test_machine_exit();
}

/* What a program wrote before it closed gets there, also to a guest that goes on sending. */
static void test_program_leaves(void)
{
	int listener = host_listen("s_77"), fd;
	struct virtio_vsock_hdr hdr;
	struct packet p;

	start(setup(), 64);
	fd = guest_open_with(6000, listener, 100);
	hdr = header(VIRTIO_VSOCK_OP_RW, 6000, 77);
	hdr.buf_alloc = 100;
	hdr.len = 8;
	send_as(&hdr, "question", 8);
	KTAP_EQ(write(fd, filler, 300), 300);
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.len, 100);
	/* It has not read the question. */
	close(fd);
	test_loop();
	send_as(&hdr, "more....", 8);
	expect_shutdown(VIRTIO_VSOCK_SHUTDOWN_RCV, 6000, 77);
	send_as(&hdr, "and more", 8);
	expect_nothing();
	send_op(VIRTIO_VSOCK_OP_CREDIT_REQUEST, 6000, 77);
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.op, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	KTAP_EQ(p.taken, 24);
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.op, VIRTIO_VSOCK_OP_RW);
	KTAP_EQ(p.len, 200);
	KTAP_TRUE(!memcmp(p.data, filler + 100, 200));
	expect_shutdown(3, 6000, 77);
	send_data(6000, 77, "x", 1);
	expect(VIRTIO_VSOCK_OP_RST, 6000, 77);

	/* The same with more than the socket holds on its way. */
	send_op(VIRTIO_VSOCK_OP_REQUEST, 6001, 77);
	expect(VIRTIO_VSOCK_OP_RESPONSE, 6001, 77);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	fill(6001, 77);
	KTAP_EQ(write(fd, "answer", 6), 6);
	close(fd);
	do {
		KTAP_ASSERT(get_packet(&p));
		give_rx(1);
	} while (p.op == VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	KTAP_EQ(p.op, VIRTIO_VSOCK_OP_SHUTDOWN);
	KTAP_EQ(p.flags, VIRTIO_VSOCK_SHUTDOWN_RCV);
	expect(VIRTIO_VSOCK_OP_RW, 6001, 77);
	expect_shutdown(3, 6001, 77);

	/* It reads no more, and writes. */
	fd = guest_open(6002, listener);
	KTAP_EQ(shutdown(fd, SHUT_RD), 0);
	send_data(6002, 77, "x", 1);
	expect_shutdown(VIRTIO_VSOCK_SHUTDOWN_RCV, 6002, 77);
	KTAP_EQ(write(fd, "y", 1), 1);
	expect(VIRTIO_VSOCK_OP_RW, 6002, 77);
	close(fd);
	expect_shutdown(3, 6002, 77);
	close(listener);
	test_machine_exit();
}

/* The guest reads no more, and sends. */
static void test_guest_is_deaf(void)
{
	int listener = host_listen("s_77"), fd;
	struct virtio_vsock_hdr hdr;
	char buf[64];

	start(setup(), 64);
	fd = guest_open(6000, listener);
	send_shutdown(VIRTIO_VSOCK_SHUTDOWN_RCV, 6000, 77);
	KTAP_EQ(send(fd, "x", 1, MSG_NOSIGNAL), -1);
	KTAP_EQ(errno, EPIPE);
	send_data(6000, 77, "more", 4);
	KTAP_EQ(host_read(fd, buf, sizeof(buf)), 4);
	expect_nothing();
	send_shutdown(VIRTIO_VSOCK_SHUTDOWN_SEND, 6000, 77);
	expect(VIRTIO_VSOCK_OP_RST, 6000, 77);
	KTAP_TRUE(host_is_closed(fd));
	close(fd);

	/* It says so when the program is gone already, and never had room for what that wrote. */
	hdr = header(VIRTIO_VSOCK_OP_REQUEST, 6001, 77);
	hdr.buf_alloc = 0;
	send_as(&hdr, NULL, 0);
	expect(VIRTIO_VSOCK_OP_RESPONSE, 6001, 77);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	KTAP_EQ(write(fd, "x", 1), 1);
	close(fd);
	expect_nothing();
	hdr.op = VIRTIO_VSOCK_OP_SHUTDOWN;
	hdr.flags = VIRTIO_VSOCK_SHUTDOWN_RCV;
	send_as(&hdr, NULL, 0);
	expect_shutdown(3, 6001, 77);
	send_data(6001, 77, "x", 1);
	expect(VIRTIO_VSOCK_OP_RST, 6001, 77);
	close(listener);
	test_machine_exit();
}

/* ---- How many there are ---- */

static void test_many(void)
{
	int listener = host_listen("s_77"), fd[CONNECTIONS], extra;
	uint32_t host_port;
	char buf[64];
	struct packet p;

	start(setup(), 127);
	for (unsigned int i = 0; i < BY_GUEST; i++) {
		fd[i] = guest_open(100 + i, listener);
		give_rx(1);
	}
	/* The other places are for programs of the host. */
	send_op(VIRTIO_VSOCK_OP_REQUEST, 99, 77);
	expect(VIRTIO_VSOCK_OP_RST, 99, 77);
	for (unsigned int i = BY_GUEST; i < CONNECTIONS; i++)
		fd[i] = host_open(100 + i, &host_port);
	send_op(VIRTIO_VSOCK_OP_REQUEST, 98, 77);
	expect(VIRTIO_VSOCK_OP_RST, 98, 77);
	/* A program waits until one has gone. */
	extra = host_connect("CONNECT 5\n");
	expect_nothing();
	close(fd[3]);
	expect(VIRTIO_VSOCK_OP_SHUTDOWN, 103, 77);
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.op, VIRTIO_VSOCK_OP_REQUEST);
	KTAP_EQ(p.guest_port, 5);
	/* The guest has one left, and the host none. */
	send_op(VIRTIO_VSOCK_OP_REQUEST, 97, 77);
	expect(VIRTIO_VSOCK_OP_RST, 97, 77);
	close(extra);
	expect(VIRTIO_VSOCK_OP_RST, 5, p.host_port);
	fd[3] = guest_open(96, listener);
	/* A reset ends all, and all have a place again. */
	test_machine.bus.dev[0]->ops->reset(test_machine.bus.dev[0]);
	for (unsigned int i = 0; i < CONNECTIONS; i++) {
		KTAP_EQ(host_read(fd[i], buf, sizeof(buf)), 0);
		close(fd[i]);
	}
	start(test_machine.bus.dev[0], 127);
	for (unsigned int i = 0; i < BY_GUEST; i++) {
		fd[i] = guest_open(100 + i, listener);
		give_rx(1);
	}
	for (unsigned int i = 0; i < BY_GUEST; i++)
		close(fd[i]);
	close(listener);
	test_machine_exit();
}

/* What the guest has closed, and nobody reads, gives way: the one that stands still the longest. */
static void test_left(void)
{
	int listener = host_listen("s_77"), fd[CONNECTIONS], extra, again;
	uint32_t host_port, sent[BY_GUEST];
	static char buf[64 << 10];
	ssize_t begun;
	struct packet p;

	small = true;
	start(setup(), 127);
	for (unsigned int i = 0; i < BY_GUEST; i++) {
		fd[i] = guest_open(100 + i, listener);
		give_rx(1);
		sent[i] = fill(100 + i, 77);
		/* The guest waits for the end of the third, and forgets the others. */
		if (i == 2)
			send_shutdown(3, 100 + i, 77);
		else
			send_op(VIRTIO_VSOCK_OP_RST, 100 + i, 77);
	}
	for (unsigned int i = BY_GUEST; i < CONNECTIONS; i++)
		fd[i] = host_open(100 + i, &host_port);
	/* At first, all have time to be read. */
	send_op(VIRTIO_VSOCK_OP_REQUEST, 99, 77);
	expect(VIRTIO_VSOCK_OP_RST, 99, 77);
	extra = host_connect("CONNECT 5\n");
	expect_nothing();
	g_usleep(4500000);
	begun = read(fd[0], buf, sizeof(buf));
	KTAP_TRUE(begun > 0);
	test_loop();
	/* The program of the host has waited for the second's. */
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.op, VIRTIO_VSOCK_OP_REQUEST);
	KTAP_EQ(p.guest_port, 5);
	KTAP_TRUE(drain(fd[1]) < sent[1]);
	/* One of the guest's own gives way to another, and the guest is told if it waits for it. */
	g_usleep(1000000);
	send_op(VIRTIO_VSOCK_OP_REQUEST, 96, 77);
	expect(VIRTIO_VSOCK_OP_RST, 102, 77);
	expect(VIRTIO_VSOCK_OP_RESPONSE, 96, 77);
	again = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	KTAP_TRUE(again >= 0);
	KTAP_TRUE(drain(fd[2]) < sent[2]);
	/* Bytes that are read get there. */
	KTAP_EQ(begun + drain(fd[0]), sent[0]);
	for (unsigned int i = 0; i < CONNECTIONS; i++)
		close(fd[i]);
	close(again);
	close(extra);
	small = false;
	close(listener);
	test_machine_exit();
}

/* The calls for a message from a program to the guest. */
static unsigned int writes_of_message(int fd, uint32_t guest_port)
{
	unsigned int before = nr_writes;

	KTAP_EQ(write(fd, "message", 7), 7);
	expect(VIRTIO_VSOCK_OP_RW, guest_port, 77);
	give_rx(1);
	test_loop();
	return nr_writes - before;
}

/* Connections that are open and silent cost the others nothing. */
static void test_idle(void)
{
	int listener = host_listen("s_77"), fd[50];
	unsigned int alone, among;

	start(setup(), 127);
	fd[0] = guest_open(100, listener);
	alone = writes_of_message(fd[0], 100);
	for (unsigned int i = 1; i < 50; i++) {
		fd[i] = guest_open(100 + i, listener);
		give_rx(1);
	}
	among = writes_of_message(fd[0], 100);
	KTAP_TRUE(alone > 0);
	/* Some turns of the loop may be more, or fewer. */
	if (among > 2 * alone + 8)
		KTAP_FAIL("%u calls, and %u among 49 others", alone, among);
	for (unsigned int i = 0; i < 50; i++)
		close(fd[i]);
	close(listener);
	test_machine_exit();
}

/* One that has said nothing for some seconds gives way when another waits. */
static void test_silent_programs(void)
{
	int fd[GREETINGS], other;
	struct packet p;
	char buf[64];

	start(setup(), 32);
	for (unsigned int i = 0; i < GREETINGS; i++)
		fd[i] = host_connect("");
	/* While nobody else comes, it may be silent. */
	g_usleep(3200000);
	test_loop();
	KTAP_EQ(host_read(fd[0], buf, sizeof(buf)), -EAGAIN);
	other = host_connect("CONNECT 6\n");
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.guest_port, 6);
	KTAP_TRUE(host_is_closed(fd[0]));
	for (unsigned int i = 1; i < GREETINGS; i++)
		KTAP_EQ(host_read(fd[i], buf, sizeof(buf)), -EAGAIN);
	/* A place is free, which takes the next; the one behind it waits for the second. */
	close(other);
	expect(VIRTIO_VSOCK_OP_RST, 6, p.host_port);
	close(fd[0]);
	fd[0] = host_connect("");
	KTAP_EQ(host_read(fd[1], buf, sizeof(buf)), -EAGAIN);
	other = host_connect("CONNECT 7\n");
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.guest_port, 7);
	KTAP_TRUE(host_is_closed(fd[1]));
	KTAP_EQ(host_read(fd[0], buf, sizeof(buf)), -EAGAIN);
	for (unsigned int i = 0; i < GREETINGS; i++)
		close(fd[i]);
	close(other);
	test_machine_exit();
}

/* The second waits for the first ones' time to be over. */
static void test_silent_soon(void)
{
	int fd[GREETINGS], other;
	struct packet p;

	start(setup(), 32);
	for (unsigned int i = 0; i < GREETINGS; i++)
		fd[i] = host_connect("");
	other = host_connect("CONNECT 6\n");
	expect_nothing();
	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.guest_port, 6);
	KTAP_TRUE(host_is_closed(fd[0]));
	for (unsigned int i = 0; i < GREETINGS; i++)
		close(fd[i]);
	close(other);
	test_machine_exit();
}

KTAP_MAIN(KTAP_CASE(make_scratch), KTAP_CASE(test_guest_forgets), KTAP_CASE(test_program_leaves),
	  KTAP_CASE(test_guest_is_deaf), KTAP_CASE(test_many), KTAP_CASE(test_left),
	  KTAP_CASE(test_idle), KTAP_CASE(test_silent_programs), KTAP_CASE(test_silent_soon),
	  KTAP_CASE(remove_scratch))
