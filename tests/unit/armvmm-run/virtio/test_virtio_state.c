// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_blk.c userspace/armvmm-run/virtio/blk_request.c
// sources: userspace/armvmm-run/virtio/vhost_user_blk.c userspace/armvmm-run/virtio/vhost_user.c
// sources: userspace/armvmm-run/virtio/vhost_wire.c userspace/armvmm-run/virtio/vhost.c
// sources: userspace/armvmm-run/virtio/disk.c userspace/armvmm-run/virtio/virtio_mmio.c
// sources: userspace/armvmm-run/virtio/disk_file.c
// sources: userspace/armvmm-run/core/filelock.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c
// sources: userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c
// sources: userspace/armvmm-run/core/record.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/fdt_builder.c userspace/armvmm-run/core/iov.c
// sources: userspace/armvmm-run/core/device_type.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/core/identity.c userspace/armvmm-run/virtio/disk_format.c
// sources: userspace/armvmm-run/core/rate.c userspace/armvmm-run/core/thread.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
// pkgs: glib-2.0
// libs: -lfdt
//
// A virtio device, by the example of a disk, is paused, saved and restored: no request is lost,
// done twice or failed, and the driver notices nothing.
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>

#include <linux/virtio_blk.h>

#include "armvmm-run/device_make.h"
#include "armvmm-run/scratch.h"
#include "armvmm-run/state_move.h"
#include "armvmm-run/virtio/virtio_driver.h"
#include "virtio/disk.h"
#include "virtio/virtio_mmio.h"

#define V1     (1ULL << VIRTIO_F_VERSION_1)
#define QSIZE  128
#define MIB    (1ULL << 20)
#define SECTOR 512

/* The driver's memory: a header and a status for each slot, and data. */
#define HDR(slot)    (DATA_GPA + (slot) * 64)
#define STATUS(slot) (DATA_GPA + (slot) * 64 + 32)
#define DATA	     (DATA_GPA + 0x10000)

static char *disk;
static struct driver d;
static unsigned int nr_syncs, nr_in_read;
static int fail_sync; /* errno */
static useconds_t slow_read;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* disk.c gets these system calls instead of libc's. */
/* Nothing is in the host's memory: threads read it. */
ssize_t preadv64v2(int fd, const struct iovec *iov, int nr, off64_t at, int flags)
{
	errno = EAGAIN;
	return -1;
}

ssize_t preadv64(int fd, const struct iovec *iov, int nr, off64_t at)
{
	__atomic_add_fetch(&nr_in_read, 1, __ATOMIC_SEQ_CST);
	usleep(slow_read);
	__atomic_sub_fetch(&nr_in_read, 1, __ATOMIC_SEQ_CST);
	return REAL(preadv64)(fd, iov, nr, at);
}

int fdatasync(int fd)
{
	nr_syncs++;
	errno = fail_sync;
	return fail_sync ? -1 : REAL(fdatasync)(fd);
}

static void make_file(uint64_t size)
{
	write_file("disk", "", 0, size);
}

static void poke(uint64_t at, const char *text)
{
	int fd = open(disk, O_WRONLY);

	KTAP_EQ(pwrite(fd, text, strlen(text), at), strlen(text));
	close(fd);
}

static int try_open(const struct disk_config *config, struct error *err)
{
	int ret = device_type_find("virtio-blk")->create(&test_machine, config, err);

	return ret ? ret : device_bus_begin(&test_machine.bus, err);
}

static struct device *setup(uint64_t features)
{
	static struct disk_config config;
	struct error err = { "" };

	config.path = disk;
	test_machine_init();
	nr_syncs = 0;
	fail_sync = 0;
	slow_read = 0;
	make_file(MIB);
	if (try_open(&config, &err)) {
		printf("# %s\n", err.text);
		exit(1);
	}
	KTAP_TRUE(driver_start(&d, test_machine.bus.dev[0], V1 | features, 1, QSIZE));
	return test_machine.bus.dev[0];
}

/* Reads a sector into @gpa. */
static void submit(unsigned int slot, uint64_t sector, uint64_t gpa)
{
	struct virtio_blk_outhdr *hdr = ram(HDR(slot));
	const struct driver_buf buf[] = {
		{ HDR(slot), sizeof(*hdr), false }, { gpa, SECTOR, true },
		{ STATUS(slot), 1, true },
	};

	*hdr = (struct virtio_blk_outhdr){ .type = VIRTIO_BLK_T_IN, .sector = sector };
	*(uint8_t *)ram(STATUS(slot)) = 0xee;
	driver_add(&d.q[0], buf, 3);
	driver_kick(&d, 0);
}

/* Reads the first sector. Returns the status. */
static uint8_t run(void)
{
	submit(0, 0, DATA);
	if (!TEST_UNTIL(driver_nr_used(&d.q[0]) == 1))
		return 0xff;
	driver_used(&d.q[0]);
	return *(uint8_t *)ram(STATUS(0));
}

/* The same disk, made anew beside the same memory: another process. */
static struct device *move(const struct disk_config *config)
{
	struct error err;

