/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The board: the machine with its devices, its vCPUs and what the guest starts from. One is made
 * for each run of the program. Main thread only.
 */
#ifndef ARMVMM_RUN_BOARD_H
#define ARMVMM_RUN_BOARD_H

#include "core/chardev.h"
#include "core/config.h"
#include "core/error.h"
#include "core/machine.h"

struct board;
struct receive_source;

/*
 * Opens the VM (unless --dump-dtb asks for no more than the device tree), the
 * files, and makes all devices. Returns 0 or -errno with @err set.
 */
int board_create(struct board **board, const struct config *config, struct chardev *chr,
		 struct error *err);

/* Writes the device tree into the file @path. Returns 0 or -errno with @err set. */
int board_dump_dtb(struct board *board, const char *path, struct error *err);

/* The machine, as long as the board is there. */
struct machine *board_machine(struct board *board);

/* How many bytes of its memory the host pins, as soon as the guest touches them; 0: none. */
uint64_t board_pinned(struct board *board);

/*
 * The guest comes from there (--incoming), and does not start. To be called before board_run(),
 * whose first start waits for it.
 */
void board_await_guest(struct board *board, struct receive_source *source);

/*
 * Starts the guest, and starts it again at each of its reboots, until something ends it for good.
 * Returns 0 with *@ended telling what, or -errno with @err set.
 */
int board_run(struct board *board, enum machine_request *ended, struct error *err);

/* NULL does nothing. */
void board_destroy(struct board *board);

/* Asks for the end, as machine_request() does. */
void board_request(struct board *board, enum machine_request request, enum machine_cause cause);

/* Presses the power button for a moment. */
void board_press_power(struct board *board);

#endif /* ARMVMM_RUN_BOARD_H */
