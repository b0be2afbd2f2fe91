/* SPDX-License-Identifier: GPL-2.0-only */
/* HYP mode of all CPUs: taken over, given back, lost and found again. */
#ifndef ARMVMM_TAKEOVER_H
#define ARMVMM_TAKEOVER_H

/*
 * Says whether HYP mode of every online CPU is ours to take: 0, or -ENODEV after
 * one message that says what is missing. Nothing is changed. May sleep.
 */
int armvmm_takeover_probe(void);

/*
 * Takes HYP mode of all CPUs over, and of each that comes online, wakes up or
 * resumes from now on. Needs armvmm_hypmap_init(). May sleep.
 */
int armvmm_takeover_init(void);
void armvmm_takeover_exit(void);

#endif
