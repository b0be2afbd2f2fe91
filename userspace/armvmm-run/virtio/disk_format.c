// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "virtio/disk_format.h"

#define DISK_FOOTER	512	/* from the end: a fixed VHD's only mark */
#define DISK_MARK_MAX	24

struct disk_mark {
	const char *name;
	uint64_t offset;
	bool footer;		/* counted from DISK_FOOTER before the end */
	unsigned int len;
	const char *bytes;
};

static const struct disk_mark disk_marks[] = {
	{ "qcow2", 0, false, 4, "QFI\xfb" },
	{ "qed", 0, false, 4, "QED" },
	{ "vmdk", 0, false, 4, "KDMV" },
	{ "vmdk", 0, false, 4, "COWD" },
	{ "vmdk", 0, false, 21, "# Disk DescriptorFile" },
	{ "vdi", 0x40, false, 4, "\x7f\x10\xda\xbe" },
	{ "vhdx", 0, false, 8, "vhdxfile" },
	{ "vhd", 0, false, 8, "conectix" },
	{ "vhd", 0, true, 8, "conectix" },
	{ "parallels", 0, false, 16, "WithoutFreeSpace" },
	{ "parallels", 0, false, 16, "WithouFreSpacExt" },
	{ "dmg", 0, true, 4, "koly" },
};

const char *disk_format(int fd, uint64_t size)
{
	char buf[DISK_MARK_MAX];

	for (unsigned int i = 0; i < sizeof(disk_marks) / sizeof(disk_marks[0]); i++) {
		const struct disk_mark *mark = &disk_marks[i];
		uint64_t at = mark->footer ? size - DISK_FOOTER : mark->offset;

		if (size < DISK_FOOTER)
			continue;
		if (pread(fd, buf, mark->len, at) == (ssize_t)mark->len &&
		    !memcmp(buf, mark->bytes, mark->len))
			return mark->name;
	}
	return NULL;
}
