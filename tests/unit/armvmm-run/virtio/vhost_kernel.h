/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In place of the host's vhost, and of its tun: checks the order in which they are told things,
 * takes buffers from the ring by the addresses that they were given, and gives them back. Its test
 * has one device of the kind.
 */
#ifndef TESTS_UNIT_VHOST_KERNEL_H
#define TESTS_UNIT_VHOST_KERNEL_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <linux/virtio_net.h>
#include <linux/virtio_vsock.h>

#include "armvmm-run/virtio/virtio_driver.h"

#define V1    (1ULL << VIRTIO_F_VERSION_1)

#define KERNEL_FEATURES (V1 | 1ull << VIRTIO_RING_F_EVENT_IDX |				\
			 1ull << VIRTIO_RING_F_INDIRECT_DESC | 1ull << VHOST_F_LOG_ALL |	\
			 1ull << VIRTIO_F_ANY_LAYOUT)

static struct kernel {
	int fd;
	int tun, hdr_size;	/* the file, and the header that it expects */
	unsigned long offload;
	int backend[2];		/* of a network card */
	bool owned, running;
	uint64_t cid, features;
	uint64_t ram_gpa, ram_size;
	void *ram;
	unsigned int nr_wrong;	/* requests that the real one refuses */
	unsigned int nr_runs, nr_stops;
	struct {
		unsigned int size, base;
		struct vhost_vring_addr addr;
		int kick, call, err;
	} q[2];
} kernel;

/* Its version; and whether it says that its thread is a thread of the process (-1: neither). */
static const char *kernel_release = "6.12.1-x";
static int kernel_forks = -1;

int uname(struct utsname *name)
{
	g_strlcpy(name->release, kernel_release, sizeof(name->release));
	return 0;
}

static bool kernel_missing, kernel_has_cid, kernel_refuses_rings, kernel_refuses_backend;

int open(const char *path, int flags, ...)
{
	if (!strcmp(path, "/dev/net/tun")) {
		kernel = (struct kernel){ .tun = eventfd(0, EFD_CLOEXEC), .backend = { -1, -1 } };
		return kernel.tun;
	}
	if (strcmp(path, KERNEL_NODE))
		return syscall(SYS_openat, AT_FDCWD, path, flags, 0);
	if (kernel_missing) {
		errno = ENOENT;
		return -1;
	}
	if (!kernel.tun)
		kernel = (struct kernel){ .backend = { -1, -1 } };
	kernel.fd = eventfd(0, EFD_CLOEXEC);
	return kernel.fd;
}

static int kernel_wrong(int error)
{
	kernel.nr_wrong++;
	errno = error;
	return -1;
}

static int kernel_set_file(unsigned long request, const struct vhost_vring_file *file)
{
	if (file->index > 1 || !kernel.owned)
		return kernel_wrong(ENOBUFS);
	if (request == VHOST_SET_VRING_KICK)
		kernel.q[file->index].kick = file->fd;
	else if (request == VHOST_SET_VRING_CALL)
		kernel.q[file->index].call = file->fd;
	else
		kernel.q[file->index].err = file->fd;
	return 0;
}

static int kernel_set_ring(unsigned long request, void *arg)
{
	struct vhost_vring_state *state = arg;
	const struct vhost_vring_addr *addr = arg;

	/* Both structures begin with the index. */
	if (state->index > 1 || !kernel.owned)
		return kernel_wrong(ENOBUFS);
	if (kernel.running)
		return kernel_wrong(EBUSY);
	switch (request) {
	case VHOST_SET_VRING_NUM:
		kernel.q[state->index].size = state->num;
		return 0;
	case VHOST_SET_VRING_BASE:
		kernel.q[state->index].base = state->num;
		return 0;
	case VHOST_GET_VRING_BASE:
		state->num = kernel.q[state->index].base;
		return 0;
	}
	if (kernel_refuses_rings)
		return kernel_wrong(EFAULT);
	kernel.q[addr->index].addr = *addr;
	return 0;
}

/* It may use queue @i from now on. Notifications that came before woke it in vain. */
static void kernel_may_use(unsigned int i)
{
	(void)!read(kernel.q[i].kick, &(uint64_t){ 0 }, 8);
}

/* A card runs when both queues have a back end. */
static int kernel_set_backend(const struct vhost_vring_file *file)
{
	bool ran = kernel.running;

	if (file->index > 1 || !kernel.owned || (file->fd != -1 && file->fd != kernel.tun))
		return kernel_wrong(EBADF);
	if (kernel_refuses_backend && file->index && file->fd != -1)
		return kernel_wrong(EFAULT);
	kernel.backend[file->index] = file->fd;
	if (file->fd != -1)
		kernel_may_use(file->index);
	kernel.running = kernel.backend[0] != -1 || kernel.backend[1] != -1;
	kernel.nr_runs += kernel.running && !ran;
	kernel.nr_stops += ran && !kernel.running;
	return 0;
}

