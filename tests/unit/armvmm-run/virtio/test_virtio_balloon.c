// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_balloon.c userspace/armvmm-run/virtio/virtio_mmio.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// virtio-balloon: what goes back to the host and what does not, sizes, statistics, reports.
#include <endian.h>

#include "armvmm-run/device_make.h"
#include "armvmm-run/state_move.h"
#include "armvmm-run/virtio/virtio_driver.h"
#include "core/balloon.h"
#include "core/runstate.h"

#define V1	(1ULL << VIRTIO_F_VERSION_1)
#define STATS	(1ULL << 1)
#define POISON	(1ULL << 4)
#define REPORT	(1ULL << 5)
#define QSIZE	16
#define PAGE	4096u
#define CONFIG	0x100		/* num_pages, actual, free_page_hint_cmd_id, poison_val */
#define PFNS	DATA_GPA	/* where lists of pages are */
#define PAGES	(RAM_BASE + 0x400000)	/* pages that come and go */

static struct driver d;
static struct device *dev;
static unsigned int nr_told;
static uint64_t told;

void machine_tell(struct machine *m, const struct machine_event *event)
{
	if (event->type == MACHINE_EVENT_BALLOON) {
		nr_told++;
		told = event->bytes;
	}
}

static void setup(const char *words, uint64_t features, unsigned int nr_queues)
{
	test_machine_init();
	nr_told = 0;
	dev = device_made(&test_machine, "virtio-balloon", words);
	KTAP_TRUE(driver_start(&d, dev, V1 | features, nr_queues, QSIZE));
}

static struct balloon *balloon(void)
{
	return test_machine.balloon;
}

static void fill(uint64_t gpa, unsigned int pages)
{
	memset(ram(gpa), 0x55, pages * PAGE);
}

/* How many of the pages still have what fill() wrote, every byte of it. */
static unsigned int nr_kept(uint64_t gpa, unsigned int pages)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < pages; i++) {
		const uint8_t *p = ram(gpa + i * PAGE);

		n += p[0] == 0x55 && !memcmp(p, p + 1, PAGE - 1);
	}
	return n;
}

static void send(unsigned int queue, uint64_t gpa, uint32_t len, bool write)
{
	driver_add(&d.q[queue], &(struct driver_buf){ gpa, len, write }, 1);
	driver_kick(&d, queue);
}

static void inflate(const uint32_t *pfn, unsigned int nr)
{
	uint32_t *list = ram(PFNS);

	for (unsigned int i = 0; i < nr; i++)
		list[i] = htole32(pfn[i]);
	send(0, PFNS, nr * 4, false);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[0]) == 1));
	KTAP_EQ(driver_used(&d.q[0]).len, 0);
}

/* As wide as the driver writes it: byte by byte in version 1. */
static void config_write(unsigned int offset, uint32_t value)
{
	if (!test_legacy) {
		dev->ops->write(dev, CONFIG + offset, 4, value);
		return;
	}
	for (unsigned int i = 0; i < 4; i++)
		dev->ops->write(dev, CONFIG + offset + i, 1, value >> (8 * i) & 0xff);
}

static void test_inflates_what_it_is_told(void)
{
	uint32_t base = PAGES / PAGE;

	setup(NULL, 0, 2);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_DEVICE_ID), 5);
	fill(PAGES, 16);
	/* Up, down, alone, twice, and some that are no RAM. */
	inflate((uint32_t[]){ base + 1, base + 2, base + 3, base + 9, base + 8, base + 7, base + 12,
			      base + 12, 0, 0xffffffff, RAM_BASE / PAGE - 1,
			      (RAM_BASE + RAM_SIZE) / PAGE, base + 14 }, 13);
	KTAP_EQ(nr_kept(PAGES, 16), 8);
	KTAP_EQ(nr_kept(PAGES, 1), 1);
	KTAP_EQ(nr_kept(PAGES + 4 * PAGE, 3), 3);
	KTAP_EQ(nr_kept(PAGES + 10 * PAGE, 2), 2);
	KTAP_EQ(nr_kept(PAGES + 13 * PAGE, 1), 1);
	KTAP_EQ(nr_kept(PAGES + 15 * PAGE, 1), 1);
	/* What comes back is empty, and its own. */
	KTAP_EQ(*(uint32_t *)ram(PAGES + PAGE), 0);
	send(1, PFNS, 4, false);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[1]) == 1));
	test_machine_exit();
}

