/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interface between the guest that is saved (snapshot.c) and the client that saves it
 * (saver.c).
 */
#ifndef GUEST_SNAPSHOT_H
#define GUEST_SNAPSHOT_H

#include "param.h"

#define SNAP_EVENT	(DEV_BASE + 0x00)	/* W: what the guest logs */
#define SNAP_PULSE	(DEV_BASE + 0x04)	/* W: SPI n high, then low */
#define SNAP_RAISE	(DEV_BASE + 0x08)
#define SNAP_LOWER	(DEV_BASE + 0x0c)
#define SNAP_CHECKPOINT	(DEV_BASE + 0x10)	/* W: the same state in each run */
#define SNAP_FAIL	(DEV_BASE + 0x14)	/* W: CPU << 16 | what went wrong */
#define SNAP_MODEL	(DEV_BASE + 0x18)	/* W: address of its gicrand_cpu[] (gicrand.h) */
#define SNAP_ALIVE	(DEV_BASE + 0x40)	/* W: CPU n gets on; n at + 4 n */
#define SNAP_STREAM	(DEV_BASE + 0x80)	/* four words; R: a series. W: changes it */

#define SNAP_SPI_EDGE	40
#define SNAP_SPI_LEVEL	41
#define SNAP_PERIOD	200			/* events from one checkpoint to the next */

#endif /* GUEST_SNAPSHOT_H */
