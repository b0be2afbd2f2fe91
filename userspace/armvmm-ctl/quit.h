/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ARMVMM_CTL_QUIT_H
#define ARMVMM_CTL_QUIT_H

#include "connection.h"

/* Ends the machine. One that is gone before it has answered has done what it was asked for. */
bool quit_machine(struct connection *c, GError **err);

#endif /* ARMVMM_CTL_QUIT_H */