/* The last pages of RAM next to what is no RAM: all that can be given back is. */
static void test_the_end_of_ram(void)
{
	uint32_t end = (RAM_BASE + RAM_SIZE) / PAGE;

	setup(NULL, 0, 2);
	fill(RAM_BASE + RAM_SIZE - 2 * PAGE, 2);
	inflate((uint32_t[]){ end - 2, end - 1, end, end + 1 }, 4);
	KTAP_EQ(nr_kept(RAM_BASE + RAM_SIZE - 2 * PAGE, 2), 0);
	test_machine_exit();
}

/* A list as long as memory is worked off in pieces: others are served in between. */
static void test_long_list(void)
{
	unsigned int rounds = 0;

	setup(NULL, 0, 2);
	fill(PAGES, 64);
	for (unsigned int i = 0; i < 0x40000; i++)
		((uint32_t *)ram(PFNS))[i] = htole32(PAGES / PAGE + i % 64);
	send(0, PFNS, 0x100000, false);
	while (driver_nr_used(&d.q[0]) == 0 && rounds < 100000)
		rounds += g_main_context_iteration(NULL, FALSE);
	KTAP_TRUE(rounds >= 256);
	KTAP_EQ(driver_nr_used(&d.q[0]), 1);
	KTAP_EQ(nr_kept(PAGES, 64), 0);

	/* A reset in the middle forgets the rest. */
	send(0, PFNS, 0x100000, false);
	g_main_context_iteration(NULL, FALSE);
	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	fill(PAGES, 64);
	test_loop();
	KTAP_EQ(driver_nr_used(&d.q[0]), 0);
	KTAP_EQ(nr_kept(PAGES, 64), 64);
	inflate((uint32_t[]){ PAGES / PAGE }, 1);
	KTAP_EQ(nr_kept(PAGES, 64), 63);
	test_machine_exit();
}

/* Where the host pins guest memory, pages stay what they are for the guest and for devices. */
static void test_pinned(void)
{
	test_machine_init();
	test_machine.mem.pinned = true;
	test_warnings = 0;
	KTAP_EQ(device_make(&test_machine, "virtio-balloon", NULL, &(struct error){ "" }), 0);
	KTAP_EQ(test_warnings, 1);
	KTAP_TRUE(strstr(test_last_warning, "pins"));
	dev = test_machine.bus.dev[0];
	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	fill(PAGES, 1);
	inflate((uint32_t[]){ PAGES / PAGE }, 1);
	KTAP_EQ(nr_kept(PAGES, 1), 1);
	test_machine_exit();
}

static struct {
	unsigned int nr, kept;
	uint64_t gpa, size;
} unpinned;

/* When the guest loses the page, what the client has there is already another. */
static void unpin(void *opaque, uint64_t gpa, uint64_t size)
{
	KTAP_TRUE(opaque == &unpinned);
	unpinned.nr++;
	unpinned.gpa = gpa;
	unpinned.size = size;
	unpinned.kept += nr_kept(gpa, size / PAGE);
}

