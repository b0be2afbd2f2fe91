// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two banks of NOR flash, at the addresses of QEMU's virt board. While a bank shows its array, the
 * guest reads it as memory. As soon as the bank shows anything else, the memory is taken away, and
 * each read is an exit. When the memory is given back, the hypervisor cleans its pages to the point
 * of coherency: otherwise a guest that maps flash uncached would read old data.
 *
 * When a guest's command is over, the file (the host's page cache) has what it programmed. Commands
 * reach the file in their order. The disk has the data a second later, or when the machine is reset
 * or ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/device_type.h"
#include "core/fdt_builder.h"
#include "core/filelock.h"
#include "core/machine.h"
#include "core/record.h"
#include "hw/cfi.h"

#define FLASH_BANKS	2
#define FLASH_SYNC_MS	1000
#define FLASH_PAGE	4096u

struct flash_config {
	char *label;	/* what the person typed, for messages */
	char *file;
	bool ro;
	bool firmware;	/* the guest starts here */
};

struct flash {
	struct device dev;
	struct machine *m;
	const char *file;	/* NULL: the contents are lost at the end */
	int fd;			/* -1: likewise */
	size_t mapped;		/* bytes of the map that are the file's */
	int slot;		/* of the VM */
	uint8_t *map;
	pthread_mutex_t lock;	/* all below, and the slot */
	struct cfi cfi;
	bool shown;		/* the guest has the memory */
	bool failed;		/* a write has failed; warned of once */
	guint sync_timer;	/* runs while the file has data that the disk has not; else 0 */
};

static const struct device_ops flash_ops;

/* ---- The file ---- */

static void flash_sync(struct flash *flash)
{
	if (fdatasync(flash->fd) && errno != EROFS && errno != EINVAL)
		machine_warn(flash->m, "%s: %s", flash->file, strerror(errno));
}

static gboolean flash_sync_due(void *opaque)
{
	struct flash *flash = opaque;

	pthread_mutex_lock(&flash->lock);
	flash->sync_timer = 0;
	pthread_mutex_unlock(&flash->lock);
	flash_sync(flash);
	return G_SOURCE_REMOVE;
}

/* No vCPU runs. */
static void flash_sync_now(struct flash *flash)
{
	if (!flash->sync_timer)
		return;
	g_source_remove(flash->sync_timer);
	flash->sync_timer = 0;
	flash_sync(flash);
}

static int flash_store_memory(void *opaque, uint32_t offset, const void *buf, size_t len)
{
	struct flash *flash = opaque;

	memcpy(flash->map + offset, buf, len);
	__atomic_fetch_add(&flash->dev.memory_writes, 1, __ATOMIC_RELEASE);
	return 0;
}

static int flash_store_file(void *opaque, uint32_t offset, const void *buf, size_t len)
{
	struct flash *flash = opaque;
	const uint8_t *at = buf;

	while (len) {
		ssize_t n = pwrite(flash->fd, at, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (!flash->failed)
				machine_warn(flash->m, "%s: write at %u: %s", flash->file, offset,
					     strerror(n ? errno : EIO));
			flash->failed = true;
			return n ? -errno : -EIO;
		}
		at += n;
		offset += n;
		len -= n;
	}
	if (!flash->sync_timer)
		flash->sync_timer = g_timeout_add(FLASH_SYNC_MS, flash_sync_due, flash);
	return 0;
}

/* ---- The device ---- */

/* Called with the lock. */
static int flash_show(struct flash *flash)
{
	bool show = flash->cfi.mode == CFI_ARRAY;
	int ret = 0;

	if (show != flash->shown)
		ret = machine_rom_set(flash->m, flash->slot, flash->dev.base,
				      show ? flash->dev.size : 0, flash->map);
	if (!ret)
		flash->shown = show;
	return ret;
}

static uint64_t flash_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct flash *flash = container_of(dev, struct flash, dev);
	uint64_t value;

	pthread_mutex_lock(&flash->lock);
	value = cfi_read(&flash->cfi, offset, len);
	pthread_mutex_unlock(&flash->lock);
	return value;
}

