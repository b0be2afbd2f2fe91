// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_console.c userspace/armvmm-run/virtio/virtio_mmio.c
// sources: userspace/armvmm-run/virtio/console_port.c userspace/armvmm-run/virtio/console_control.c
// sources: userspace/armvmm-run/chardev/backend.c userspace/armvmm-run/chardev/stdio.c
// sources: userspace/armvmm-run/core/chardev.c userspace/armvmm-run/core/chardev_backend.c
// sources: userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// virtio-console with several ports: what the driver is told of them, and a driver that tells lies.
#include "armvmm-run/device_make.h"
#include "armvmm-run/state_move.h"
#include "armvmm-run/virtio/virtio_driver.h"

#include "chardev/backend.h"
#include "core/chardev_private.h"

#define V1		(1ULL << VIRTIO_F_VERSION_1)
#define MULTIPORT	2	/* the feature's bit */
#define QSIZE		16
#define CONTROL_RX	2
#define CONTROL_TX	3

/* Messages (virtio 1.2 5.3.6.2). */
enum {
	DEVICE_READY, PORT_ADD, PORT_REMOVE, PORT_READY, CONSOLE_PORT, RESIZE, PORT_OPEN, PORT_NAME,
};

struct head {
	uint32_t id;
	uint16_t event, value;
};

/* ---- Back ends, whose other ends are the test's ---- */

struct other_end {
	struct chardev chr;
	char out[4096];
	size_t len, room;
	uint16_t cols, rows;
	bool stream;
};

static struct other_end *ends[8];
static unsigned int nr_ends;

static size_t end_write(struct chardev *chr, const uint8_t *buf, size_t len, bool late, bool *room)
{
	struct other_end *end = container_of(chr, struct other_end, chr);

	if (len > end->room)
		len = end->room;
	memcpy(end->out + end->len, buf, len);
	end->len += len;
	end->room -= len;
	return len;
}

static void end_woken(struct chardev *chr)
{
	chardev_deliver(chr);
}

static bool end_size(struct chardev *chr, uint16_t *cols, uint16_t *rows)
{
	struct other_end *end = container_of(chr, struct other_end, chr);

	*cols = end->cols;
	*rows = end->rows;
	return *cols;
}

static void end_resize(struct chardev *chr, uint16_t cols, uint16_t rows)
{
	struct other_end *end = container_of(chr, struct other_end, chr);

	end->cols = cols;
	end->rows = rows;
	chardev_tell_size(chr);
}

static void end_destroy(struct chardev *chr)
{
	struct other_end *end = container_of(chr, struct other_end, chr);

	chardev_exit(chr);
	free(end);
}

static int end_create(struct machine *m, const struct backend *backend, bool stream,
		      struct chardev **chr, struct error *err);

static const struct backend_type end_type = { .name = "end", .args = "end", .create = end_create };
BACKEND_TYPE(end_type);

/* One that never has a size, as a file. */
static const struct backend_type flat_type = {
	.name = "flat", .args = "flat", .create = end_create,
};
BACKEND_TYPE(flat_type);

static int end_create(struct machine *m, const struct backend *backend, bool stream,
		      struct chardev **chr, struct error *err)
{
	static const struct chardev_ops ops = {
		.write = end_write, .woken = end_woken, .size = end_size,
		.resize = end_resize, .destroy = end_destroy,
	};
	static const struct chardev_ops flat = {
		.write = end_write, .woken = end_woken, .destroy = end_destroy,
	};
	struct other_end *end = calloc(1, sizeof(*end));

	end->room = sizeof(end->out);
	end->stream = stream;
	ends[nr_ends++ % 8] = end;
	*chr = &end->chr;
	return chardev_init(&end->chr, backend->type == &flat_type ? &flat : &ops, "test", err);
}

/* Something is typed at the other end. */
static void type(unsigned int i, const char *text)
{
	ring_put(&ends[i]->chr.in, (const uint8_t *)text, strlen(text));
	chardev_deliver(&ends[i]->chr);
}

/* ---- The device and its driver ---- */

static struct driver d;
static void *configs[9];
static unsigned int nr_configs;

static const struct device_type *console(void)
{
	return device_type_find("virtio-console");
}

static int make(const char *const *args, struct error *err)
{
	int ret = 0;

	nr_ends = nr_configs = 0;
	for (; !ret && args[nr_configs]; nr_configs++)
		ret = console()->parse("--console", args[nr_configs], &configs[nr_configs], err);
	if (!ret)
		ret = console()->create_all(&test_machine, (const void *const *)configs,
					    nr_configs, err);
	return ret;
}

