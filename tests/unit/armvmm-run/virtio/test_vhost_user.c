// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_blk.c userspace/armvmm-run/virtio/virtio_mmio.c
// sources: userspace/armvmm-run/virtio/blk_request.c userspace/armvmm-run/virtio/disk.c userspace/armvmm-run/virtio/disk_format.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c userspace/armvmm-run/virtio/disk_file.c
// sources: userspace/armvmm-run/virtio/vhost_user_blk.c userspace/armvmm-run/virtio/virtio_fs.c
// sources: userspace/armvmm-run/virtio/vhost_user.c userspace/armvmm-run/virtio/vhost_wire.c userspace/armvmm-run/virtio/vhost.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c userspace/armvmm-run/core/message.c
// sources: userspace/armvmm-run/core/iov.c userspace/armvmm-run/core/device_type.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/core/rate.c userspace/armvmm-run/core/thread.c userspace/armvmm-run/core/filelock.c userspace/armvmm-run/core/identity.c
// sources: userspace/armvmm-run/pci/host.c userspace/armvmm-run/pci/function.c userspace/armvmm-run/pci/msix.c
// sources: userspace/armvmm-run/pci/v2m.c userspace/armvmm-run/virtio/virtio_pci.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// Devices by vhost-user, and another process that is a thread here.
#include <dirent.h>

#include <linux/virtio_fs.h>

#include "armvmm-run/device_make.h"
#include "armvmm-run/state_move.h"
#include "armvmm-run/virtio/vhost_backend.h"
#include "armvmm-run/virtio/pci_driver.h"
#include "core/blockdev.h"

#define QSIZE	128
#define HDR	DATA_GPA
#define STATUS	(DATA_GPA + 32)
#define DATA	(DATA_GPA + 4096)

static struct driver d;

static unsigned int nr_files(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned int nr = 0;

	while (readdir(folder))
		nr++;
	closedir(folder);
	return nr;
}

/* The machine's memory becomes a file, as the board would have made it. */
static void share_memory(void)
{
	struct guestmem_region *r = &test_machine.mem.region[0];

	test_machine.mem.shared = true;
	r->fd = memfd_create("ram", MFD_CLOEXEC);
	if (ftruncate(r->fd, RAM_SIZE) ||
	    mmap(r->host, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, r->fd, 0) !=
		    r->host) {
		perror("memfd");
		exit(1);
	}
}

static enum virtio_version asked = VIRTIO_AS_QEMU;

static int make(const char *name, const char *format, struct error *err)
{
	char args[128];

	test_machine_init();
	test_machine.virtio = asked;
	share_memory();
	snprintf(args, sizeof(args), format, be.path);
	return device_make(&test_machine, name, args, err);
}

static struct device *setup(void)
{
	struct error err = { "" };

	backend_start();
	if (make("virtio-blk", "vhost-user:%s", &err)) {
		KTAP_FAIL("%s", err.text);
		exit(1);
	}
	return test_machine.bus.dev[0];
}

static void end(void)
{
	test_machine_exit();
	close(test_machine.mem.region[0].fd);
	backend_stop();
}

static void done(void)
{
	end();
	KTAP_EQ(be.nr_wrong, 0);
}

static void add(unsigned int q, uint32_t type, unsigned int sector)
{
	*(struct virtio_blk_outhdr *)ram(HDR) =
		(struct virtio_blk_outhdr){ .type = type, .sector = sector };
	*(uint8_t *)ram(STATUS) = 0xee;
	driver_add(&d.q[q], (struct driver_buf[]){
		{ HDR, 16, false }, { DATA, 512, type == VIRTIO_BLK_T_IN }, { STATUS, 1, true },
	}, 3);
	driver_kick(&d, q);
}

static bool reads(unsigned int q, unsigned int sector)
{
	memset(ram(DATA), 0, 512);
	add(q, VIRTIO_BLK_T_IN, sector);
	if (!TEST_UNTIL(driver_nr_used(&d.q[q])))
		return false;
	return driver_used(&d.q[q]).len == 513 && !*(uint8_t *)ram(STATUS) &&
	       !memcmp(ram(DATA), be.disk + sector * 512, 512);
}

