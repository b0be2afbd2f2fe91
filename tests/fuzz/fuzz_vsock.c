// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_mmio.c userspace/armvmm-run/virtio/virtqueue.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/virtio/virtio_vsock.c userspace/armvmm-run/net/vsock.c
// sources: userspace/armvmm-run/net/vsock_conn.c userspace/armvmm-run/net/vsock_input.c userspace/armvmm-run/net/vsock_output.c
// sources: userspace/armvmm-run/virtio/vhost.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// sources: userspace/armvmm-run/virtio/vhost_kernel.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wno-unused
// pkgs: glib-2.0
// libs: -lfdt -lpthread
// max_len: 2048
/*
 * virtio-vsock, with programs of the host that connect, write, read and go at any time. The process
 * that connects for the guest is simulated, and answers when the fuzzer likes. What the guest is
 * sent is taken into account: bytes never exceed the room that it told of.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <linux/virtio_vsock.h>

#include "core/named_socket.h"
#include "net/vsock_dial.h"
#include "virtio_fuzz.h"

#define PROGRAMS 8
#define CID	 5

static char address[] = "\0fuzz-vsock-0000000000";
static int program[PROGRAMS];
static int question[2]; /* a pipe in place of the process' socket: a byte for each answer */

struct asked {
	uint32_t slot, serial;
};

static struct asked asked[64];
static unsigned int nr_asked, nr_answers;

/* ---- In place of core/named_socket.c and net/vsock_dial.c ---- */

int named_socket_open(struct named_socket *l, const char *path, int backlog, bool make_folder,
		      struct error *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(address + 1, sizeof(address) - 1, "fuzz-vsock-%010d", getpid());
	memcpy(sun.sun_path, address, sizeof(address));
	l->keeper_fd = -1;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	FUZZ_MUST(!bind(l->fd, (struct sockaddr *)&sun, sizeof(sa_family_t) + sizeof(address)));
	FUZZ_MUST(!listen(l->fd, backlog));
	return 0;
}

void named_socket_close(struct named_socket *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

int vsock_dial_start(struct vsock_dial *dial, const char *label, const char *path,
		     const struct process_rights *rights, struct error *err)
{
	FUZZ_MUST(!pipe2(question, O_NONBLOCK | O_CLOEXEC));
	dial->process = (struct process){ .fd = question[0], .text = -1 };
	return 0;
}

void vsock_dial_stop(struct vsock_dial *dial)
{
	if (dial->process.fd < 0)
		return;
	close(question[0]);
	close(question[1]);
	question[1] = -1;
	dial->process.fd = -1;
}

int vsock_dial_ask(struct vsock_dial *dial, uint32_t slot, uint32_t serial, uint32_t port)
{
	if (dial->process.fd < 0 || nr_asked == 64)
		return -EPIPE;
	asked[nr_asked++] = (struct asked){ slot, serial };
	return 0;
}

static int give(int fd)
{
	for (unsigned int i = 0; i < PROGRAMS; i++) {
		if (program[i] >= 0)
			continue;
		program[i] = fd;
		return 0;
	}
	return -1;
}

int vsock_dial_answer(struct vsock_dial *dial, uint32_t *slot, uint32_t *serial, int *fd)
{
	int pair[2];
	char how;

	*fd = -1;
	if (read(dial->process.fd, &how, 1) != 1)
		return 0;
	if (how == 'e')
		return -EPIPE;
	if (!nr_asked)
		return 0;
	*slot = asked[nr_asked - 1].slot;
	*serial = asked[--nr_asked].serial;
	if (how == 'o' &&
	    !socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair)) {
		*fd = pair[0];
		if (give(pair[1]))
			close(pair[1]);
	}
	return 1;
}

/* ---- What the host's programs do ---- */

static void connects(struct fuzz *f)
{
	static const char *const words[] = { "CONNECT 1\n", "CONNECT 2\nhello", "CONNECT", "x\n" };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const char *said = words[fuzz_u8(f) & 3];

	memcpy(sun.sun_path, address, sizeof(address));
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sa_family_t) + sizeof(address)) ||
	    give(fd)) {
		close(fd);
		return;
	}
	send(fd, said, strlen(said), MSG_NOSIGNAL);
}