static void done(void)
{
	device_bus_destroy(&test_machine.bus);
	chardev_list_destroy(&test_machine.chardevs);
	while (nr_configs)
		console()->release(configs[--nr_configs]);
}

/* A console, a program's port and another console. */
static struct device *three(void)
{
	static const char *const args[] = { "end", "end,name=org.test.0", "end", NULL };
	struct error err;

	test_machine_init();
	KTAP_EQ(make(args, &err), 0);
	return test_machine.bus.dev[0];
}

static void finish(void)
{
	done();
	test_machine_exit();
}

static struct head *told(unsigned int i)
{
	return ram(DATA_GPA + i * 0x1000);
}

static void add_buffers(unsigned int index, unsigned int nr, uint32_t len)
{
	for (unsigned int i = 0; i < nr; i++) {
		memset(told(i), 0xee, 100);
		driver_add(&d.q[index],
			   &(struct driver_buf){ DATA_GPA + i * 0x1000, len, true }, 1);
	}
	driver_kick(&d, index);
}

static void say_bytes(const void *bytes, size_t len)
{
	static unsigned int next;
	uint64_t gpa = DATA_GPA + 0x80000 + next++ % 64 * 0x100;

	memcpy(ram(gpa), bytes, len);
	driver_add(&d.q[CONTROL_TX], &(struct driver_buf){ gpa, len, false }, 1);
	driver_kick(&d, CONTROL_TX);
	test_loop();
}

static void say(uint32_t id, uint16_t event, uint16_t value)
{
	const struct head head = { id, event, value };

	say_bytes(&head, sizeof(head));
}

/* The driver is told that next, in @len bytes. */
static void expect(uint32_t id, uint16_t event, uint16_t value, uint32_t len)
{
	struct vring_used_elem used;
	const struct head *head;

	if (!driver_nr_used(&d.q[CONTROL_RX])) {
		KTAP_FAIL("not told %u of port %u", event, id);
		return;
	}
	used = driver_used(&d.q[CONTROL_RX]);
	head = ram(d.q[CONTROL_RX].desc[used.id].addr);
	KTAP_EQ(head->id, id);
	KTAP_EQ(head->event, event);
	KTAP_EQ(head->value, value);
	KTAP_EQ(used.len, len);
}

static void quiet(void)
{
	KTAP_EQ(driver_nr_used(&d.q[CONTROL_RX]), 0);
}

static void start(struct device *dev, uint64_t features)
{
	KTAP_TRUE(driver_start(&d, dev, V1 | features, 8, QSIZE));
}

static void test_offer(void)
{
	static const char *const one[] = { "end", NULL }, *const named[] = { "end,name=a", NULL };
	static const char *const flat[] = { "flat", NULL };
	static const char *const several[] = { "flat", "flat", NULL };
	struct device *dev = three();
	struct error err;

	KTAP_EQ(offered_features(dev) & 3, 3);
	KTAP_EQ(dev->ops->read(dev, 0x104, 4), 3);
	KTAP_TRUE(!ends[0]->stream && ends[1]->stream && !ends[2]->stream);
	finish();
	/* One console is what it always was. */
	test_machine_init();
	KTAP_EQ(make(one, &err), 0);
	dev = test_machine.bus.dev[0];
	KTAP_EQ(offered_features(dev) & 3, 1);
	KTAP_EQ(dev->ops->read(dev, 0x104, 4), 0);
	ends[0]->chr.ops->resize(&ends[0]->chr, 100, 40);
	KTAP_EQ(dev->ops->read(dev, 0x100, 4), 40 << 16 | 100);
	finish();
	test_machine_init();
	KTAP_EQ(make(named, &err), 0);
	KTAP_EQ(offered_features(test_machine.bus.dev[0]) & 3, 2);
	finish();
	/* What will never have a size is offered none. Several may get other ends by a restore. */
	test_machine_init();
	KTAP_EQ(make(flat, &err), 0);
	KTAP_EQ(offered_features(test_machine.bus.dev[0]) & 3, 0);
	finish();
	test_machine_init();
	KTAP_EQ(make(several, &err), 0);
	KTAP_EQ(offered_features(test_machine.bus.dev[0]) & 3, 3);
	finish();
}

/* From DEVICE_READY on, in the order of virtio 1.2 5.3.5. */
static void begin(struct device *dev)
{
	start(dev, 3);
	add_buffers(CONTROL_RX, 12, 256);
	quiet();
	say(-1, DEVICE_READY, 1);
	for (unsigned int i = 0; i < 3; i++)
		expect(i, PORT_ADD, 1, 8);
	quiet();
}

