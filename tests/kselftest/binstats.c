// SPDX-License-Identifier: GPL-2.0-only
/* What a VM or a vCPU counts, read through KVM_GET_STATS_FD. */
#define _FILE_OFFSET_BITS 64
#include "binstats.h"

const struct kvm_stats_desc *desc_at(const struct image *im, unsigned int i)
{
	return (const void *)(im->data + im->h.desc_offset +
			      i * (sizeof(struct kvm_stats_desc) + im->h.name_size));
}

void image_read(struct image *im, int fd)
{
	memset(im, 0xa5, sizeof(*im));
	im->size = pread(fd, im->data, sizeof(im->data), 0);
	MUST(im->size > (ssize_t)sizeof(im->h), "%zd: %s", im->size, strerror(errno));
	memcpy(&im->h, im->data, sizeof(im->h));
	MUST(im->h.name_size == BINSTATS_NAME_SIZE && im->h.num_desc > 0 && im->h.num_desc < 100,
	     "names of %u bytes, %u descriptors", im->h.name_size, im->h.num_desc);
}

const struct kvm_stats_desc *desc_find(const struct image *im, const char *name)
{
	for (unsigned int i = 0; i < im->h.num_desc; i++)
		if (!strcmp(desc_at(im, i)->name, name))
			return desc_at(im, i);
	ktap_fail(__FILE__, __LINE__, "a descriptor", "%s is not there", name);
	ktap_stop();
}

uint64_t value_of(const struct image *im, const char *name, unsigned int i)
{
	const struct kvm_stats_desc *d = desc_find(im, name);
	uint64_t v;

	MUST(i < d->size, "%s has %u values", name, d->size);
	memcpy(&v, im->data + im->h.data_offset + d->offset + 8 * i, 8);
	return v;
}

uint64_t stat_of(int fd, const char *name)
{
	struct image im;

	image_read(&im, fd);
	return value_of(&im, name, 0);
}

int stats_fd(int fd)
{
	return (int)MUST_OK(ioctl(fd, KVM_GET_STATS_FD, 0));
}

bool vcpu_blocks(struct vm *vm, unsigned int i)
{
	uint64_t end = now_ns() + PATIENCE_MS * 1000000ull;
	int fd = stats_fd(vm->vcpu[i].fd);
	bool blocks;

	while (!(blocks = stat_of(fd, "blocking")) && now_ns() < end)
		usleep(1000);
	close(fd);
	return blocks;
}
