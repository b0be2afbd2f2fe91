/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of virtio-vsock with Unix sockets: the device, a guest's packets, programs of the host.
 */
#ifndef TESTS_UNIT_VSOCK_DRIVER_H
#define TESTS_UNIT_VSOCK_DRIVER_H

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <linux/virtio_vsock.h>

#include "armvmm-run/device_make.h"
#include "armvmm-run/process_self.h"
#include "armvmm-run/scratch.h"
#include "armvmm-run/virtio/virtio_driver.h"

#define V1    (1ULL << VIRTIO_F_VERSION_1)
#define QSIZE 128
#define RX    0
#define TX    1
#define EVENT 2
#define CID   42
#define HDR   sizeof(struct virtio_vsock_hdr)

/* The device's limits, as its source and the manual page give them. */
#define CONNECTIONS 64
#define BY_GUEST    56
#define GREETINGS   16
#define ROOM	    (64u << 10)

#define TXBUF	  DATA_GPA
#define RXBUF(i)  (DATA_GPA + 0x200000 + (i) * 0x1000)
#define EVENTBUF  (DATA_GPA + 0x180000)
#define RX_SIZE	  0x1000

static struct driver d;
static unsigned int rx_given; /* buffers with the device */

static MAYBE struct device *setup_as(const char *args)
{
	test_machine_init();
	return device_made(&test_machine, "virtio-vsock", args);
}

static MAYBE struct device *setup(void)
{
	char args[200];

	snprintf(args, sizeof(args), "cid=%u,unix:%s", CID, path("s"));
	return setup_as(args);
}

static MAYBE void give_rx(unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		struct driver_buf buf = { RXBUF(d.q[RX].next_desc), RX_SIZE, true };

		driver_add(&d.q[RX], &buf, 1);
	}
	rx_given += nr;
	driver_kick(&d, RX);
}

static MAYBE struct device *start(struct device *dev, unsigned int nr_rx)
{
	KTAP_TRUE(driver_start(&d, dev, V1, 3, QSIZE));
	rx_given = 0;
	if (nr_rx)
		give_rx(nr_rx);
	test_loop();
	return dev;
}

/* ---- The guest's packets ---- */

struct packet {
	uint16_t type, op;
	uint32_t guest_port, host_port, len, flags, room, taken;
	uint8_t data[RX_SIZE];
};

/* A packet with @len bytes of @data behind its header; @told is what the header says. */
static MAYBE void send_as(const struct virtio_vsock_hdr *hdr, const void *data, uint32_t len)
{
	static unsigned int next;
	uint64_t gpa = TXBUF + (next++ % QSIZE) * 0x2000;
	struct driver_buf buf[2] = { { gpa, HDR, false }, { gpa + 0x100, len, false } };

	memcpy(ram(gpa), hdr, HDR);
	if (len)
		memcpy(ram(gpa + 0x100), data, len);
	driver_add(&d.q[TX], buf, len ? 2 : 1);
	driver_kick(&d, TX);
	test_loop();
}

static MAYBE struct virtio_vsock_hdr header(uint16_t op, uint32_t guest_port, uint32_t host_port)
{
	return (struct virtio_vsock_hdr){
		.src_cid = CID,
		.dst_cid = 2,
		.src_port = guest_port,
		.dst_port = host_port,
		.type = VIRTIO_VSOCK_TYPE_STREAM,
		.op = op,
		.buf_alloc = 1u << 20,
	};
}

static MAYBE void send_op(uint16_t op, uint32_t guest_port, uint32_t host_port)
{
	struct virtio_vsock_hdr hdr = header(op, guest_port, host_port);

	send_as(&hdr, NULL, 0);
}

static MAYBE void send_data(uint32_t guest_port, uint32_t host_port, const void *data, uint32_t len)
{
	struct virtio_vsock_hdr hdr = header(VIRTIO_VSOCK_OP_RW, guest_port, host_port);

	hdr.len = len;
	send_as(&hdr, data, len);
}

static MAYBE void send_shutdown(uint32_t flags, uint32_t guest_port, uint32_t host_port)
{
	struct virtio_vsock_hdr hdr = header(VIRTIO_VSOCK_OP_SHUTDOWN, guest_port, host_port);

	hdr.flags = flags;
	send_as(&hdr, NULL, 0);
}

/* The next packet to the guest; false if none comes. */
static MAYBE bool get_packet(struct packet *p)
{
	const struct virtio_vsock_hdr *hdr;
	struct vring_used_elem used;

	memset(p, 0, sizeof(*p));
	if (!TEST_UNTIL(driver_nr_used(&d.q[RX])))
		return false;
	used = driver_used(&d.q[RX]);
	rx_given--;
	hdr = ram(d.q[RX].desc[used.id].addr);
	p->type = hdr->type;
	p->op = hdr->op;
	p->guest_port = hdr->dst_port;
	p->host_port = hdr->src_port;
	p->len = hdr->len;
	p->flags = hdr->flags;
	p->room = hdr->buf_alloc;
	p->taken = hdr->fwd_cnt;
	KTAP_EQ(used.len, HDR + p->len);
	KTAP_EQ(hdr->src_cid, 2);
	KTAP_EQ(hdr->dst_cid, CID);
	if (p->len > RX_SIZE - HDR)
		return false;
	memcpy(p->data, (const uint8_t *)hdr + HDR, p->len);
	return true;
}