static void test_hello(void)
{
	struct device *dev = three();

	ends[0]->cols = 132;
	ends[0]->rows = 50;
	begin(dev);
	KTAP_TRUE(!ends[0]->chr.frontend_open);
	say(0, PORT_READY, 1);
	expect(0, CONSOLE_PORT, 1, 8);
	expect(0, PORT_OPEN, 1, 8);
	expect(0, RESIZE, 1, 12);
	KTAP_MEMEQ((char *)told(5) + 8, "\x84\0\x32\0", 4);
	quiet();
	say(1, PORT_READY, 1);
	expect(1, PORT_NAME, 1, 8 + 10);
	KTAP_MEMEQ((char *)told(6) + 8, "org.test.0", 10);
	expect(1, PORT_OPEN, 1, 8);
	/* One without a size is not told of any. */
	say(2, PORT_READY, 1);
	expect(2, CONSOLE_PORT, 1, 8);
	expect(2, PORT_OPEN, 1, 8);
	quiet();
	ends[2]->chr.ops->resize(&ends[2]->chr, 90, 30);
	expect(2, RESIZE, 1, 12);
	chardev_set_attached(&ends[1]->chr, false);
	expect(1, PORT_OPEN, 0, 8);
	/* There are no buffers any more, and nothing piles up: the last state is told, once. */
	for (unsigned int i = 0; i < 101; i++)
		chardev_set_attached(&ends[1]->chr, !(i & 1));
	chardev_set_attached(&ends[2]->chr, false);
	quiet();
	add_buffers(CONTROL_RX, 8, 256);
	expect(1, PORT_OPEN, 1, 8);
	quiet();
	finish();
}

static void test_data(void)
{
	struct driver_buf out = { DATA_GPA + 0x40000, 5, false };
	struct device *dev = three();

	begin(dev);
	memcpy(ram(out.gpa), "hello", 5);
	for (unsigned int i = 0; i < 3; i++) {
		unsigned int rx = i ? 2 * i + 2 : 0;

		driver_add(&d.q[rx + 1], &out, 1);
		driver_kick(&d, rx + 1);
		KTAP_EQ(driver_nr_used(&d.q[rx + 1]), 1);
		KTAP_EQ(ends[i]->len, 5);
		KTAP_MEMEQ(ends[i]->out, "hello", 5);

		/* No input before the guest has opened the port: its driver would drop it. */
		driver_add(&d.q[rx], &(struct driver_buf){ DATA_GPA + 0x50000, 64, true }, 1);
		driver_kick(&d, rx);
		type(i, "typed");
		test_loop();
		KTAP_EQ(driver_nr_used(&d.q[rx]), 0);
		say(i, PORT_OPEN, 1);
		KTAP_TRUE(ends[i]->chr.frontend_open);
		KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[rx]) == 1));
		KTAP_EQ(driver_used(&d.q[rx]).len, 5);
		KTAP_MEMEQ(ram(DATA_GPA + 0x50000), "typed", 5);
		say(i, PORT_OPEN, 0);
		KTAP_TRUE(!ends[i]->chr.frontend_open);
		driver_add(&d.q[rx], &(struct driver_buf){ DATA_GPA + 0x50000, 64, true }, 1);
		type(i, "again");
		test_loop();
		KTAP_EQ(driver_nr_used(&d.q[rx]), 0);
	}
	/* One that takes nothing keeps only its own port waiting. */
	ends[1]->room = 2;
	driver_add(&d.q[5], &out, 1);
	driver_kick(&d, 5);
	KTAP_EQ(driver_nr_used(&d.q[5]), 1);
	KTAP_EQ(ends[1]->len, 7);
	driver_add(&d.q[7], &out, 1);
	driver_kick(&d, 7);
	KTAP_EQ(driver_nr_used(&d.q[7]), 2);
	ends[1]->room = 100;
	chardev_tell_room(&ends[1]->chr);
	KTAP_EQ(driver_nr_used(&d.q[5]), 2);
	KTAP_EQ(ends[1]->len, 10);
	/* A reset closes all. */
	say(1, PORT_OPEN, 1);
	reg_write(dev, VIRTIO_MMIO_STATUS, 0);
	KTAP_TRUE(!ends[1]->chr.frontend_open);
	finish();
}