/* ... until it unpins them. */
static void test_unpinned(void)
{
	test_machine_init();
	test_machine.mem.pinned = true;
	test_machine.mem.unpin = unpin;
	test_machine.mem.unpin_opaque = &unpinned;
	test_warnings = 0;
	KTAP_EQ(device_make(&test_machine, "virtio-balloon", NULL, &(struct error){ "" }), 0);
	KTAP_EQ(test_warnings, 0);
	dev = test_machine.bus.dev[0];
	KTAP_TRUE(driver_start(&d, dev, V1, 2, QSIZE));
	fill(PAGES, 4);
	inflate((uint32_t[]){ PAGES / PAGE + 1, PAGES / PAGE + 2 }, 2);
	KTAP_EQ(nr_kept(PAGES, 4), 2);
	KTAP_EQ(unpinned.nr, 1);
	KTAP_EQ(unpinned.gpa, PAGES + PAGE);
	KTAP_EQ(unpinned.size, 2 * PAGE);
	KTAP_EQ(unpinned.kept, 0);
	test_machine_exit();
}

static void test_size(void)
{
	uint32_t generation;

	setup(NULL, 0, 2);
	KTAP_EQ(balloon()->ops->actual(balloon()), RAM_SIZE);
	generation = reg_read(dev, VIRTIO_MMIO_CONFIG_GENERATION);
	balloon()->ops->ask(balloon(), RAM_SIZE - 8 * PAGE);
	KTAP_EQ(reg_read(dev, CONFIG), 8);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS), 2);
	if (!test_legacy)
		KTAP_TRUE(reg_read(dev, VIRTIO_MMIO_CONFIG_GENERATION) != generation);
	config_write(4, 8);
	KTAP_EQ(reg_read(dev, CONFIG + 4), 8);
	KTAP_EQ(balloon()->ops->actual(balloon()), RAM_SIZE - 8 * PAGE);
	KTAP_TRUE(TEST_UNTIL(nr_told));
	KTAP_EQ(told, RAM_SIZE - 8 * PAGE);

	/* The driver may write two fields and no others, and may write anything. */
	config_write(0, 77);
	config_write(8, 77);
	dev->ops->write(dev, CONFIG + 16, 4, 77);
	KTAP_EQ(reg_read(dev, CONFIG), 8);
	KTAP_EQ(reg_read(dev, CONFIG + 8), 0);
	config_write(4, 0xffffffff);
	KTAP_EQ(balloon()->ops->actual(balloon()), 0);

	/* More than all is all. */
	balloon()->ops->ask(balloon(), UINT64_MAX);
	KTAP_EQ(reg_read(dev, CONFIG), 0);
	balloon()->ops->ask(balloon(), 1);
	KTAP_EQ(reg_read(dev, CONFIG), RAM_SIZE / PAGE - 1);

	/* The next driver finds what is asked for, and an empty balloon. */
	dev->ops->reset(dev);
	KTAP_EQ(reg_read(dev, CONFIG), RAM_SIZE / PAGE - 1);
	KTAP_EQ(reg_read(dev, CONFIG + 4), 0);
	test_machine_exit();
}

/* A driver that changes its mind all the time does not flood who listens. */
static void test_events_are_few(void)
{
	gint64 end;

	setup(NULL, 0, 2);
	end = g_get_monotonic_time() + 1500 * 1000;
	for (unsigned int i = 1; g_get_monotonic_time() < end; i++) {
		config_write(4, i % 1000 + 1);
		test_loop();
	}
	KTAP_TRUE(nr_told >= 1 && nr_told <= 2);
	config_write(4, 5);
	TEST_UNTIL(told == RAM_SIZE - 5 * PAGE);
	KTAP_EQ(told, RAM_SIZE - 5 * PAGE);
	test_machine_exit();
}

static void put_stat(unsigned int i, uint16_t tag, uint64_t value)
{
	uint8_t *p = ram(DATA_GPA + 10 * i);

	tag = htole16(tag);
	value = htole64(value);
	memcpy(p, &tag, 2);
	memcpy(p + 2, &value, 8);
}

static uint64_t stat_of(const struct balloon_stats *stats, const char *name)
{
	for (unsigned int i = 0; i < stats->nr; i++)
		if (!strcmp(stats->stat[i].name, name))
			return stats->stat[i].value;
	return 0;
}