static MAYBE void expect(uint16_t op, uint32_t guest_port, uint32_t host_port)
{
	struct packet p;

	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.op, op);
	KTAP_EQ(p.guest_port, guest_port);
	KTAP_EQ(p.host_port, host_port);
}

static MAYBE void expect_shutdown(uint32_t flags, uint32_t guest_port, uint32_t host_port)
{
	struct packet p;

	KTAP_ASSERT(get_packet(&p));
	KTAP_EQ(p.op, VIRTIO_VSOCK_OP_SHUTDOWN);
	KTAP_EQ(p.flags, flags);
	KTAP_EQ(p.guest_port, guest_port);
	KTAP_EQ(p.host_port, host_port);
}

static MAYBE void expect_nothing(void)
{
	test_loop();
	g_usleep(2000);
	test_loop();
	KTAP_EQ(driver_nr_used(&d.q[RX]), 0);
}

/* ---- The host's programs ---- */

static MAYBE struct sockaddr_un address(const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path(name));
	return sun;
}

static MAYBE void host_connect_by(int fd, const char *words)
{
	struct sockaddr_un sun = address("s");

	KTAP_EQ(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	KTAP_EQ(write(fd, words, strlen(words)), strlen(words));
	test_loop();
}

static MAYBE int host_connect(const char *words)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	host_connect_by(fd, words);
	return fd;
}

static MAYBE int host_listen(const char *name)
{
	struct sockaddr_un sun = address(name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	unlink(sun.sun_path);
	KTAP_EQ(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	KTAP_EQ(listen(fd, 100), 0);
	return fd;
}

/* Reads exactly what is there: 0 at the end of the stream, -EAGAIN for nothing. */
static MAYBE ssize_t host_read(int fd, char *buf, size_t size)
{
	ssize_t n;

	test_loop();
	n = read(fd, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
	return n < 0 ? -errno : n;
}

static MAYBE bool is_readable(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	return poll(&wait, 1, 0) > 0;
}

static MAYBE bool host_is_closed(int fd)
{
	char buf[64];

	return TEST_UNTIL(host_read(fd, buf, sizeof(buf)) == 0);
}

/* A connection that the host made to @port, up to its first byte. */
static MAYBE int host_open(uint32_t port, uint32_t *host_port)
{
	char line[64], ok[64];
	struct packet p;
	int fd;

	snprintf(line, sizeof(line), "CONNECT %u\n", port);
	fd = host_connect(line);
	KTAP_TRUE(get_packet(&p));
	KTAP_EQ(p.op, VIRTIO_VSOCK_OP_REQUEST);
	KTAP_EQ(p.type, VIRTIO_VSOCK_TYPE_STREAM);
	KTAP_EQ(p.guest_port, port);
	KTAP_EQ(p.room, ROOM);
	*host_port = p.host_port;
	send_op(VIRTIO_VSOCK_OP_RESPONSE, port, p.host_port);
	KTAP_TRUE(host_read(fd, line, sizeof(line)) > 0);
	snprintf(ok, sizeof(ok), "OK %u\n", p.host_port);
	KTAP_STREQ(line, ok);
	return fd;
}

/*
 * One that the guest made from @port to PATH_77, where @listener listens. The guest has room for
 * @room bytes.
 */
static MAYBE int guest_open_with(uint32_t port, int listener, uint32_t room)
{
	struct virtio_vsock_hdr hdr = header(VIRTIO_VSOCK_OP_REQUEST, port, 77);
	int fd = -1;

	hdr.buf_alloc = room;
	send_as(&hdr, NULL, 0);
	expect(VIRTIO_VSOCK_OP_RESPONSE, port, 77);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	KTAP_TRUE(fd >= 0);
	return fd;
}

static MAYBE int guest_open(uint32_t port, int listener)
{
	return guest_open_with(port, listener, 1u << 20);
}

/* The process of ours that connects, by its name: the newest. Others may not have ended yet. */
static MAYBE pid_t dialer(void)
{
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	pid_t found = 0;

	while (proc && (entry = readdir(proc))) {
		char name[300], comm[16] = "", state = 'Z';
		int pid = 0, parent = 0;
		FILE *file;

		snprintf(name, sizeof(name), "/proc/%s/stat", entry->d_name);
		file = fopen(name, "re");
		if (file && fscanf(file, "%d (%15[^)]) %c %d", &pid, comm, &state, &parent) == 4 &&
		    parent == getpid() && state != 'Z' && !strcmp(comm, "vsock") && pid > found)
			found = pid;
		if (file)
			fclose(file);
	}
	if (proc)
		closedir(proc);
	return found;
}

static MAYBE void make_scratch(void)
{
	KTAP_TRUE(mkdtemp(scratch_dir));
}

static MAYBE void remove_scratch(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", scratch_dir);
	KTAP_EQ(system(command), 0);
}

#endif /* TESTS_UNIT_VSOCK_DRIVER_H */