/* As the driver reads it. */
static void *config_of(struct device *dev)
{
	static uint8_t space[96];

	for (unsigned int i = 0; i < sizeof(space); i++)
		space[i] = dev->ops->read(dev, VIRTIO_MMIO_CONFIG + i, 1);
	return space;
}

static bool start(struct device *dev, unsigned int nr)
{
	KTAP_TRUE(driver_start(&d, dev, V1 | 1u << VIRTIO_BLK_F_FLUSH, nr, QSIZE));
	test_loop();
	return !driver_needs_reset(&d);
}

/* What the driver is told; and data both ways, with an interrupt. */
static void test_disk(void)
{
	struct virtio_blk_config *config;
	struct device *dev;

	backend_init();
	dev = setup();
	config = config_of(dev);
	KTAP_TRUE(test_machine.vhost_user && test_machine.unlogged && !test_machine.unsaved);
	KTAP_EQ(config->capacity, BACKEND_SECTORS);
	/* No longer than its queue. */
	KTAP_EQ(config->seg_max, QSIZE - 2);
	KTAP_EQ(config->num_queues, 1);
	/* What the back end has, of what there is here; the ring's features are its as well. */
	KTAP_EQ(offered_features(dev), V1 | 1u << VIRTIO_BLK_F_SEG_MAX | 1u << VIRTIO_BLK_F_MQ |
		1u << VIRTIO_BLK_F_FLUSH | 1ull << VIRTIO_RING_F_INDIRECT_DESC);
	KTAP_EQ(be.ram_gpa, RAM_BASE);
	KTAP_EQ(be.ram_size, RAM_SIZE);
	KTAP_EQ(test_machine.disks->ops->size(test_machine.disks), BACKEND_SECTORS * 512);
	KTAP_TRUE(!test_machine.disks->readonly);
	KTAP_TRUE(start(dev, 1));
	KTAP_EQ(be.acked, V1 | PROTOCOL | 1u << VIRTIO_BLK_F_FLUSH);
	KTAP_TRUE(be.q[0].enabled);
	KTAP_EQ(be.q[0].size, QSIZE);
	KTAP_TRUE(reads(0, 3));
	KTAP_TRUE(TEST_UNTIL(test_level[d.spi]));
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_VRING);
	memset(ram(DATA), 0x5a, 512);
	add(0, VIRTIO_BLK_T_OUT, 7);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[0])));
	KTAP_EQ(be.disk[7 * 512] + be.disk[7 * 512 + 511], 2 * 0x5a);
	done();
}

/* A driver that goes and comes again; a pause. It goes on where it was. */
static void test_stop(void)
{
	struct device *dev;

	backend_init();
	dev = setup();
	KTAP_TRUE(start(dev, 1));
	KTAP_TRUE(reads(0, 1) && reads(0, 2));
	dev->ops->pause(dev);
	KTAP_TRUE(!be.q[0].running && dev->ops->is_idle(dev));
	/* What is notified meanwhile is not forgotten. */
	add(0, VIRTIO_BLK_T_IN, 5);
	dev->ops->resume(dev);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[0])));
	KTAP_EQ(be.q[0].base, 3);
	KTAP_MEMEQ(ram(DATA), be.disk + 5 * 512, 512);
	reg_write(dev, VIRTIO_MMIO_STATUS, 0);
	KTAP_TRUE(!be.q[0].running);
	KTAP_TRUE(start(dev, 1));
	KTAP_EQ(be.q[0].base, 0);
	KTAP_TRUE(reads(0, 1));
	dev->ops->reset(dev);
	KTAP_TRUE(!be.q[0].running);
	KTAP_TRUE(start(dev, 1) && reads(0, 9));
	KTAP_EQ(be.nr_starts, 4);
	KTAP_EQ(be.nr_connections, 1);
	done();
}

static void *later(void *opaque)
{
	g_usleep(300000);
	backend_lets_go();
	return NULL;
}

