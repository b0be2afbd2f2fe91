/* SPDX-License-Identifier: GPL-2.0-only */
/* An item that the fw_cfg device offers. The board passes them in its struct machine. */
#ifndef ARMVMM_RUN_FWCFG_ITEM_H
#define ARMVMM_RUN_FWCFG_ITEM_H

#include <stdint.h>

/* Keys, of QEMU's include/standard-headers/linux/qemu_fw_cfg.h. Numbers are little-endian. */
enum fwcfg_key {
	FWCFG_SIGNATURE = 0x00,
	FWCFG_ID = 0x01,
	FWCFG_RAM_SIZE = 0x03,		/* u64 */
	FWCFG_NOGRAPHIC = 0x04,		/* u16 */
	FWCFG_NB_CPUS = 0x05,		/* u16 */
	FWCFG_KERNEL_SIZE = 0x08,	/* u32, as the other sizes */
	FWCFG_INITRD_SIZE = 0x0b,
	FWCFG_MAX_CPUS = 0x0f,		/* u16 */
	FWCFG_KERNEL_DATA = 0x11,
	FWCFG_INITRD_DATA = 0x12,
	FWCFG_CMDLINE_SIZE = 0x14,
	FWCFG_CMDLINE_DATA = 0x15,	/* with the zero at its end */
	FWCFG_FILE_DIR = 0x19,
};

struct fwcfg_item {
	uint16_t key;
	uint32_t size;
	const void *data;	/* NULL: @read gives it */
	/* Reads all @len bytes from @offset on, which exist. Any thread. Returns 0 or -errno. */
	int (*read)(void *opaque, uint32_t offset, void *buf, uint32_t len);
	void *opaque;
};

#endif /* ARMVMM_RUN_FWCFG_ITEM_H */