static int kernel_tun(unsigned long request, void *arg)
{
	if (request == TUNSETVNETHDRSZ) {
		/* The kernel takes frames meanwhile. */
		if (kernel.running)
			return kernel_wrong(EBUSY);
		kernel.hdr_size = *(int *)arg;
	}
	if (request == TUNSETOFFLOAD)
		kernel.offload = (unsigned long)arg;
	return 0;
}

static int kernel_set_memory(const struct vhost_memory *memory)
{
	if (!kernel.owned || memory->nregions != 1)
		return kernel_wrong(EINVAL);
	kernel.ram_gpa = memory->regions[0].guest_phys_addr;
	kernel.ram_size = memory->regions[0].memory_size;
	kernel.ram = (void *)(uintptr_t)memory->regions[0].userspace_addr;
	return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (kernel.tun && fd == kernel.tun)
		return kernel_tun(request, arg);
	if (fd != kernel.fd || !kernel.fd)
		return syscall(SYS_ioctl, fd, request, arg);
	switch (request) {
	case _IOR(VHOST_VIRTIO, 0x85, uint8_t):
		*(uint8_t *)arg = kernel_forks;
		errno = EPERM;
		return kernel_forks < 0 ? -1 : 0;
	case VHOST_GET_FEATURES:
		*(uint64_t *)arg = KERNEL_FEATURES | KERNEL_OWN_FEATURES;
		return 0;
	case VHOST_VSOCK_SET_GUEST_CID:
		if (kernel_has_cid) {
			errno = EADDRINUSE;
			return -1;
		}
		kernel.cid = *(uint64_t *)arg;
		return 0;
	case VHOST_SET_OWNER:
		if (kernel.owned)
			return kernel_wrong(EBUSY);
		kernel.owned = true;
		return 0;
	case VHOST_SET_FEATURES:
		if (*(uint64_t *)arg & ~(KERNEL_FEATURES | KERNEL_OWN_FEATURES))
			return kernel_wrong(EOPNOTSUPP);
		kernel.features = *(uint64_t *)arg;
		return 0;
	case VHOST_SET_MEM_TABLE:
		return kernel_set_memory(arg);
	case VHOST_SET_VRING_KICK:
	case VHOST_SET_VRING_CALL:
	case VHOST_SET_VRING_ERR:
		return kernel_set_file(request, arg);
	case VHOST_VSOCK_SET_RUNNING:
		if (!kernel.owned)
			return kernel_wrong(EPERM);
		kernel.running = *(int *)arg;
		for (unsigned int i = 0; kernel.running && i < 2; i++)
			kernel_may_use(i);
		kernel.nr_runs += kernel.running;
		kernel.nr_stops += !kernel.running;
		return 0;
	case VHOST_NET_SET_BACKEND:
		return kernel_set_backend(arg);
	default:
		return kernel_set_ring(request, arg);
	}
}

/* Does the main loop come to an end of its work, though it was given some? */
static MAYBE bool loop_rests(void)
{
	for (unsigned int i = 0; i < 100; i++)
		if (!g_main_context_iteration(NULL, FALSE))
			return true;
	return false;
}

static MAYBE bool is_readable(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	return poll(&wait, 1, 0) > 0;
}

/*
 * Works on queue @i, if it was notified: gives back all buffers that are there. Returns how many.
 */
static MAYBE unsigned int kernel_works(unsigned int i)
{
	const struct vring_avail *avail = (void *)(uintptr_t)kernel.q[i].addr.avail_user_addr;
	struct vring_used *used = (void *)(uintptr_t)kernel.q[i].addr.used_user_addr;
	unsigned int n = 0;

	KTAP_TRUE(kernel.running);
	if (!is_readable(kernel.q[i].kick))
		return 0;
	(void)!read(kernel.q[i].kick, &(uint64_t){ 0 }, 8);
	for (; kernel.q[i].base != avail->idx; n++) {
		unsigned int at = kernel.q[i].base++ & (kernel.q[i].size - 1);

		kernel.q[i].base &= 0xffff;
		used->ring[at] = (struct vring_used_elem){ avail->ring[at], 0 };
		used->idx++;
	}
	if (n)
		eventfd_write(kernel.q[i].call, 1);
	return n;
}

/* The machine ends, and the kernel is as before. */
static void done(void)
{
	KTAP_EQ(kernel.nr_wrong, 0);
	test_machine_exit();
	KTAP_TRUE(!kernel.running);
	kernel = (struct kernel){ .fd = 0 };
}

#endif /* TESTS_UNIT_VHOST_KERNEL_H */