/* Requests that it has begun when it has to stop come to their end first. */
static void test_begun(void)
{
	struct device *dev;
	pthread_t thread;
	gint64 from;

	backend_init();
	dev = setup();
	KTAP_TRUE(start(dev, 1));
	be.holds = true;
	add(0, VIRTIO_BLK_T_IN, 1);
	KTAP_TRUE(TEST_UNTIL(be.q[0].held));
	/* The machine that is to be saved does not stand still for it: it asks again. */
	from = g_get_monotonic_time();
	dev->ops->pause(dev);
	KTAP_TRUE(g_get_monotonic_time() - from < G_USEC_PER_SEC);
	KTAP_TRUE(!dev->ops->is_idle(dev));
	backend_lets_go();
	KTAP_TRUE(dev->ops->is_idle(dev));
	/* Its interrupt was lost with the queue: it is made up for. */
	KTAP_TRUE(!test_level[d.spi]);
	dev->ops->resume(dev);
	KTAP_TRUE(test_level[d.spi]);
	KTAP_EQ(driver_nr_used(&d.q[0]), 1);
	KTAP_EQ(driver_used(&d.q[0]).len, 513);
	KTAP_TRUE(reads(0, 2));

	/* A driver that resets it has its memory for other things at once. */
	be.holds = true;
	add(0, VIRTIO_BLK_T_IN, 1);
	KTAP_TRUE(TEST_UNTIL(be.q[0].held));
	pthread_create(&thread, NULL, later, NULL);
	reg_write(dev, VIRTIO_MMIO_STATUS, 0);
	KTAP_EQ(be.q[0].held, 0);
	pthread_join(thread, NULL);
	KTAP_EQ(test_warnings, 0);
	KTAP_TRUE(start(dev, 1) && reads(0, 2));

	/* Nonsense of the guest's is nothing to wait for. */
	d.q[0].used->idx += QSIZE + 77;
	from = g_get_monotonic_time();
	reg_write(dev, VIRTIO_MMIO_STATUS, 0);
	KTAP_TRUE(g_get_monotonic_time() - from < G_USEC_PER_SEC);
	KTAP_TRUE(start(dev, 1) && reads(0, 2));

	/* It is not waited for for ever: then it is given up, in words. */
	be.holds = true;
	add(0, VIRTIO_BLK_T_IN, 1);
	KTAP_TRUE(TEST_UNTIL(be.q[0].held));
	from = g_get_monotonic_time();
	reg_write(dev, VIRTIO_MMIO_STATUS, 0);
	KTAP_TRUE(g_get_monotonic_time() - from < 15 * G_USEC_PER_SEC);
	KTAP_TRUE(strstr(test_last_warning, "has not finished 1 requests within 5 s"));
	KTAP_TRUE(!start(dev, 1));
	done();
}

/*
 * A machine that is reset while a snapshot waits for its requests: what was begun has ended when
 * the guest's memory is for other things. And what a pause left behind goes on with the guest.
 */
static void test_begun_paused(void)
{
	struct device *dev;
	pthread_t thread;

	backend_init();
	dev = setup();
	KTAP_TRUE(start(dev, 1));
	be.holds = true;
	add(0, VIRTIO_BLK_T_IN, 1);
	KTAP_TRUE(TEST_UNTIL(be.q[0].held));
	dev->ops->pause(dev);
	KTAP_TRUE(!dev->ops->is_idle(dev));
	dev->ops->resume(dev);
	KTAP_TRUE(be.q[0].running);
	KTAP_EQ(driver_nr_used(&d.q[0]), 0);
	backend_lets_go();
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[0])));
	KTAP_EQ(driver_used(&d.q[0]).len, 513);
	KTAP_TRUE(reads(0, 2));

	be.holds = true;
	add(0, VIRTIO_BLK_T_IN, 1);
	KTAP_TRUE(TEST_UNTIL(be.q[0].held));
	dev->ops->pause(dev);
	KTAP_TRUE(!dev->ops->is_idle(dev));
	pthread_create(&thread, NULL, later, NULL);
	dev->ops->reset(dev);
	KTAP_EQ(be.q[0].held, 0);
	pthread_join(thread, NULL);
	KTAP_TRUE(dev->ops->is_idle(dev));
	KTAP_EQ(test_warnings, 0);
	KTAP_TRUE(start(dev, 1) && reads(0, 2));
	done();
}

/* Leaves it full, and waiting. */
static void fill_counter(int fd)
{
	eventfd_t count;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	(void)eventfd_read(fd, &count);
	KTAP_EQ(eventfd_write(fd, UINT64_MAX - 1), 0);
	fcntl(fd, F_SETFL, 0);
}

