/* SPDX-License-Identifier: GPL-2.0-only */
/* Restores a machine from a snapshot, which may come from an attacker. Main thread. */
#ifndef ARMVMM_RUN_RESTORE_H
#define ARMVMM_RUN_RESTORE_H

#include "core/error.h"
#include "core/machine.h"
#include "snapshot/facts.h"
#include "snapshot/places.h"

struct restore_file {
	int fd;
	const char *name;
};

/*
 * Reads the snapshots @file, the first of which is complete, while each other one adds to the one
 * before it, to their ends, into a machine that is made alike, whose memory is zero, and whose
 * vCPUs have never run. Of all but the last only memory is used. Fills in @facts. The devices are
 * paused afterwards. Returns 0, or -errno with @err naming the file and the part that is wrong:
 * then the machine is good for nothing.
 *
 * Unless @places is NULL, memory is left as it is, and @places knows where it is in the files.
 */
int restore_machine(struct machine *m, const struct restore_file *file, unsigned int nr,
		    struct places *places, struct facts *facts, struct error *err);

/*
 * The same, but @read gives the bytes, as part_reader.read does. A snapshot without memory leaves
 * the memory as it is.
 */
int restore_from(struct machine *m, int64_t (*read)(void *opaque, void *data, size_t len),
		 void *opaque, const char *file, struct facts *facts, struct error *err);

#endif /* ARMVMM_RUN_RESTORE_H */
