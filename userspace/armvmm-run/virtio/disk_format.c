// SPDX-License-Identifier: GPL-2.0-only
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/read_full.h"
#include "virtio/disk_format.h"

#define DISK_FOOTER	512	/* from the end: a fixed VHD's only mark */

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

/* What of the file is looked at: one piece at its start, and the one with its end. */
struct disk_piece {
	uint64_t at, len;
	uint8_t *data;
};

static bool disk_has_mark(const struct disk_piece *piece, uint64_t size,
			  const struct disk_mark *mark)
{
	uint64_t at = (mark->footer ? size - DISK_FOOTER : mark->offset) - piece->at;

	return at + mark->len <= piece->len && !memcmp(piece->data + at, mark->bytes, mark->len);
}

/* Address, length and place are whole blocks, as O_DIRECT wants them. */
static int disk_read_piece(int fd, struct disk_piece *piece, uint32_t block)
{
	uint64_t at = piece->at;
	int64_t len = read_full(fd, piece->data, block, &at);

	/* Behind a part of a block comes the end, which O_DIRECT does not let one ask for. */
	if (len == -EINVAL && at > piece->at)
		len = at - piece->at;
	piece->len = len < 0 ? 0 : len;
	return len < 0 ? len : 0;
}

int disk_format(int fd, uint64_t size, uint32_t block, const char **name)
{
	struct disk_piece start = { .at = 0 }, end;
	void *data;
	int ret;

	*name = NULL;
	if (size < DISK_FOOTER)
		return 0;
	if (posix_memalign(&data, block, 2 * (size_t)block))
		return -ENOMEM;
	start.data = data;
	end = (struct disk_piece){
		.at = (size - DISK_FOOTER) / block * block,
		.data = start.data + block,
	};
	ret = disk_read_piece(fd, &start, block);
	if (!ret)
		ret = disk_read_piece(fd, &end, block);
	for (unsigned int i = 0; !ret && i < sizeof(disk_marks) / sizeof(disk_marks[0]); i++)
		if (disk_has_mark(disk_marks[i].footer ? &end : &start, size, &disk_marks[i])) {
			*name = disk_marks[i].name;
			break;
		}
	free(data);
	return ret;
}