/* It makes the eventfds wait, empties them and fills them: nobody here waits for that. */
static void test_files_that_wait(void)
{
	struct device *dev;
	int kick, call;

	alarm(60);
	backend_init();
	be.blocks = true;
	dev = setup();
	KTAP_TRUE(start(dev, 1) && reads(0, 1));
	kick = dup(be.q[0].kick);
	call = dup(be.q[0].call);
	KTAP_EQ(fcntl(kick, F_GETFL) & O_NONBLOCK, 0);
	dev->ops->pause(dev);
	fill_counter(kick);
	dev->ops->resume(dev);
	KTAP_TRUE(reads(0, 2));
	fill_counter(call);
	test_loop();
	reg_write(dev, VIRTIO_MMIO_STATUS, 0);
	fill_counter(kick);
	test_loop();
	KTAP_TRUE(start(dev, 1) && reads(0, 3));
	dev->ops->reset(dev);
	KTAP_TRUE(start(dev, 1) && reads(0, 4));
	KTAP_EQ(test_warnings, 0);
	close(kick);
	close(call);
	done();
	alarm(0);
}

static bool resets;	/* atomic */

static void *vcpu_resets(void *opaque)
{
	__atomic_store_n(&resets, true, __ATOMIC_SEQ_CST);
	reg_write(opaque, VIRTIO_MMIO_STATUS, 0);
	__atomic_store_n(&resets, false, __ATOMIC_SEQ_CST);
	return NULL;
}

static gboolean counts(gpointer opaque)
{
	++*(unsigned int *)opaque;
	return G_SOURCE_CONTINUE;
}

/* While a vCPU waits for the back end, the main thread does all else. */
static void test_main_thread(void)
{
	unsigned int nr = 0, timer = g_timeout_add(10, counts, &nr);
	struct device *dev;
	pthread_t thread;
	int call;

	backend_init();
	dev = setup();
	KTAP_TRUE(start(dev, 1));
	call = dup(be.q[0].call);
	be.holds = true;
	add(0, VIRTIO_BLK_T_IN, 1);
	KTAP_TRUE(TEST_UNTIL(be.q[0].held));
	pthread_create(&thread, NULL, vcpu_resets, dev);
	KTAP_TRUE(TEST_UNTIL(!be.q[0].running));
	nr = 0;
	eventfd_write(call, 1);
	KTAP_TRUE(TEST_UNTIL(nr >= 20));
	KTAP_TRUE(__atomic_load_n(&resets, __ATOMIC_SEQ_CST));
	backend_lets_go();
	KTAP_TRUE(TEST_UNTIL(!__atomic_load_n(&resets, __ATOMIC_SEQ_CST)));
	pthread_join(thread, NULL);
	g_source_remove(timer);
	KTAP_TRUE(start(dev, 1) && reads(0, 2));
	KTAP_EQ(test_warnings, 0);
	close(call);
	done();
}

/* Of several queues a driver may use some. */
static void test_queues(void)
{
	struct virtio_blk_config *config;
	struct device *dev;

	backend_init();
	be.nr_queues = be.config_queues = 4;
	be.features |= 1ull << VIRTIO_RING_F_EVENT_IDX;
	dev = setup();
	config = config_of(dev);
	KTAP_EQ(config->num_queues, 4);
	KTAP_TRUE(start(dev, 2));
	KTAP_TRUE(be.q[0].running && be.q[1].running && !be.q[2].running && !be.q[3].running);
	KTAP_TRUE(reads(0, 1) && reads(1, 2) && reads(1, 3));
	/* One more comes, and one goes. */
	driver_queue_enable(&d, 2, QSIZE);
	KTAP_TRUE(be.q[0].running && be.q[1].running && be.q[2].running && !be.q[3].running);
	KTAP_EQ(be.q[1].base, 2);
	KTAP_TRUE(reads(2, 1) && reads(0, 2));
	reg_write(dev, VIRTIO_MMIO_QUEUE_SEL, 1);
	reg_write(dev, VIRTIO_MMIO_QUEUE_READY, 0);
	KTAP_TRUE(be.q[0].running && !be.q[1].running && be.q[2].running);
	KTAP_TRUE(reads(2, 4) && reads(0, 5));
	/* Not the first one. */
	reg_write(dev, VIRTIO_MMIO_QUEUE_SEL, 0);
	reg_write(dev, VIRTIO_MMIO_QUEUE_READY, 0);
	KTAP_TRUE(!be.q[0].running && !be.q[2].running);
	KTAP_TRUE(!driver_needs_reset(&d));
	done();
	/* No more than it has, whatever its configuration says. */
	backend_init();
	be.nr_queues = 2;
	be.config_queues = 65535;
	dev = setup();
	config = config_of(dev);
	KTAP_EQ(config->num_queues, 2);
	KTAP_TRUE(start(dev, 2) && reads(1, 3));
	done();
	backend_init();
	be.features &= ~(1ull << VIRTIO_BLK_F_MQ);
	be.nr_queues = be.config_queues = 4;
	dev = setup();
	config = config_of(dev);
	KTAP_EQ(config->num_queues, 1);
	done();
}

