// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/snapshot/restore.c userspace/armvmm-run/snapshot/part.c
// sources: userspace/armvmm-run/snapshot/pages.c userspace/armvmm-run/snapshot/facts.c
// sources: userspace/armvmm-run/virtio/virtio_mmio.c userspace/armvmm-run/virtio/virtqueue.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c
// sources: userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c userspace/armvmm-run/virtio/virtio_console.c
// sources: userspace/armvmm-run/virtio/console_port.c userspace/armvmm-run/virtio/console_control.c
// sources: userspace/armvmm-run/chardev/backend.c userspace/armvmm-run/chardev/stdio.c userspace/armvmm-run/core/chardev_backend.c
// sources: userspace/armvmm-run/virtio/virtio_rng.c userspace/armvmm-run/virtio/virtio_blk.c
// sources: userspace/armvmm-run/virtio/vhost_user_blk.c userspace/armvmm-run/virtio/vhost_user.c
// sources: userspace/armvmm-run/virtio/vhost_wire.c userspace/armvmm-run/virtio/vhost.c
// sources: userspace/armvmm-run/virtio/blk_request.c userspace/armvmm-run/virtio/disk.c
// sources: userspace/armvmm-run/virtio/disk_file.c
// sources: userspace/armvmm-run/core/filelock.c
// sources: userspace/armvmm-run/virtio/disk_format.c userspace/armvmm-run/core/identity.c
// sources: userspace/armvmm-run/core/parse.c userspace/armvmm-run/core/rate.c
// sources: userspace/armvmm-run/hw/pl011.c userspace/armvmm-run/hw/pl031.c
// sources: userspace/armvmm-run/hw/pl061.c userspace/armvmm-run/hw/fwcfg.c
// sources: userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c
// sources: userspace/armvmm-run/core/record.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/fdt_builder.c userspace/armvmm-run/core/iov.c
// sources: userspace/armvmm-run/core/thread.c userspace/armvmm-run/snapshot/places.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wno-unused
// pkgs: glib-2.0 zlib libzstd
// libs: -lfdt -lpthread
// max_len: 4096
/*
 * A snapshot that an attacker made: as it is, or with each part changed and its checksums right. A
 * machine that takes it goes on, and its devices are used. Or the memory of a running guest, round
 * after round.
 */
#include <sys/mman.h>
#include <zlib.h>

#include "core/machine_private.h"
#include "fuzz.h"
#include "snapshot/facts.h"
#include "snapshot/layout.h"
#include "snapshot/restore.h"
#include "virtio_fuzz.h"
#include "armvmm-run/posted_fake.h"
#include "virtio/disk.h"

#define FUZZ_DISK	(64u << 10)
#define FUZZ_CHANGES	16

/* ---- What the devices need of the machine ---- */

void chardev_attach(struct chardev *chr, struct chardev_client *client)
{
}

size_t chardev_write(struct chardev *chr, const void *buf, size_t len)
{
	return len / 2;
}

bool chardev_write_late(struct chardev *chr, const void *buf, size_t len)
{
	return true;
}

bool chardev_size(struct chardev *chr, uint16_t *cols, uint16_t *rows)
{
	return false;
}

void chardev_rx_ready(struct chardev *chr)
{
}

bool chardev_may_resize(const struct chardev *chr)
{
	return false;
}

bool chardev_is_attached(const struct chardev *chr)
{
	return true;
}

void chardev_set_open(struct chardev *chr, bool open)
{
}

size_t chardev_peek_kept(struct chardev *chr, uint8_t *buf, size_t len)
{
	return 0;
}

void chardev_put_kept(struct chardev *chr, const uint8_t *buf, size_t len)
{
	FUZZ_MUST(len <= LAYOUT_CONSOLE_MAX);
}

/* ---- What a restore needs of the board ---- */

int machine_raise_lines(struct machine *m)
{
	return 0;
}

struct armvmm_vcpu *machine_vcpu(struct machine *m, unsigned int index)
{
	return index < 2 ? (struct armvmm_vcpu *)m : NULL;
}

bool machine_is_held_by(const struct machine *m, enum machine_holder holder)
{
	return false;
}

void machine_tell(struct machine *m, const struct machine_event *event)
{
	FUZZ_MUST(event->type == MACHINE_EVENT_RTC || event->type == MACHINE_EVENT_READING);
}

uint64_t machine_counter(struct machine *m, int64_t *when)
{
	*when = 2;
	return 1;
}

int armvmm_vcpu_reg_get(struct armvmm_vcpu *vcpu, const char *name, uint64_t *value)
{
	*value = 0x410fc0f0;
	return 0;
}

/* The real one has a target of its own in the kernel: kselftest/fuzz. */
int armvmm_vm_state_restore(struct armvmm_vm *vm, const void *data, size_t size)
{
	return size == 7 ? -EBADMSG : 0;
}

/* ---- The stream ---- */

