/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host is not hibernated while there are VMs: their clocks, and the memory of those whose
 * caches are off, would not survive it (docs/boards.md).
 */
#ifndef ARMVMM_HIBERNATE_H
#define ARMVMM_HIBERNATE_H

int armvmm_hibernate_init(void);
void armvmm_hibernate_exit(void);

/* A VM comes: returns 0, or -EBUSY while the host is being hibernated. And it goes. Any context. */
int armvmm_hibernate_vm_add(void);
void armvmm_hibernate_vm_del(void);

#endif
