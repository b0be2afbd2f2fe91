/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells the service manager how the guest does, by the protocol of sd_notify(3), which is meant for
 * programs without systemd's library, too: that it has started, whether it runs, that it ends, and,
 * if the manager keeps a watchdog (WatchdogSec=), that the main loop is alive. Main thread only.
 */
#ifndef ARMVMM_RUN_NOTIFY_H
#define ARMVMM_RUN_NOTIFY_H

#include "core/error.h"
#include "core/machine.h"

struct notify;

/*
 * Connects to the socket that $NOTIFY_SOCKET names, and takes it out of the environment. Without
 * one *@out is NULL. Called while files and sockets can still be opened. Returns 0 or -errno.
 */
int notify_create(struct notify **out, struct error *err);

/* From now on tells what happens to the machine. @notify may be NULL. */
void notify_start(struct notify *notify, struct machine *m);

void notify_destroy(struct notify *notify);

#endif /* ARMVMM_RUN_NOTIFY_H */
