// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_mmio.c userspace/armvmm-run/virtio/virtqueue.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c
// sources: userspace/armvmm-run/virtio/virtio_blk.c userspace/armvmm-run/virtio/blk_request.c
// sources: userspace/armvmm-run/virtio/vhost_user_blk.c userspace/armvmm-run/virtio/vhost_user.c
// sources: userspace/armvmm-run/virtio/vhost_wire.c userspace/armvmm-run/virtio/vhost.c
// sources: userspace/armvmm-run/virtio/disk.c userspace/armvmm-run/virtio/disk_format.c
// sources: userspace/armvmm-run/virtio/disk_file.c
// sources: userspace/armvmm-run/core/filelock.c
// sources: userspace/armvmm-run/core/identity.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/core/rate.c userspace/armvmm-run/core/thread.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wno-unused
// pkgs: glib-2.0
// libs: -lfdt -lpthread
// max_len: 1024
/* virtio-blk: requests of any shape, on a file of 1 MiB. */
#include <sys/mman.h>

#include "virtio_fuzz.h"
#include "virtio/disk.h"

#define FUZZ_DISK	(1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char path[64];
	static int fd = -1;
	struct fuzz f = { data, len };
	uint8_t how = fuzz_u8(&f);
	struct disk_config config = { .path = path, .raw = true, .readonly = how & 1 };

	if (fd < 0) {
		fd = memfd_create("disk", 0);
		FUZZ_MUST(fd >= 0 && !ftruncate(fd, FUZZ_DISK));
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	virtio_fuzz(&f, "virtio-blk", &config, 1, NULL);
	/* No request of a guest makes the disk larger. */
	FUZZ_MUST(lseek(fd, 0, SEEK_END) == FUZZ_DISK);
	return 0;
}
