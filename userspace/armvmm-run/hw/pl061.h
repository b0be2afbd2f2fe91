/* SPDX-License-Identifier: GPL-2.0-only */
/* The GPIO block with the power button. */
#ifndef ARMVMM_RUN_PL061_H
#define ARMVMM_RUN_PL061_H

#include <stdbool.h>

struct error;
struct machine;
struct pl061;

/* A constructor as in machine.h; @button is the device, for pl061_button(). */
int pl061_create_button(struct machine *m, struct pl061 **button, struct error *err);

/* Presses (true) or releases the power button. Any thread. */
void pl061_button(struct pl061 *pl, bool pressed);

#endif /* ARMVMM_RUN_PL061_H */