static void flash_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct flash *flash = container_of(dev, struct flash, dev);
	int ret;

	pthread_mutex_lock(&flash->lock);
	cfi_write(&flash->cfi, offset, len, value);
	ret = flash_show(flash);
	/* A failure to show the array only costs speed, but a failure to hide it misleads. */
	if (ret && flash->shown)
		machine_warn(flash->m,
			     "flash at 0x%llx: cannot be unmapped, so the guest misreads its status: %s",
			     (unsigned long long)dev->base, strerror(-ret));
	pthread_mutex_unlock(&flash->lock);
}

/* The first bank makes one node for both. */
static void flash_fdt(struct device *dev, struct fdt_builder *fdt)
{
	const struct flash *flash = container_of(dev, struct flash, dev);
	const uint32_t base = flash->m->type->flash_base;
	const uint32_t reg[] = { 0, base, 0, CFI_SIZE, 0, base + CFI_SIZE, 0, CFI_SIZE };

	if (dev->base != base)
		return;
	fdt_node_begin(fdt, "flash@%x", base);
	fdt_prop_string(fdt, "compatible", "cfi-flash");
	fdt_prop_cells(fdt, "reg", sizeof(reg) / sizeof(reg[0]), reg);
	fdt_prop_u32(fdt, "bank-width", 4);
	fdt_node_end(fdt);
}

static int flash_begin(struct device *dev, struct error *err)
{
	struct flash *flash = container_of(dev, struct flash, dev);
	int ret = flash_show(flash);

	return ret ? error_errno(err, ret, "flash at 0x%llx: the hypervisor refuses it",
				 (unsigned long long)dev->base) : 0;
}

/* The VM that had the memory is going away. */
static void flash_reset(struct device *dev)
{
	struct flash *flash = container_of(dev, struct flash, dev);

	flash->shown = false;
	cfi_reset(&flash->cfi);
	flash_sync_now(flash);
}

/* ---- Snapshots have the contents of a bank without a file only, as memory ---- */

static void flash_save(struct device *dev, struct record *r)
{
	struct flash *flash = container_of(dev, struct flash, dev);
	uint8_t has_file = flash->file != NULL;

	record_put(r, &has_file, sizeof(has_file));
	cfi_save(&flash->cfi, r);
}

static int flash_restore(struct device *dev, struct record *r)
{
	struct flash *flash = container_of(dev, struct flash, dev);
	uint8_t had_file;

	record_get(r, &had_file, sizeof(had_file));
	if (!r->ret && had_file != (flash->file != NULL))
		return record_refuse(r, had_file ? "had a file (--flash)" : "had no file");
	return cfi_restore(&flash->cfi, r);
}

static void *flash_memory(struct device *dev)
{
	struct flash *flash = container_of(dev, struct flash, dev);

	return flash->file ? NULL : flash->map;
}

/*
 * What this host's caches keep of the file may be older than what another host has programmed. A
 * mapping does not look again by itself, nor does the guest, which has the mapping's pages.
 */
static int flash_forget(struct flash *flash)
{
	bool shown = flash->shown;
	int ret = 0;

	if (shown)
		ret = machine_rom_set(flash->m, flash->slot, flash->dev.base, 0, NULL);
	if (ret)
		return ret;
	madvise(flash->map, flash->mapped, MADV_DONTNEED);
	posix_fadvise(flash->fd, 0, 0, POSIX_FADV_DONTNEED);
	if (shown)
		ret = machine_rom_set(flash->m, flash->slot, flash->dev.base, flash->dev.size,
				      flash->map);
	flash->shown = shown && !ret;
	return ret;
}

static bool flash_is_readonly(const struct flash *flash)
{
	return !flash->cfi.store;
}

static int flash_claim(struct device *dev, bool take, struct error *err)
{
	struct flash *flash = container_of(dev, struct flash, dev);
	int ret;

	if (flash->fd < 0)
		return 0;
	if (!take) {
		filelock_leave(flash->fd);
		return 0;
	}
	ret = filelock_take(flash->fd, flash_is_readonly(flash), flash->file, &flash->m->guard,
			    err);
	if (ret)
		return ret;
	pthread_mutex_lock(&flash->lock);
	ret = flash_forget(flash);
	pthread_mutex_unlock(&flash->lock);
	return ret ? error_errno(err, ret, "%s", flash->file) : 0;
}

