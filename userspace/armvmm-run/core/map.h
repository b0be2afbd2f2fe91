/* SPDX-License-Identifier: GPL-2.0-only */
/* What all machines have in common. Where things are is said by the file of each (machines/). */
#ifndef ARMVMM_RUN_MAP_H
#define ARMVMM_RUN_MAP_H

#define MAP_VIRTIO_SIZE	0x200
#define MAP_VIRTIO_SLOTS	32		/* at most */
#define MAP_PCI_SLOTS	32		/* of the one bus */
#define MAP_V2M_SPIS	64
#define MAP_NR_SPIS		256
#define MAP_PMU_INTID	23	/* a PPI */

#endif /* ARMVMM_RUN_MAP_H */
