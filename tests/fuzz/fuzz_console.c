// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_mmio.c userspace/armvmm-run/virtio/virtqueue.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c
// sources: userspace/armvmm-run/virtio/virtio_console.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// sources: userspace/armvmm-run/virtio/console_port.c userspace/armvmm-run/virtio/console_control.c
// sources: userspace/armvmm-run/chardev/backend.c userspace/armvmm-run/chardev/stdio.c userspace/armvmm-run/core/chardev_backend.c
// sources: userspace/armvmm-run/core/parse.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wno-unused
// pkgs: glib-2.0
// libs: -lfdt -lpthread
// max_len: 1024
/*
 * virtio-console: with one port, or with several, and control queues; the last byte of an input
 * chooses. Their other ends take and send any number of bytes at any time, come and go, and change
 * their size.
 */
#define VIRTIO_FUZZ_SIZE	16
#include "virtio_fuzz.h"

#include "chardev/backend.h"
#include "core/chardev_private.h"
#include "virtio/virtio_console.h"

#define PORTS	4	/* two of them have names */

static struct chardev_client *clients[PORTS];
static unsigned int nr_clients;
static size_t room, printed;
static bool attached;

void chardev_attach(struct chardev *chr, struct chardev_client *c)
{
	clients[nr_clients++ % PORTS] = c;
}

size_t chardev_write(struct chardev *chr, const void *buf, size_t len)
{
	static uint8_t sink[65536];
	size_t n = len < room ? len : room;

	FUZZ_MUST(n <= sizeof(sink));
	memcpy(sink, buf, n);
	printed += n;
	room -= n;
	return n;
}

bool chardev_size(struct chardev *chr, uint16_t *cols, uint16_t *rows)
{
	*cols = 80;
	*rows = 24;
	return printed & 1;
}

void chardev_rx_ready(struct chardev *chr)
{
}

bool chardev_may_resize(const struct chardev *chr)
{
	return chr;
}

bool chardev_is_attached(const struct chardev *chr)
{
	return attached;
}

void chardev_set_open(struct chardev *chr, bool open)
{
}

/* ---- Back ends for several ports ---- */

static void end_destroy(struct chardev *chr)
{
	free(chr);
}

static const struct chardev_ops end_ops = { .destroy = end_destroy };

static int end_create(struct machine *m, const struct backend *backend, bool stream,
		      struct chardev **chr, struct error *err)
{
	*chr = calloc(1, sizeof(**chr));
	(*chr)->ops = &end_ops;
	return 0;
}

static const struct backend_type end_type = { .name = "end", .args = "end", .create = end_create };
BACKEND_TYPE(end_type);

/* A message as a driver sends it, and a buffer for an answer: the code behind is often reached. */
static void control(struct fuzz *f)
{
	struct driver *d = virtio_fuzz_driver;
	uint8_t what = fuzz_u8(f), id = fuzz_u8(f);
	const struct virtio_console_control head = { id % (PORTS + 1), what >> 1 & 15, what & 1 };
	const uint64_t gpa = DATA_GPA + 0x8000 + id * 16;

	memcpy(ram(gpa), &head, sizeof(head));
	driver_add(&d->q[CONSOLE_CONTROL_TX], &(struct driver_buf){ gpa, sizeof(head), false }, 1);
	if (what & 32)
		driver_add(&d->q[CONSOLE_CONTROL_RX],
			   &(struct driver_buf){ gpa + 0x2000, id, true }, 1);
	driver_kick(d, CONSOLE_CONTROL_TX);
}

static void step(struct fuzz *f)
{
	static const uint8_t keys[64] = "keys";
	uint8_t what = fuzz_u8(f);
	struct chardev_client *client = nr_clients ? clients[(what >> 6) % nr_clients] : NULL;

	if (!client || (nr_clients == 1 && what & 0xc0))
		return;
	if (nr_clients > 1 && (what & 60) == 56) {
		control(f);
	} else if ((what & 60) == 60) {
		attached = what & 1;
		if (what & 2 && client->resized)
			client->resized(client);
		if (client->attached)
			client->attached(client);
	} else if (what & 32) {
		room = what & 31;
		if (client->tx_room)
			client->tx_room(client);
	} else if (client->rx_room(client)) {
		size_t n = client->rx_room(client);

		client->receive(client, keys, n < (what & 31) ? n : what & 31);
	}
}

static void fuzz_ports(struct fuzz *f)
{
	static const char *const args[PORTS] = { "end", "end,name=a", "end", "end,name=org.b.0" };
	const struct device_type *type = device_type_find("virtio-console");
	const void *configs[PORTS];
	struct error err;

	test_machine_init();
	for (unsigned int i = 0; i < PORTS; i++) {
		void *config = NULL;

		FUZZ_MUST(!type->parse("--console", args[i], &config, &err));
		configs[i] = config;
	}
	FUZZ_MUST(!type->create_all(&test_machine, configs, PORTS, &err));
	virtio_fuzz_device(f, 2 * PORTS + 2, step);
	device_bus_destroy(&test_machine.bus);
	chardev_list_destroy(&test_machine.chardevs);
	for (unsigned int i = 0; i < PORTS; i++)
		type->release((void *)configs[i]);
	test_machine_exit();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };

	nr_clients = 0;
	room = 40;
	printed = 0;
	attached = true;
	if (len && data[len - 1] & 1)
		fuzz_ports(&f);
	else
		virtio_fuzz(&f, "virtio-console", NULL, 2, step);
	return 0;
}