static void test_stats(void)
{
	struct balloon_stats stats;
	gint64 begin;

	setup("stats=1", STATS, 3);
	balloon()->ops->stats(balloon(), &stats);
	KTAP_EQ(stats.time, 0);
	KTAP_EQ(stat_of(&stats, "stat-free-memory"), UINT64_MAX);
	KTAP_EQ(balloon()->ops->interval(balloon()), 1);

	/* The buffer stays, until others are wanted. */
	put_stat(0, 4, 12345);
	put_stat(1, 7, 1);
	put_stat(2, 0xffff, 99);
	send(2, DATA_GPA, 30, false);
	TEST_UNTIL((balloon()->ops->stats(balloon(), &stats), stats.time));
	KTAP_TRUE(stats.time >= g_get_real_time() / G_USEC_PER_SEC - 5);
	KTAP_EQ(stat_of(&stats, "stat-free-memory"), 12345);
	KTAP_EQ(stat_of(&stats, "stat-disk-caches"), 1);
	KTAP_EQ(stat_of(&stats, "stat-swap-in"), UINT64_MAX);
	KTAP_EQ(driver_nr_used(&d.q[2]), 0);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[2]) == 1));
	driver_used(&d.q[2]);

	/* A second set, cut in the middle of an entry, replaces the first. */
	put_stat(0, 5, 1 << 20);
	send(2, DATA_GPA, 15, false);
	TEST_UNTIL((balloon()->ops->stats(balloon(), &stats),
		    stat_of(&stats, "stat-total-memory") == 1 << 20));
	KTAP_EQ(stat_of(&stats, "stat-total-memory"), 1 << 20);
	KTAP_EQ(stat_of(&stats, "stat-free-memory"), UINT64_MAX);

	/* Two buffers at once: one comes back. */
	balloon()->ops->set_interval(balloon(), 0);
	send(2, DATA_GPA, 10, false);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[2]) == 1));

	/* A reset takes the buffer away: nothing is written to the old ring. */
	balloon()->ops->set_interval(balloon(), 1);
	dev->ops->reset(dev);
	memset(ram(RING_GPA(2)), 0, 0x4000);
	begin = g_get_monotonic_time();
	TEST_UNTIL(g_get_monotonic_time() - begin > 2 * G_USEC_PER_SEC);
	KTAP_EQ(d.q[2].used->idx, 0);
	balloon()->ops->stats(balloon(), &stats);
	KTAP_EQ(stats.time, 0);
	test_machine_exit();
}

/* Free pages are given back whole pages only; what lies beside them stays. */
static void test_reports(void)
{
	struct driver_buf buf[] = {
		{ PAGES, 2 * PAGE, true }, { PAGES + 4 * PAGE + 100, 2 * PAGE, true },
		{ PAGES + 8 * PAGE, PAGE - 1, true }, { PAGES + 10 * PAGE + 1, 100, true },
	};

	/* Its queue's number depends on whether there is one for statistics. */
	for (unsigned int stats = 0; stats < 2; stats++) {
		setup(NULL, REPORT | (stats ? STATS : 0), 3 + stats);
		fill(PAGES, 16);
		driver_add(&d.q[2 + stats], buf, 4);
		driver_kick(&d, 2 + stats);
		KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[2 + stats]) == 1));
		KTAP_EQ(nr_kept(PAGES, 2), 0);
		KTAP_EQ(nr_kept(PAGES + 2 * PAGE, 3), 3);
		KTAP_EQ(nr_kept(PAGES + 5 * PAGE, 1), 0);
		KTAP_EQ(nr_kept(PAGES + 6 * PAGE, 10), 10);
		test_machine_exit();
	}
}

