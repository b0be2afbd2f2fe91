// SPDX-License-Identifier: GPL-2.0-only
/* What the vCPUs counted (KVM_GET_STATS_FD, docs/stats.md), for armvmm-report. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "guestrun.h"

/* The value of that name of a vCPU, or 0. */
static uint64_t count_of(const struct vcpu *v, const char *name)
{
	static _Alignas(8) char data[8192];
	struct kvm_stats_header h;
	uint64_t value = 0;
	ssize_t size = -1;
	int fd = ioctl(v->fd, KVM_GET_STATS_FD, 0);

	if (fd >= 0) {
		size = pread(fd, data, sizeof(data), 0);
		close(fd);
	}
	if (size < (ssize_t)sizeof(h))
		bail("the counters of vCPU %u cannot be read", v->index);
	memcpy(&h, data, sizeof(h));
	for (uint32_t i = 0; i < h.num_desc; i++) {
		size_t at = h.desc_offset + i * (sizeof(struct kvm_stats_desc) + h.name_size);
		const struct kvm_stats_desc *d = (const void *)(data + at);

		if (at + sizeof(*d) + h.name_size > (size_t)size)
			break;
		if (!strcmp(d->name, name) &&
		    h.data_offset + d->offset + sizeof(value) <= (size_t)size)
			memcpy(&value, data + h.data_offset + d->offset, sizeof(value));
	}
	return value;
}

void counts_print(void)
{
	static const char *const names[] = { "exits", "irq_exits", "hyp_timer" };

	printf("# counts:");
	for (unsigned int n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
		uint64_t sum = 0;

		for (unsigned int i = 0; i < opt.ncpus; i++)
			sum += count_of(&vcpus[i], names[n]);
		printf(" %s %" PRIu64, names[n], sum);
	}
	printf("\n");
}