/* It dies while the guest uses it. */
static void test_dies(void)
{
	struct device *dev;
	gint64 from;

	backend_init();
	dev = setup();
	KTAP_TRUE(start(dev, 1) && reads(0, 1));
	backend_stop();
	from = g_get_monotonic_time();
	KTAP_TRUE(TEST_UNTIL(driver_needs_reset(&d)));
	KTAP_TRUE(strstr(test_last_warning, "the back end has closed the connection"));
	KTAP_TRUE(strstr(test_last_warning, be.path));
	KTAP_EQ(test_warnings, 1);
	KTAP_TRUE(test_level[d.spi]);
	/* A driver that tries again hears the same at once, and people are told no more. */
	KTAP_TRUE(!start(dev, 1));
	dev->ops->pause(dev);
	KTAP_TRUE(dev->ops->is_idle(dev));
	dev->ops->resume(dev);
	dev->ops->reset(dev);
	KTAP_TRUE(!start(dev, 1));
	KTAP_TRUE(!test_loop());
	KTAP_EQ(test_warnings, 1);
	KTAP_TRUE(g_get_monotonic_time() - from < 2 * G_USEC_PER_SEC);
	done();
	/* Before there is a driver. */
	backend_init();
	dev = setup();
	backend_stop();
	KTAP_TRUE(TEST_UNTIL(test_warnings == 1));
	KTAP_TRUE(!start(dev, 1));
	done();
}

static bool fails_in_words(const struct error *err)
{
	return strstr(err->text, "the back end ") || strstr(test_last_warning, "the back end ") ||
	       strstr(test_last_note, "the back end ") || strstr(test_last_note, "back end is gone");
}

/* Everything that a guest does; false as soon as something does not work. */
static bool works(struct error *err)
{
	struct device *dev;

	if (make("virtio-blk", "vhost-user:%s", err))
		return false;
	dev = test_machine.bus.dev[0];
	if (!start(dev, 1) || !reads(0, 1))
		return false;
	dev->ops->pause(dev);
	dev->ops->resume(dev);
	if (driver_needs_reset(&d) || !start(dev, 1) || !reads(0, 1))
		return false;
	/* What comes too late to be noticed before. */
	g_usleep(2000);
	test_loop();
	return !driver_needs_reset(&d);
}

static void try_vice(enum backend_request at, enum backend_vice vice, bool harmless)
{
	unsigned int files = nr_files();
	struct error err = { "" };
	gint64 from = g_get_monotonic_time();
	bool worked;

	backend_init();
	be.at = at;
	be.vice = vice;
	backend_start();
	worked = works(&err);
	if (worked != harmless)
		KTAP_FAIL("request %d, vice %d: it %s", at, vice, worked ? "works" : "fails");
	if (!worked && !fails_in_words(&err))
		KTAP_FAIL("request %d, vice %d: it fails with '%s'", at, vice, err.text);
	end();
	if (g_get_monotonic_time() - from > 8 * G_USEC_PER_SEC)
		KTAP_FAIL("request %d, vice %d: too long", at, vice);
	if (nr_files() != files)
		KTAP_FAIL("request %d, vice %d: %u files stay open", at, vice, nr_files() - files);
}

/* Numbers that are as good as others. */
static bool takes_any_value(enum backend_request at)
{
	return at == GET_FEATURES || at == GET_PROTOCOL_FEATURES || at == GET_QUEUE_NUM;
}