/* A guest that fills its free pages must find them filled. */
static void test_poison(void)
{
	setup(NULL, REPORT | POISON, 3);
	config_write(12, 0xaaaaaaaa);
	fill(PAGES, 2);
	send(2, PAGES, PAGE, true);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[2]) == 1));
	KTAP_EQ(nr_kept(PAGES, 2), 2);
	/* With zeroes they are what the host gives. */
	config_write(12, 0);
	driver_used(&d.q[2]);
	send(2, PAGES, PAGE, true);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[2]) == 1));
	KTAP_EQ(nr_kept(PAGES, 2), 1);
	test_machine_exit();
}

static void test_words(void)
{
	static const char *const bad[] = {
		"stats", "stats=", "stats=-1", "stats=86401", "deflate-on-oom=maybe",
		"free-page-reporting", "size=3", "",
	};
	struct error err;

	setup("deflate-on-oom=off,free-page-reporting=off,stats=86400", 0, 2);
	KTAP_EQ(offered_features(dev) & 0x2f, STATS);
	KTAP_EQ(balloon()->ops->interval(balloon()), 86400);
	test_machine_exit();
	setup(NULL, 0, 2);
	KTAP_EQ(offered_features(dev) & 0x3f, STATS | 1 << 2 | POISON | REPORT);
	test_machine_exit();
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		test_machine_init();
		err.text[0] = '\0';
		KTAP_EQ(device_make(&test_machine, "virtio-balloon", bad[i], &err), -EINVAL);
		KTAP_TRUE(err.text[0]);
		test_machine_exit();
	}
}

/* In a long list, with a buffer of statistics in hand: the restored device has both. */
static void test_saved(void)
{
	struct balloon_stats stats;
	struct error err = { "" };
	struct record saved;

	setup(NULL, STATS, 3);
	put_stat(0, 4, 12345);
	/* The list will lie where this is. */
	memcpy(ram(DATA_GPA + 0x200000), ram(DATA_GPA), 10);
	send(2, DATA_GPA + 0x200000, 10, false);
	TEST_UNTIL((balloon()->ops->stats(balloon(), &stats), stats.time));
	fill(PAGES, 64);
	for (unsigned int i = 0; i < 0x40000; i++)
		((uint32_t *)ram(PFNS))[i] = htole32(PAGES / PAGE + i % 64);
	send(0, PFNS, 0x100000, false);
	for (unsigned int i = 0; i < 10; i++)
		g_main_context_iteration(NULL, FALSE);
	config_write(4, 64);
	state_save(dev, &saved);
	test_loop();
	KTAP_EQ(driver_nr_used(&d.q[0]), 0);
	device_bus_destroy(&test_machine.bus);

	test_next_slot = 0;
	fill(PAGES, 64);
	KTAP_EQ(device_make(&test_machine, "virtio-balloon", NULL, &err), 0);
	d.dev = dev = test_machine.bus.dev[0];
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	test_loop();
	KTAP_EQ(nr_kept(PAGES, 64), 64);
	KTAP_EQ(balloon()->ops->actual(balloon()), RAM_SIZE - 64 * PAGE);
	dev->ops->resume(dev);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[0]) == 1));
	KTAP_EQ(nr_kept(PAGES, 64), 0);
	TEST_UNTIL((balloon()->ops->stats(balloon(), &stats), stats.time));
	KTAP_EQ(stat_of(&stats, "stat-free-memory"), 12345);
	KTAP_EQ(driver_nr_used(&d.q[2]), 0);
	balloon()->ops->set_interval(balloon(), 1);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[2]) == 1));
	state_torture(dev, &saved);
	record_free(&saved);
	test_machine_exit();
}

KTAP_MAIN(KTAP_CASE(test_inflates_what_it_is_told), KTAP_CASE(test_the_end_of_ram),
	  KTAP_CASE(test_long_list), KTAP_CASE(test_pinned), KTAP_CASE(test_unpinned),
	  KTAP_CASE(test_size), KTAP_CASE(test_events_are_few), KTAP_CASE(test_stats),
	  KTAP_CASE(test_reports), KTAP_CASE(test_poison), KTAP_CASE(test_words),
	  KTAP_CASE(test_saved))