struct stream {
	uint8_t data[256 << 10];
	size_t len, at;
	uint32_t heads;		/* checksum of those of memory */
};

static int64_t stream_read(void *opaque, void *data, size_t len)
{
	struct stream *s = opaque;
	size_t n = len < s->len - s->at ? len : s->len - s->at;

	memcpy(data, s->data + s->at, n);
	s->at += n;
	return n;
}

static int stream_write(void *opaque, const void *data, size_t len)
{
	struct stream *s = opaque;

	FUZZ_MUST(len <= sizeof(s->data) - s->len);
	memcpy(s->data + s->len, data, len);
	s->len += len;
	return 0;
}

/* Changes some bytes of what a device wrote. */
static void change(struct fuzz *f, struct record *r)
{
	unsigned int nr = fuzz_u8(f) % FUZZ_CHANGES;

	for (unsigned int i = 0; i < nr && r->len; i++)
		r->data[fuzz_u16(f) % r->len] = fuzz_u8(f);
	if (fuzz_u8(f) == 255)
		r->len = fuzz_u16(f) % (r->len + 1);
}

static void write_memory(struct fuzz *f, struct part_writer *w, uint32_t version)
{
	struct {
		uint64_t gpa;
		uint32_t nr, method;
		uint64_t there[4], zero[4];
	} head = {
		.gpa = RAM_BASE + (fuzz_u8(f) << 12),
		.nr = fuzz_u8(f) % 8,
		.method = fuzz_u8(f) % 3,
		.there = { fuzz_u8(f) },
	};
	static uint8_t data[16 << 10];
	size_t len = fuzz_u16(f) % sizeof(data);

	if (version == PAGES_LIVE)
		head.zero[0] = fuzz_u8(f);
	if (!head.method)
		len = __builtin_popcountll(head.there[0]) * 4096 % sizeof(data);
	if (fuzz_u8(f) == 255)
		fuzz_bytes(f, &head, sizeof(head));
	fuzz_bytes(f, data, len < 256 ? len : 256);
	((struct stream *)w->opaque)->heads = crc32(((struct stream *)w->opaque)->heads,
						    (const Bytef *)&head, sizeof(head));
	part_write(w, PAGES_PART, version, &head, sizeof(head), data, len);
}

/* A snapshot of the machine as it is, but for what the input changes. */
static void write_stream(struct fuzz *f, struct stream *s)
{
	struct part_writer w = { .write = stream_write, .opaque = s };
	const uint8_t id[PART_ID_SIZE] = { 1 };
	struct record r = { .len = 0 };
	struct layout_end_file end = { .heads = 0 };
	struct facts facts;

	part_begin(&w, id, NULL);
	facts_get(&facts, &test_machine);
	facts_save(&facts, &r);
	if (fuzz_u8(f) == 255)
		change(f, &r);
	part_write(&w, FACTS_PART, FACTS_VERSION, r.data, r.len, NULL, 0);
	part_write(&w, LAYOUT_CPUS, LAYOUT_CPUS_VERSION, r.data, fuzz_u8(f) % 8, NULL, 0);
	record_free(&r);
	for (unsigned int i = 0; i < test_machine.bus.nr; i++) {
		struct device *dev = test_machine.bus.dev[i];
		char name[DEVICE_NAME_MAX];

		device_name(dev, name);
		dev->ops->save(dev, &r);
		change(f, &r);
		part_write(&w, name, dev->ops->state_version, r.data, r.len, NULL, 0);
		record_free(&r);
	}
	part_write(&w, LAYOUT_CONSOLE, LAYOUT_CONSOLE_VERSION, f->data, f->len, NULL, 0);
	s->heads = 0;
	end.count.parts = fuzz_u8(f) % 3;
	for (unsigned int i = 0; i < end.count.parts; i++)
		write_memory(f, &w, PAGES_VERSION);
	end.count.pages = fuzz_u8(f) % 16;
	end.heads = s->heads;
	/* As now, or as it was once. */
	if (fuzz_u8(f) % 4 == 3)
		part_write(&w, PART_END, LAYOUT_END_VERSION, &end.count, sizeof(end.count), NULL,
			   0);
	else
		part_write(&w, PART_END, LAYOUT_END_FILE, &end, sizeof(end), NULL, 0);
}

/* Rounds of memory, up to the first part that is wrong. */
static void take_rounds(struct fuzz *f, struct stream *s)
{
	struct part_writer w = { .write = stream_write, .opaque = s };
	struct part_reader r = { .read = stream_read, .opaque = s, .file = "a" };
	const uint8_t id[PART_ID_SIZE] = { 1 };
	struct pages_layout layout;
	struct pages_reader *p;
	struct error err = { "" };
	uint64_t pages = 0;
	int ret;

	part_begin(&w, id, NULL);
	for (unsigned int i = fuzz_u8(f) % 8; i; i--)
		write_memory(f, &w, fuzz_u8(f) == 255 ? PAGES_VERSION : PAGES_LIVE);
	layout_memory(&test_machine, &layout);
	p = pages_reader_new(&layout, PAGES_LIVE);
	ret = part_open(&r, &err);
	while (!ret) {
		ret = part_read(&r, PAGES_PART, &err);
		if (!ret)
			ret = pages_read(p, &r, &pages, &err);
	}
	FUZZ_MUST(!strncmp(err.text, "a: part memory: ", 16));
	pages_reader_free(p);
	part_reader_free(&r);
}