static int flash_flush(struct device *dev)
{
	struct flash *flash = container_of(dev, struct flash, dev);

	return flash->fd >= 0 && fdatasync(flash->fd) && errno != EROFS && errno != EINVAL ?
		       -errno : 0;
}

static void flash_destroy(struct device *dev)
{
	struct flash *flash = container_of(dev, struct flash, dev);

	flash_sync_now(flash);
	if (flash->shown)
		machine_rom_set(flash->m, flash->slot, dev->base, 0, NULL);
	if (flash->map)
		munmap(flash->map, CFI_SIZE);
	if (flash->fd >= 0)
		close(flash->fd);
	pthread_mutex_destroy(&flash->lock);
	free(flash);
}

static const struct device_ops flash_ops = {
	.name = "cfi-flash",
	.read = flash_read,
	.write = flash_write,
	.fdt = flash_fdt,
	.begin = flash_begin,
	.reset = flash_reset,
	.save = flash_save,
	.restore = flash_restore,
	.state_version = 1,
	.memory = flash_memory,
	.flush = flash_flush,
	.claim = flash_claim,
	.destroy = flash_destroy,
};

/* ---- Making them ---- */

static int flash_open(struct flash *flash, const struct flash_config *config, struct stat *st,
		      struct error *err)
{
	flash->file = config->file;
	/* O_NONBLOCK: a FIFO must be refused, not waited for. */
	flash->fd = open(config->file, (config->ro ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
	if (flash->fd < 0 || fstat(flash->fd, st))
		return error_errno(err, -errno, "%s", config->file);
	if (S_ISDIR(st->st_mode))
		return error_set(err, -EISDIR, "%s: is a directory", config->file);
	if (!S_ISREG(st->st_mode))
		return error_set(err, -EINVAL, "%s: is no regular file", config->file);
	if (!st->st_size)
		return error_set(err, -EINVAL, "%s: is empty", config->file);
	if (st->st_size > CFI_SIZE)
		return error_set(err, -E2BIG, "%s: is larger than a bank of flash: %u MiB",
				 config->file, CFI_SIZE >> 20);
	if (!config->ro && st->st_size != CFI_SIZE)
		return error_set(err, -EINVAL,
				 "%s: has %lld bytes, and flash that is written has %u: truncate -s 64M FILE makes it so (or add ,ro)",
				 config->file, (long long)st->st_size, CFI_SIZE);
	return 0;
}

/* Maps the file over the start of the bank. The rest of the bank reads as zero. */
static int flash_attach(struct flash *flash, const struct flash_config *config, struct error *err)
{
	struct stat st;
	int ret = flash_open(flash, config, &st, err);
	size_t len;

	if (ret)
		return ret;
	len = (st.st_size + FLASH_PAGE - 1) / FLASH_PAGE * FLASH_PAGE;
	if (mmap(flash->map, len, PROT_READ, MAP_SHARED | MAP_FIXED, flash->fd, 0) == MAP_FAILED)
		return error_errno(err, -errno, "%s", config->file);
	flash->mapped = len;
	flash->cfi.store = config->ro ? NULL : flash_store_file;
	/* A guest that comes has it where it is, until it is here. */
	return flash->m->incoming ? 0 : filelock_take(flash->fd, config->ro, config->file,
						      &flash->m->guard, err);
}

static int flash_make(struct machine *m, uint64_t base, struct flash **out, struct error *err)
{
	struct flash *flash = calloc(1, sizeof(*flash));
	int ret;

	if (!flash)
		return error_errno(err, -ENOMEM, "flash");
	flash->dev = (struct device){ .ops = &flash_ops, .base = base, .size = CFI_SIZE };
	flash->m = m;
	flash->fd = -1;
	pthread_mutex_init(&flash->lock, NULL);
	flash->map = mmap(NULL, CFI_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (flash->map == MAP_FAILED)
		flash->map = NULL;
	flash->cfi.data = flash->map;
	flash->cfi.store = flash_store_memory;
	flash->cfi.opaque = flash;
	cfi_reset(&flash->cfi);
	ret = flash->map ? 0 : -ENOMEM;
	flash->slot = ret ? ret : machine_rom_slot(m);
	if (flash->slot < 0)
		ret = flash->slot;
	if (!ret)
		ret = device_register(&m->bus, &flash->dev);
	if (ret) {
		flash_destroy(&flash->dev);
		return error_errno(err, ret, "flash");
	}
	*out = flash;
	return 0;
}

static struct flash *flash_bank(struct machine *m, unsigned int bank)
{
	uint64_t base = m->type->flash_base + bank * (uint64_t)CFI_SIZE;
	struct device *dev = device_find(&m->bus, base);

	return dev ? container_of(dev, struct flash, dev) : NULL;
}

/* Makes both banks, even if only one is asked for. A bank without a file is lost at the end. */
static int flash_create(struct machine *m, const void *opaque, struct error *err)
{
	const struct flash_config *config = opaque;
	struct flash *flash;
	int ret = 0;

	if (!m->type->flash)
		return error_set(err, -ENODEV, "%s: the machine %s has no flash", config->label,
				 m->type->name);
	for (unsigned int i = 0; !ret && i < FLASH_BANKS; i++)
		if (!flash_bank(m, i))
			ret = flash_make(m, m->type->flash_base + i * (uint64_t)CFI_SIZE, &flash,
					 err);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < FLASH_BANKS; i++) {
		flash = flash_bank(m, i);
		if (flash->file)
			continue;
		m->flash = true;
		m->firmware |= config->firmware;
		return flash_attach(flash, config, err);
	}
	return error_set(err, -EBUSY, "%s: both banks of flash have a file", config->label);
}

static void flash_release(void *opaque)
{
	struct flash_config *config = opaque;

	if (!config)
		return;
	free(config->label);
	free(config->file);
	free(config);
}

/* FILE[,ro]: a comma without a known word behind it is a part of the name. */
static int flash_parse(const char *label, const char *args, void **out, struct error *err)
{
	struct flash_config *config = calloc(1, sizeof(*config));
	size_t len = args ? strlen(args) : 0;

	*out = config;
	if (!config)
		return error_errno(err, -ENOMEM, "%s", label);
	if (len > 3 && !strcmp(args + len - 3, ",ro")) {
		config->ro = true;
		len -= 3;
	}
	if (!len)
		return error_set(err, -EINVAL, "%s: names no file", label);
	config->label = strdup(label);
	config->file = strndup(args, len);
	return config->label && config->file ? 0 : error_errno(err, -ENOMEM, "%s", label);
}

/* The whole argument is the file's name. Firmware is read-only. */
static int flash_parse_firmware(const char *label, const char *args, void **out, struct error *err)
{
	struct flash_config *config = calloc(1, sizeof(*config));

	*out = config;
	if (!config)
		return error_errno(err, -ENOMEM, "%s", label);
	if (!args || !*args)
		return error_set(err, -EINVAL, "%s: names no file", label);
	config->ro = config->firmware = true;
	config->label = strdup(label);
	config->file = strdup(args);
	return config->label && config->file ? 0 : error_errno(err, -ENOMEM, "%s", label);
}

static const struct device_word flash_words[] = {
	{ "ro", "it cannot be written; FILE may be smaller than 64 MiB" },
	{ NULL, NULL },
};

static const struct device_type flash_type = {
	.name = "cfi-flash",
	.summary = "a bank of flash",
	.option = "flash",
	.args = "FILE",
	.words = flash_words,
	.max = FLASH_BANKS,
	.boot = BOOT_ALONE,
	.order = 6,
	.parse = flash_parse,
	.release = flash_release,
	.create = flash_create,
};
DEVICE_TYPE(flash_type);

/* It is made first, and so gets the first bank. */
static const struct device_type firmware_type = {
	.name = "firmware",
	.summary = "firmware in the first bank of flash",
	.option = "firmware",
	.args = "FILE",
	.max = 1,
	.boot = BOOT_FIRST,
	.order = 5,
	.parse = flash_parse_firmware,
	.release = flash_release,
	.create = flash_create,
};
DEVICE_TYPE(firmware_type);
