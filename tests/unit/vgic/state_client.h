/* SPDX-License-Identifier: GPL-2.0-only */
/* A client that saves and restores a VM by libarmvmm: the GIC's part of its state. */
#ifndef TESTS_UNIT_VGIC_STATE_CLIENT_H
#define TESTS_UNIT_VGIC_STATE_CLIENT_H

#include <stddef.h>

/* 0, or a negative errno. The caller frees what client_save() gives. */
int client_save(unsigned int nr_cpus, void **data, size_t *size);
int client_restore(unsigned int nr_cpus, const void *data, size_t size);

/* The test's own: KVM_GET_DEVICE_ATTR and KVM_SET_DEVICE_ATTR. */
int client_attr(unsigned int group, unsigned long long attr, unsigned int *val, int set);

#endif