/* Memory that is read later: each block is there, or its file is wrong. */
static void load(struct places *p)
{
	static uint8_t room[PAGES_BLOCK];

	for (unsigned int i = 0; i < places_blocks(p); i++) {
		struct error err = { "" };
		int ret = places_load(p, i, room, &err);

		FUZZ_MUST(!ret == !err.text[0]);
		FUZZ_MUST(!ret || !strncmp(err.text, "a.snap: part memory: ", 21));
	}
}

/* Some accesses to each device, in any state that it was brought to. */
static void use(struct fuzz *f)
{
	device_bus_begin(&test_machine.bus, NULL);
	device_bus_resume(&test_machine.bus);
	test_loop();
	for (unsigned int i = 0; i < 40; i++) {
		struct device *dev = test_machine.bus.dev[fuzz_u8(f) % test_machine.bus.nr];
		uint64_t offset = dev->size > 0x1000 ? fuzz_u16(f) : fuzz_u16(f) % dev->size;
		uint64_t value = fuzz_u8(f);

		device_bus_access(&test_machine.bus, dev->base + (offset & ~3ull), &value, 4,
				  i & 1);
	}
	test_loop();
	device_bus_reset(&test_machine.bus);
}

static void make(const char *type, const void *config)
{
	const struct device_type *kind = device_type_find(type);
	struct error err = { "" };

	if (kind->builtin)
		config = machine_type_device(test_machine.type, type);
	FUZZ_MUST(!kind->create(&test_machine, config, &err));
}

/* The machine before it is saved: its devices are in use. */
static void make_machine(const char *disk)
{
	struct disk_config config = { .path = (char *)disk, .raw = true };
	static struct machine_private private;
	struct driver d;

	test_machine_init();
	test_machine.priv = &private;
	make("pl011", NULL);
	make("pl031", NULL);
	make("pl061", NULL);
	make("fw-cfg", NULL);
	make("virtio-blk", &config);
	make("virtio-console", NULL);
	make("virtio-rng", NULL);
	for (unsigned int i = 0; i < test_machine.bus.nr; i++) {
		struct device *dev = test_machine.bus.dev[i];

		if (dev->base >= VIRTIO_BASE)
			driver_start(&d, dev, offered_features(dev), dev->kind &&
				     !strcmp(dev->kind, "virtio-console") ? 2 : 1, 8);
		if (dev->ops->pause)
			dev->ops->pause(dev);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int disk = -1, file = -1;
	static struct stream stream;
	static char path[64];
	struct fuzz f = { data, len };
	struct error err = { "" };
	struct pages_layout layout;
	struct places *places = NULL;
	struct facts facts;
	uint8_t how = fuzz_u8(&f);
	int ret;

	if (disk < 0) {
		disk = memfd_create("disk", 0);
		file = memfd_create("snapshot", 0);
		FUZZ_MUST(disk >= 0 && file >= 0 && !ftruncate(disk, FUZZ_DISK));
		snprintf(path, sizeof(path), "/proc/self/fd/%d", disk);
	}
	make_machine(path);
	stream.len = stream.at = 0;
	if (how & 4) {
		take_rounds(&f, &stream);
		test_machine_exit();
		test_loop();
		return 0;
	}
	if (how & 1) {
		stream_write(&stream, f.data, f.len);
	} else {
		write_stream(&f, &stream);
		if (how & 2)
			stream.len = fuzz_u16(&f) % (stream.len + 1);
	}
	FUZZ_MUST(!ftruncate(file, 0) &&
		  pwrite(file, stream.data, stream.len, 0) == (ssize_t)stream.len);
	lseek(file, 0, SEEK_SET);
	layout_memory(&test_machine, &layout);
	if (how & 8)
		places = places_new(&layout);
	ret = restore_machine(&test_machine, &(struct restore_file){ file, "a.snap" }, 1,
			      places, &facts, &err);
	/* What was not changed is taken; whoever refuses says why, and where. */
	FUZZ_MUST(len || !ret);
	FUZZ_MUST(!ret || !strncmp(err.text, "a.snap: part ", 13));
	if (!ret && places)
		load(places);
	places_free(places);
	if (!ret)
		use(&f);
	test_machine_exit();
	test_loop();
	FUZZ_MUST(lseek(disk, 0, SEEK_END) == FUZZ_DISK);
	return 0;
}