/* Each fault that it can make, at each request. */
static void test_hostile(void)
{
	for (enum backend_request at = GET_FEATURES; at < NR_REQUESTS; at++) {
		if (at == SET_MEM_TABLE - 1 || at == 6 || at == 7 ||
		    (at > SET_VRING_ENABLE && at < GET_CONFIG))
			continue;
		for (enum backend_vice vice = CLOSES; vice < NR_VICES; vice++) {
			bool harmless = vice == GIVES_FILES ||
					(vice == REFUSES && takes_any_value(at));

			/* These take the time that it has. */
			if (vice == FALLS_SILENT || vice == SAYS_HALF)
				continue;
			/* It is the one that is never answered. */
			if (at == SET_PROTOCOL_FEATURES && vice != CLOSES)
				harmless = true;
			try_vice(at, vice, harmless);
		}
	}
}

static void test_silent(void)
{
	try_vice(GET_FEATURES, FALLS_SILENT, false);
	try_vice(SET_VRING_ADDR, SAYS_HALF, false);
	try_vice(GET_VRING_BASE, FALLS_SILENT, false);
}

/* Without acknowledgements, what it refuses is not known; all else is the same. */
static void test_plain(void)
{
	struct error err = { "" };

	backend_init();
	be.protocol = P_CONFIG;
	backend_start();
	KTAP_TRUE(works(&err));
	done();
	backend_init();
	be.protocol = P_CONFIG;
	be.at = SET_VRING_KICK;
	be.vice = CLOSES;
	backend_start();
	KTAP_TRUE(!works(&err));
	KTAP_TRUE(fails_in_words(&err));
	end();
}

/* A snapshot, and its return to a disk of another size. */
static void test_state(void)
{
	struct error why = { "" };
	struct record saved;
	struct device *dev;

	backend_init();
	dev = setup();
	KTAP_TRUE(start(dev, 1) && reads(0, 1) && reads(0, 2));
	state_save(dev, &saved);
	dev->ops->resume(dev);
	KTAP_TRUE(reads(0, 3));
	dev->ops->reset(dev);
	d.q[0].used->idx = 2;
	d.q[0].avail->idx = 2;
	d.q[0].last_used = 2;
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	KTAP_TRUE(!be.q[0].running);
	dev->ops->resume(dev);
	KTAP_TRUE(be.q[0].running);
	KTAP_EQ(be.q[0].base, 2);
	KTAP_TRUE(reads(0, 4));
	state_torture(dev, &saved);
	/* The first bytes of the configuration are the capacity. */
	for (size_t i = 0; i + 60 < saved.len; i++)
		if (!memcmp(saved.data + i, (uint64_t[]){ BACKEND_SECTORS }, 8) &&
		    !memcmp(saved.data + i + 12, (uint32_t[]){ QSIZE - 2 }, 4))
			saved.data[i]++;
	KTAP_TRUE(state_restore(dev, &saved, saved.len, &why) < 0);
	KTAP_TRUE(strstr(why.text, "the disk had 33280 bytes, and that of vhost-user:"));
	record_free(&saved);
	done();
}

static void test_pci(void)
{
	struct pci_driver pci;
	struct error err = { "" };

	backend_init();
	backend_start();
	KTAP_EQ(make("virtio-blk", "vhost-user:%s,bus=pcie", &err), 0);
	pci_driver_probe(&pci, 1);
	pci_driver_messages(&pci, 2);
	KTAP_TRUE(pci_driver_start(&pci, V1, 1, QSIZE));
	KTAP_TRUE(be.q[0].running);
	/* A driver may forbid it to use memory. */
	pci_put(pci.config + PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	KTAP_TRUE(!be.q[0].running);
	pci_put(pci.config + PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	KTAP_TRUE(be.q[0].running);
	done();
}

/* A share has two queues and more, and its configuration is the command line's. */
static void test_share(void)
{
	struct error err = { "" };
	struct virtio_fs_config *config;
	struct device *dev;

	backend_init();
	be.is_fs = true;
	be.nr_queues = 4;
	be.protocol = P_MQ | P_ACK;
	backend_start();
	KTAP_EQ(make("virtio-fs", "tag=files,vhost-user:%s,queues=3", &err), 0);
	dev = test_machine.bus.dev[0];
	config = config_of(dev);
	KTAP_TRUE(test_machine.vhost_user && test_machine.unlogged && test_machine.unsaved);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_DEVICE_ID), 26);
	KTAP_MEMEQ(config->tag, "files\0\0\0", 8);
	KTAP_EQ(config->num_request_queues, 3);
	KTAP_EQ(offered_features(dev), V1 | 1ull << VIRTIO_RING_F_INDIRECT_DESC);
	/* The first two are needed. */
	KTAP_TRUE(driver_start(&d, dev, V1, 1, QSIZE));
	KTAP_TRUE(!be.q[0].running);
	driver_queue_enable(&d, 1, QSIZE);
	KTAP_TRUE(be.q[0].running && be.q[1].running && !be.q[2].running);
	add(1, VIRTIO_BLK_T_IN, 0);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[1])));
	done();
}

