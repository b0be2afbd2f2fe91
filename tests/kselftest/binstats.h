/* SPDX-License-Identifier: GPL-2.0-only */
/* What a VM or a vCPU counts, read through KVM_GET_STATS_FD. */
#ifndef TEST_BINSTATS_H
#define TEST_BINSTATS_H

#include "vm.h"

#define BINSTATS_NAME_SIZE	48	/* what armvmm's headers say; checked */

/* A stats file as it was read, and its parts. */
struct image {
	char data[8192];
	ssize_t size;
	struct kvm_stats_header h;
};

const struct kvm_stats_desc *desc_at(const struct image *im, unsigned int i);
void image_read(struct image *im, int fd);
/* The test stops if there is no such statistic. */
const struct kvm_stats_desc *desc_find(const struct image *im, const char *name);
uint64_t value_of(const struct image *im, const char *name, unsigned int i);
uint64_t stat_of(int fd, const char *name);
/* A new stats fd of a VM's or a vCPU's @fd. */
int stats_fd(int fd);
/* Waits until vCPU @i sleeps in WFI, for PATIENCE_MS at most. Returns whether it does. */
bool vcpu_blocks(struct vm *vm, unsigned int i);

#endif /* TEST_BINSTATS_H */