/* A driver that does not know the feature has the first port, without a word. */
static void test_old_driver(void)
{
	struct driver_buf out = { DATA_GPA, 5, false };
	struct device *dev = three();

	KTAP_TRUE(driver_start(&d, dev, V1, 8, QSIZE));
	memcpy(ram(DATA_GPA), "hello", 5);
	for (unsigned int tx = 1; tx < 8; tx += 2) {
		driver_add(&d.q[tx], &out, 1);
		driver_kick(&d, tx);
		test_loop();
		KTAP_EQ(driver_nr_used(&d.q[tx]), tx == 1);
	}
	KTAP_EQ(ends[0]->len, 5);
	KTAP_EQ(ends[1]->len, 0);
	for (unsigned int rx = 0; rx < 8; rx += 2) {
		driver_add(&d.q[rx], &(struct driver_buf){ DATA_GPA + 0x1000, 64, true }, 1);
		driver_kick(&d, rx);
	}
	for (unsigned int i = 0; i < 3; i++)
		type(i, "typed");
	test_loop();
	for (unsigned int rx = 0; rx < 8; rx += 2)
		KTAP_EQ(driver_nr_used(&d.q[rx]), !rx);
	chardev_set_attached(&ends[1]->chr, false);
	ends[2]->chr.ops->resize(&ends[2]->chr, 90, 30);
	quiet();
	finish();
}

static void test_lies(void)
{
	struct device *dev = three();
	uint8_t noise[64];

	begin(dev);
	/* Ports that there are not, events that are the device's, too little, too much. */
	for (unsigned int event = 0; event < 20; event++) {
		say(3, event, 1);
		say(0x80000000, event, 1);
		say(UINT32_MAX, event ? event : 1, 0);
	}
	expect(0, PORT_ADD, 1, 8);
	expect(1, PORT_ADD, 1, 8);
	expect(2, PORT_ADD, 1, 8);
	KTAP_TRUE(!driver_needs_reset(&d));
	while (driver_nr_used(&d.q[CONTROL_RX]))
		driver_used(&d.q[CONTROL_RX]);
	for (size_t len = 1; len < 8; len++)
		say_bytes("\0\0\0\0\3\0\1", len);
	quiet();
	memset(noise, 0xff, sizeof(noise));
	memcpy(noise, "\1\0\0\0\3\0\1\0", 8);
	say_bytes(noise, sizeof(noise));
	KTAP_EQ(driver_nr_used(&d.q[CONTROL_RX]), 2);
	/* A port that is ready again and again is told what it is each time there is a buffer. */
	for (unsigned int i = 0; i < 1000; i++)
		say(1, PORT_READY, 1);
	KTAP_TRUE(driver_nr_used(&d.q[CONTROL_RX]) <= 16);
	KTAP_TRUE(!driver_needs_reset(&d));
	/* Messages without end: each turn takes some, and ends. */
	for (unsigned int i = 0; i < 16; i++)
		driver_add(&d.q[CONTROL_TX], &(struct driver_buf){ DATA_GPA, 8, true }, 1);
	driver_kick(&d, CONTROL_TX);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[CONTROL_TX]) >= 16));
	finish();

	/* A buffer that is too small for the name. */
	dev = three();
	start(dev, 3);
	add_buffers(CONTROL_RX, 3, 17);
	say(1, PORT_READY, 1);
	KTAP_TRUE(driver_needs_reset(&d));
	KTAP_STREQ(test_last_note,
		   "virtio-console in slot 0 needs a reset: a buffer for a control message is too small");
	/* And one that cannot be written. */
	start(dev, 3);
	driver_add(&d.q[CONTROL_RX], &(struct driver_buf){ DATA_GPA, 64, false }, 1);
	say(0, DEVICE_READY, 1);
	KTAP_TRUE(driver_needs_reset(&d));
	finish();
}