static void step(struct fuzz *f)
{
	static char bytes[1 << 16];
	uint8_t what = fuzz_u8(f);
	int *fd = &program[what >> 5];

	switch (what & 15) {
	case 0:
		connects(f);
		break;
	case 1:
	case 2:
		if (*fd >= 0)
			send(*fd, bytes, fuzz_u16(f), MSG_NOSIGNAL);
		break;
	case 3:
		if (*fd >= 0)
			(void)!read(*fd, bytes, sizeof(bytes));
		break;
	case 4:
		if (*fd >= 0)
			shutdown(*fd, what & 16 ? SHUT_WR : SHUT_RD);
		break;
	case 5:
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
		break;
	case 6:
	case 7:
		if (question[1] >= 0)
			(void)!write(question[1], what & 16 ? "o" : "n", 1);
		break;
	case 8:
		if (question[1] >= 0 && (what >> 5) == 7)
			(void)!write(question[1], "e", 1);
		break;
	default:
		break;
	}
}

/* A packet of the guest that is mostly valid, of a few ports: the fuzzer's own are seldom. */
static void guest_packet(struct fuzz *f, struct driver *d)
{
	struct driver_queue *q = &d->q[1];
	uint8_t what = fuzz_u8(f), more = fuzz_u8(f);
	struct virtio_vsock_hdr hdr = {
		.src_cid = CID,
		.dst_cid = 2,
		.src_port = what & 3,
		.dst_port = what & 4 ? 77 : (1u << 30) + (what >> 3 & 7),
		.type = VIRTIO_VSOCK_TYPE_STREAM,
		.op = more & 7,
		.flags = more >> 3 & 3,
		.len = more & 0x80 ? fuzz_u16(f) : 0,
		.buf_alloc = more & 0x40 ? fuzz_u32(f) : 1 << 16,
		.fwd_cnt = more & 0x20 ? fuzz_u16(f) : 0,
	};
	struct driver_buf buf[2] = { { DATA_GPA, sizeof(hdr), false },
				     { DATA_GPA + 4096, hdr.len, false } };

	memcpy(ram(DATA_GPA), &hdr, sizeof(hdr));
	q->next_desc %= VIRTIO_FUZZ_SIZE;
	driver_add(q, buf, hdr.len ? 2 : 1);
	driver_kick(d, 1);
}

static void give_buffer(struct driver *d)
{
	struct driver_queue *q = &d->q[0];

	q->next_desc %= VIRTIO_FUZZ_SIZE;
	driver_add(q, &(struct driver_buf){ DATA_GPA + 0x8000, 4096, true }, 1);
	driver_kick(d, 0);
}

/* A well-behaved ring, so that what is behind it is reached. */
static void polite(struct fuzz *f, const void *config)
{
	struct error err = { "" };
	struct driver d;

	test_machine_init();
	FUZZ_MUST(!device_type_find("virtio-vsock")->create(&test_machine, config, &err));
	FUZZ_MUST(!device_bus_begin(&test_machine.bus, &err));
	FUZZ_MUST(driver_start(&d, test_machine.bus.dev[0], 1ull << VIRTIO_F_VERSION_1, 3,
			       VIRTIO_FUZZ_SIZE));
	for (unsigned int i = 0; f->len && i < 300; i++) {
		switch (fuzz_u8(f) & 3) {
		case 0:
			guest_packet(f, &d);
			break;
		case 1:
			give_buffer(&d);
			break;
		case 2:
			test_loop();
			break;
		default:
			step(f);
		}
	}
	test_loop();
	test_machine_exit();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct device_type *type = device_type_find("virtio-vsock");
	struct fuzz f = { data, len };
	struct error err = { "" };
	void *config = NULL;

	FUZZ_MUST(!type->parse("--vsock", "cid=5,unix:v", &config, &err));
	memset(program, 0xff, sizeof(program));
	nr_asked = 0;
	if (fuzz_u8(&f) & 1)
		polite(&f, config);
	else
		virtio_fuzz(&f, "virtio-vsock", config, 3, step);
	for (unsigned int i = 0; i < PROGRAMS; i++)
		if (program[i] >= 0)
			close(program[i]);
	type->release(config);
	return 0;
}