static void refused(const char *name, const char *format, const char *why)
{
	struct error err = { "" };

	if (make(name, format, &err) >= 0 || !strstr(err.text, why))
		KTAP_FAIL("%s: it said '%s'", format, err.text);
	test_machine_exit();
	close(test_machine.mem.region[0].fd);
}

static void test_refused(void)
{
	char longest[150] = "vhost-user:/";

	backend_init();
	backend_start();
	backend_stop();
	refused("virtio-blk", "vhost-user:%s", "No such file or directory: is the back end started?");
	close(open(be.path, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	refused("virtio-blk", "vhost-user:%s", "Connection refused: is the back end started?");
	unlink(be.path);
	refused("virtio-blk", "vhost-user:", "a socket's name has 1 to 107 characters");
	memset(longest + strlen(longest), 'a', 110);
	refused("virtio-blk", longest, "a socket's name has 1 to 107 characters");
	refused("virtio-blk", "vhost-user:%s,ro", "vhost-user: knows bus= alone");
	refused("virtio-blk", "vhost-user:%s,cache=writeback", "vhost-user: knows bus= alone");
	refused("virtio-blk", "vhost-user:%s,iops=5,bus=pcie", "vhost-user: knows bus= alone");
	refused("virtio-fs", "vhost-user:%s", "needs tag=NAME");
	refused("virtio-fs", "tag=a", "needs vhost-user:PATH");
	refused("virtio-fs", "tag=,vhost-user:%s", "a tag has 1 to 36 characters");
	refused("virtio-fs", "tag=a,vhost-user:%s,queues=4", "queues must be 1 to 3");
	refused("virtio-fs", "tag=a,vhost-user:%s,queues=0", "queues must be 1 to 3");
	refused("virtio-fs", "tag=a,vhost-user:%s,ro", "unknown word \"ro\"");

	backend_start();
	asked = VIRTIO_LEGACY;
	refused("virtio-blk", "vhost-user:%s", "virtio-blk in slot 0: has no version 1: leave out --virtio legacy");
	asked = VIRTIO_AS_QEMU;
	be.features &= ~V1;
	refused("virtio-blk", "vhost-user:%s", "the back end knows no virtio 1.x");
	be.features |= V1;
	be.protocol = P_ACK;
	refused("virtio-blk", "vhost-user:%s", "does not tell the device's configuration");
	be.features &= ~PROTOCOL;
	refused("virtio-blk", "vhost-user:%s", "does not tell the device's configuration");
	be.features |= PROTOCOL;
	be.protocol = P_ACK | P_MQ;
	be.nr_queues = 2;
	refused("virtio-fs", "tag=a,vhost-user:%s,queues=2", "the back end has 2 queues, and 3 are needed");
	asked = VIRTIO_LEGACY;
	refused("virtio-fs", "tag=a,vhost-user:%s", "virtio-fs in slot 0: has no version 1: leave out --virtio legacy");
	asked = VIRTIO_AS_QEMU;
	backend_stop();
}

KTAP_MAIN(KTAP_CASE(test_disk), KTAP_CASE(test_stop), KTAP_CASE(test_begun),
	  KTAP_CASE(test_begun_paused), KTAP_CASE(test_main_thread),
	  KTAP_CASE(test_files_that_wait),
	  KTAP_CASE(test_queues), KTAP_CASE(test_dies), KTAP_CASE(test_hostile),
	  KTAP_CASE(test_silent), KTAP_CASE(test_plain), KTAP_CASE(test_state),
	  KTAP_CASE(test_pci), KTAP_CASE(test_share), KTAP_CASE(test_refused))