	device_bus_destroy(&test_machine.bus);
	test_machine.disks = NULL;
	test_next_slot = 0;
	if (try_open(config, &err)) {
		printf("# %s\n", err.text);
		exit(1);
	}
	d.dev = test_machine.bus.dev[0];
	return d.dev;
}

/*
 * A request that was begun comes to its ordinary end, and the guest is told; one that came
 * meanwhile waits, and is served when the disk goes on.
 */
static void test_paused(void)
{
	struct device *dev = setup(0);
	unsigned int edges;

	poke(0, "first");
	poke(SECTOR, "other");
	KTAP_EQ(run(), VIRTIO_BLK_S_OK);
	reg_write(dev, VIRTIO_MMIO_INTERRUPT_ACK, 3);
	edges = test_edges[d.spi];
	slow_read = 100000;
	submit(0, 0, DATA);
	KTAP_TRUE(TEST_UNTIL(__atomic_load_n(&nr_in_read, __ATOMIC_SEQ_CST) == 1));
	dev->ops->pause(dev);
	submit(1, 1, DATA + SECTOR);
	KTAP_TRUE(!dev->ops->is_idle(dev));
	KTAP_TRUE(TEST_UNTIL(dev->ops->is_idle(dev)));
	slow_read = 0;
	KTAP_EQ(driver_nr_used(&d.q[0]), 1);
	KTAP_EQ(*(uint8_t *)ram(STATUS(0)), VIRTIO_BLK_S_OK);
	KTAP_MEMEQ(ram(DATA), "first", 5);
	KTAP_EQ(test_edges[d.spi], edges + 1);
	usleep(50000);
	test_loop();
	KTAP_EQ(driver_nr_used(&d.q[0]), 1);
	dev->ops->resume(dev);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[0]) == 2));
	KTAP_EQ(*(uint8_t *)ram(STATUS(1)), VIRTIO_BLK_S_OK);
	KTAP_MEMEQ(ram(DATA + SECTOR), "other", 5);
	test_machine_exit();
}

static void test_saved(void)
{
	struct disk_config config = { .path = disk };
	struct device *dev = setup(0);
	struct record saved;

	poke(0, "first");
	for (unsigned int i = 0; i < 70; i++) {
		KTAP_EQ(run(), VIRTIO_BLK_S_OK);
		memset(ram(DATA), 0, SECTOR);
	}
	KTAP_EQ(dev->ops->flush(dev), 0);
	KTAP_EQ(nr_syncs, 1);
	dev->ops->pause(dev);
	submit(0, 0, DATA);
	state_save(dev, &saved);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS), 1);

	dev = move(&config);
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS), 1);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_STATUS), 0xf);
	reg_write(dev, VIRTIO_MMIO_INTERRUPT_ACK, 1);
	usleep(50000);
	KTAP_EQ(driver_nr_used(&d.q[0]), 0);
	dev->ops->resume(dev);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[0]) == 1));
	KTAP_EQ(driver_used(&d.q[0]).len, SECTOR + 1);
	KTAP_MEMEQ(ram(DATA), "first", 5);
	KTAP_TRUE(test_level[d.spi]);
	reg_write(dev, VIRTIO_MMIO_INTERRUPT_ACK, 1);
	for (unsigned int i = 0; i < 200; i++)
		KTAP_EQ(run(), VIRTIO_BLK_S_OK);
	/* Nothing harms, and what is left is a disk that the driver can reset and use. */
	state_torture(dev, &saved);
	dev->ops->reset(dev);
	KTAP_TRUE(driver_start(&d, dev, V1, 1, QSIZE));
	KTAP_EQ(run(), VIRTIO_BLK_S_OK);
	record_free(&saved);
	test_machine_exit();
}

/* The guest relies on the disk's size, and on what was agreed on. */
static void test_saved_elsewhere(void)
{
	struct disk_config config = { .path = disk }, ro = { .path = disk, .readonly = true };
	struct device *dev = setup(1ULL << VIRTIO_BLK_F_WRITE_ZEROES);
	struct record saved;
	struct error why;

	state_save(dev, &saved);
	make_file(2 * MIB);
	dev = move(&config);
	KTAP_EQ(state_restore(dev, &saved, saved.len, &why), -EBADMSG);
	KTAP_TRUE(strstr(why.text, "the disk had 1048576 bytes") && strstr(why.text, "has 2097152"));
	make_file(MIB);
	dev = move(&ro);
	KTAP_EQ(state_restore(dev, &saved, saved.len, &why), -EBADMSG);
	KTAP_STREQ(why.text, "its driver uses features that it does not offer here: 0x4000");
	dev = move(&config);
	KTAP_EQ(state_restore(dev, &saved, saved.len, &why), 0);
	fail_sync = EIO;
	KTAP_EQ(dev->ops->flush(dev), -EIO);
	record_free(&saved);
	test_machine_exit();
}