/* A guest that moves knows its ports, and hears what has changed. */
static void test_saved(void)
{
	static const char *const same[] = { "end", "end,name=org.test.0", "end", NULL };
	static const char *const other[] = { "end", "end,name=org.test.1", "end", NULL };
	static const char *const fewer[] = { "end", "end,name=org.test.0", NULL };
	struct driver_buf out = { DATA_GPA + 0x40000, 1000, false };
	struct device *dev = three();
	struct record saved;
	struct error err;

	begin(dev);
	say(1, PORT_READY, 1);
	expect(1, PORT_NAME, 1, 18);
	expect(1, PORT_OPEN, 1, 8);
	say(1, PORT_OPEN, 1);
	/* A message for which there is no buffer, and a chain that is half written. */
	add_buffers(CONTROL_RX, 0, 0);
	for (unsigned int i = 0; i < 7; i++)
		say(1, PORT_READY, 1);
	while (driver_nr_used(&d.q[CONTROL_RX]))
		driver_used(&d.q[CONTROL_RX]);
	for (unsigned int i = 0; i < 1000; i++)
		((char *)ram(out.gpa))[i] = 'a' + i % 26;
	ends[1]->room = 10;
	driver_add(&d.q[5], &out, 1);
	driver_kick(&d, 5);
	KTAP_EQ(ends[1]->len, 10);
	state_save(dev, &saved);
	done();

	test_next_slot = 0;
	KTAP_EQ(make(other, &err), 0);
	KTAP_EQ(state_restore(test_machine.bus.dev[0], &saved, saved.len, &err), -EBADMSG);
	KTAP_STREQ(err.text, "its port 1 was org.test.0, and is org.test.1 (--console)");
	done();
	test_next_slot = 0;
	KTAP_EQ(make(fewer, &err), 0);
	KTAP_EQ(state_restore(test_machine.bus.dev[0], &saved, saved.len, &err), -EBADMSG);
	done();

	test_next_slot = 0;
	KTAP_EQ(make(same, &err), 0);
	d.dev = dev = test_machine.bus.dev[0];
	ends[1]->room = 0;
	state_torture(dev, &saved);
	dev->ops->reset(dev);
	ends[1]->len = 0;
	ends[1]->room = 20;
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	KTAP_TRUE(ends[1]->chr.frontend_open);
	chardev_set_attached(&ends[1]->chr, false);
	dev->ops->resume(dev);
	KTAP_TRUE(TEST_UNTIL(ends[1]->len == 20));
	KTAP_MEMEQ(ends[1]->out, (char *)ram(out.gpa) + 10, 20);
	ends[1]->room = 4000;
	chardev_tell_room(&ends[1]->chr);
	KTAP_EQ(ends[1]->len, 990);
	add_buffers(CONTROL_RX, 4, 256);
	test_loop();
	expect(1, PORT_NAME, 1, 18);
	expect(1, PORT_OPEN, 0, 8);
	quiet();
	driver_add(&d.q[4], &(struct driver_buf){ DATA_GPA + 0x50000, 64, true }, 1);
	driver_kick(&d, 4);
	type(1, "typed");
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[4]) == 1));
	record_free(&saved);
	finish();
}

static void test_many(void)
{
	static const char *const all[] = { "end", "end", "end", "end", "end", "end", "end", "end",
					   NULL };
	static const char *const twice[] = { "virtio", "stdio", NULL };
	static const char *const names[] = { "end,name=a", "end,name=a", NULL };
	struct error err;

	test_machine_init();
	KTAP_EQ(make(all, &err), 0);
	KTAP_TRUE(driver_start(&d, test_machine.bus.dev[0], V1 | 2, 18, QSIZE));
	driver_add(&d.q[17], &(struct driver_buf){ DATA_GPA, 5, false }, 1);
	driver_kick(&d, 17);
	KTAP_EQ(ends[7]->len, 5);
	finish();
	test_machine_init();
	KTAP_EQ(make(twice, &err), -EBUSY);
	KTAP_STREQ(err.text, "--console: another console has the terminal");
	finish();
	test_machine_init();
	KTAP_EQ(make(names, &err), -EEXIST);
	KTAP_STREQ(err.text, "--console: there is another console of the name a");
	finish();
}

static void refused(const char *args, const char *why)
{
	struct error err;
	void *config = NULL;

	KTAP_EQ(console()->parse(args, args, &config, &err), -EINVAL);
	KTAP_TRUE(!strncmp(err.text, args, strlen(args)));
	KTAP_STREQ(err.text + strlen(args), why);
	console()->release(config);
}

static void test_words(void)
{
	static const char name[] = ": name must be 1 to 63 characters, without blanks or slashes";

	refused("virtio,x", ": unknown word \"x\" (--device help lists those of stdio)");
	refused("virtiox", ": must begin with stdio, null, pty, file:PATH or unix:PATH");
	refused("end,bus=isa", ": bus must be mmio or pcie");
	refused("end,name=", name);
	refused("end,name=a/b", name);
	refused("end,name=a b", name);
	refused("end,name=0123456789012345678901234567890123456789012345678901234567890123", name);
}

KTAP_MAIN(KTAP_CASE(test_offer), KTAP_CASE(test_hello), KTAP_CASE(test_data),
	  KTAP_CASE(test_old_driver), KTAP_CASE(test_lies), KTAP_CASE(test_saved),
	  KTAP_CASE(test_many), KTAP_CASE(test_words))