/* Its driver began with version 2, which nobody had asked for, and goes on with it. */
static void test_saved_version(void)
{
	struct disk_config config = { .path = disk };
	struct device *dev = setup(1ULL << VIRTIO_BLK_F_WRITE_ZEROES);
	struct record saved;
	struct error why;

	poke(0, "first");
	KTAP_EQ(run(), VIRTIO_BLK_S_OK);
	state_save(dev, &saved);
	test_machine.virtio = VIRTIO_LEGACY;
	dev = move(&config);
	KTAP_EQ(state_restore(dev, &saved, saved.len, &why), -EBADMSG);
	KTAP_STREQ(why.text, "its virtio-mmio was of the modern version (--virtio)");
	test_machine.virtio = VIRTIO_AS_QEMU;
	dev = move(&config);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_VERSION), 1);
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	dev->ops->resume(dev);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_VERSION), 2);
	KTAP_EQ(run(), VIRTIO_BLK_S_OK);
	KTAP_MEMEQ(ram(DATA), "first", 5);
	/* So do a driver after it, and the next snapshot. */
	record_free(&saved);
	dev->ops->reset(dev);
	KTAP_TRUE(offered_features(dev) & V1);
	KTAP_TRUE(driver_start(&d, dev, V1 | 1ULL << VIRTIO_BLK_F_WRITE_ZEROES, 1, QSIZE));
	KTAP_EQ(run(), VIRTIO_BLK_S_OK);
	state_save(dev, &saved);
	test_machine.virtio = VIRTIO_MODERN;
	dev = move(&config);
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	record_free(&saved);
	test_machine_exit();
}

/* A queue that was notified before DRIVER_OK starts the disk, here or there. */
static void test_saved_early(void)
{
	struct disk_config config = { .path = disk };
	struct device *dev = setup(0);
	struct record saved;

	poke(0, "first");
	KTAP_TRUE(driver_negotiate(&d, V1));
	driver_queue_enable(&d, 0, QSIZE);
	submit(0, 0, DATA);
	state_save(dev, &saved);
	dev = move(&config);
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	dev->ops->resume(dev);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[0]) == 1));
	KTAP_MEMEQ(ram(DATA), "first", 5);
	record_free(&saved);
	test_machine_exit();
}

/* What was refused in the middle leaves a queue that is not in use, whoever looks at it. */
static void test_refused(void)
{
	struct disk_config config = { .path = disk };
	struct device *dev = setup(0);
	struct record saved;

	KTAP_EQ(run(), VIRTIO_BLK_S_OK);
	dev->ops->pause(dev);
	state_save(dev, &saved);
	for (size_t len = saved.len / 2; len < saved.len; len++) {
		dev = move(&config);
		KTAP_TRUE(state_restore(dev, &saved, len, NULL) < 0);
		dev->ops->resume(dev);
		driver_kick(&d, 0);
		usleep(2000);
	}
	record_free(&saved);
	test_machine_exit();
}

/* Queues that do not go with the features would be looked at beyond what was checked. */
static void test_queue_unlike_features(void)
{
	struct disk_config config = { .path = disk };

	for (unsigned int i = 0; i < 3; i++) {
		struct device *dev = setup(0);
		struct virtio_device *vdev = container_of(dev, struct virtio_device, dev);
		struct record saved;
		struct error why;

		dev->ops->pause(dev);
		vdev->vq[0].event_idx ^= i == 0;
		vdev->vq[0].indirect ^= i == 1;
		if (i == 2) {
			vdev->started = false;
			vdev->status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;
		}
		state_save(dev, &saved);
		dev = move(&config);
		vdev = container_of(dev, struct virtio_device, dev);
		KTAP_EQ(state_restore(dev, &saved, saved.len, &why), -EBADMSG);
		KTAP_TRUE(strstr(why.text, i < 2 ? "not as the driver's features have it" :
						   "before the driver's features are agreed on"));
		KTAP_TRUE(!vdev->vq[0].ready);
		record_free(&saved);
		test_machine_exit();
	}
}

/* The disk grew while another process had it: the guest is told when it is ours again, once. */
static void test_claimed(void)
{
	struct device *dev = setup(0);
	struct error err = { "" };

	dev->ops->claim(dev, false, NULL);
	KTAP_EQ(truncate(disk, 2 * MIB), 0);
	KTAP_EQ(dev->ops->claim(dev, true, &err), 0);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_CONFIG), 2 * MIB / SECTOR);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS), 2);
	reg_write(dev, VIRTIO_MMIO_INTERRUPT_ACK, 2);
	dev->ops->claim(dev, false, NULL);
	KTAP_EQ(dev->ops->claim(dev, true, &err), 0);
	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS), 0);
	test_machine_exit();
}

static void remove_files(void)
{
	unlink(path("disk"));
	rmdir(scratch_dir);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(test_paused), KTAP_CASE(test_saved), KTAP_CASE(test_saved_elsewhere),
		KTAP_CASE(test_saved_early), KTAP_CASE(test_saved_version), KTAP_CASE(test_refused),
		KTAP_CASE(test_queue_unlike_features),
		KTAP_CASE(test_claimed),
	};

	if (!mkdtemp(scratch_dir))
		return 1;
	atexit(remove_files);
	disk = strdup(path("disk"));
	return ktap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
