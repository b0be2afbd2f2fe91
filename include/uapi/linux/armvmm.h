/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/armvmm: the KVM ABI for ARMv7, and what armvmm adds to it.
 *
 * This is the one header that a client includes. Ioctls that KVM has keep
 * KVM's type (KVMIO, 0xAE) and numbers; ours have the type ARMVMMIO. A client
 * asks for an extension with KVM_CHECK_EXTENSION before it uses one.
 */
#ifndef _UAPI_LINUX_ARMVMM_H
#define _UAPI_LINUX_ARMVMM_H

#include <linux/kvm.h>
#include <asm/kvm.h>
#include <linux/armvmm_stats.h>

#define ARMVMMIO		0xAF

/* The node that the module creates (a misc device, root:kvm 0660). */
#define ARMVMM_DEVICE		"/dev/armvmm"

/* First capability number that is armvmm's own. */
#define ARMVMM_CAP_BASE		0x41520000

/*
 * KVM_CHECK_EXTENSION answers the revision of armvmm's extensions: zero, as
 * for every unknown capability, on a node that is not armvmm's.
 */
#define ARMVMM_CAP_VERSION	(ARMVMM_CAP_BASE + 0)
#define ARMVMM_VERSION		1

/*
 * KVM_CHECK_EXTENSION answers 1 where the CPU is one that the KVM ABI has no
 * target number for (Cortex-A12, A17): KVM_ARM_PREFERRED_TARGET then answers
 * KVM_ARM_TARGET_CORTEX_A15 and the guest sees the MIDR of the real CPU.
 */
#define ARMVMM_CAP_GENERIC_TARGET	(ARMVMM_CAP_BASE + 1)

/*
 * KVM_CHECK_EXTENSION answers how many mirrors a VM may have, 0 if ARMVMM_SET_MIRROR is not there.
 */
#define ARMVMM_CAP_MIRRORS	(ARMVMM_CAP_BASE + 2)
#define ARMVMM_MAX_MIRRORS	64

/*
 * A mirror of a register of the client's: the kernel answers the guest's reads of it with @value,
 * and the client is not asked. Writes are as without it.
 *
 * @addr: guest-physical address, a multiple of @size.
 * @size: bytes of the register: 1, 2 or 4. A read of 1 to @size bytes gets those of the value, of
 *	which the lowest is at @addr; a read that is not wholly in one mirror goes to the client.
 * @flags: 0: makes the mirror, or gives that of the same @addr and @size another value.
 *	ARMVMM_MIRROR_DELETE: takes the mirror of this @addr and @size away; @value does not count.
 * @value: what fits into @size bytes.
 * @pad: 0.
 *
 * The kernel keeps a copy. When the ioctl has returned, each read that begins then sees what it
 * did. Memory, and the devices that the kernel has itself, come before mirrors.
 *
 * Errors: EINVAL: one of the above; ENOENT: no such mirror to delete; EEXIST: overlaps another one;
 * ENOSPC: there are ARMVMM_MAX_MIRRORS; EFAULT.
 */
struct armvmm_mirror {
	__u64 addr;
	__u32 size;
	__u32 flags;
	__u32 value;
	__u32 pad;
};

#define ARMVMM_MIRROR_DELETE	(1u << 0)

#define ARMVMM_SET_MIRROR	_IOW(ARMVMMIO, 0x01, struct armvmm_mirror)	/* of a VM */

/*
 * KVM_CHECK_EXTENSION answers 1 where the host pins guest memory (KVM_CAP_SYNC_MMU is 0), so that
 * ARMVMM_UNPIN is there.
 */
#define ARMVMM_CAP_UNPIN	(ARMVMM_CAP_BASE + 3)

/*
 * Guest memory, all of it in one slot: @addr and @size are multiples of the page, @size is not 0.
 *
 * ARMVMM_UNPIN takes its pages from the guest, as KVM's MMU notifiers do where there are any: when
 * the guest touches one next, it gets what the client has there then. A client that gives pages
 * back (MADV_DONTNEED, a hole in a file, another mapping) first does that, then this: before, the
 * guest keeps its old pages.
 *
 * Errors: EINVAL: one of the above, or the host does not pin; ENOENT: no slot has all of it;
 * EFAULT.
 */
struct armvmm_range {
	__u64 addr;
	__u64 size;
};

#define ARMVMM_UNPIN		_IOW(ARMVMMIO, 0x02, struct armvmm_range)	/* of a VM */

/*
 * KVM_CHECK_EXTENSION answers 1 where KVM_ENABLE_CAP of a VM takes this. args[0] is 1 or 0: the
 * VM's virtual counter stands still while the host is suspended (to RAM or to idle), from when the
 * kernel has frozen all programs until they go on; or it is the host's, as it is at first and in
 * every VM of KVM's. It may be changed at any time. Where the host's own counter loses its value in
 * suspend to RAM, that of each VM goes on from where it stood, whatever args[0] was. The physical
 * counter (CNTPCT) is the host's, always. While the kernel freezes programs, the counter goes on.
 *
 * Errors: EINVAL: args[0] is another number, or flags is not 0.
 */
#define ARMVMM_CAP_SUSPEND_STOPS	(ARMVMM_CAP_BASE + 4)

/*
 * Offsets of KVM_DEV_ARM_VGIC_GRP_DIST_REGS beyond those of a GICv2, so that a VM which is saved
 * and restored cannot tell; KVM_HAS_DEVICE_ATTR says whether they are there.
 *
 * GICD_LATCH + 4n, n 0-31: bit m says that PPI or SPI 32n + m is pending by itself (an edge, or
 * GICD_ISPENDR), its line aside. GICD_ISPENDR shows the two together. Written, it is what it was.
 *
 * GICD_SGI_ACTIVE + 4n, n 0-3: byte m is the vCPU whose request of SGI 4n + m is active. To be
 * written after GICD_ISACTIVER, which takes it for the vCPU's own.
 *
 * GICD_HOLDER + 4n, n 1-31: bit m says that SPI 32n + m is active on the vCPU that
 * KVM_DEV_ARM_VGIC_CPUID names: it acknowledged it, and GICD_ITARGETSR may name another since. To
 * be written after GICD_ISACTIVER, which gives it to the target; a clear bit changes nothing.
 */
#define ARMVMM_GICD_SGI_ACTIVE	0xd00
#define ARMVMM_GICD_LATCH	0xd80
#define ARMVMM_GICD_HOLDER	0x1000

/*
 * KVM_CHECK_EXTENSION answers the KVM_GUESTDBG_* bits that KVM_SET_GUEST_DEBUG
 * takes: KVM_GUESTDBG_USE_HW says that struct kvm_guest_debug_arch holds
 * registers, KVM_GUESTDBG_SINGLESTEP that the CPU can step. Without them the
 * CPU's debug logic is out of reach (DBGEN low); BKPT always works.
 */
#define ARMVMM_CAP_GUEST_DEBUG		(ARMVMM_CAP_BASE + 16)

/* The same by the capability that KVM has for it since Linux 5.12; older headers lack it. */
#ifndef KVM_CAP_SET_GUEST_DEBUG2
#define KVM_CAP_SET_GUEST_DEBUG2	195
#endif

/*
 * KVM_EXIT_FAIL_ENTRY's hardware_entry_failure_reason: HYP mode is gone from the CPU that the vCPU
 * thread runs on, as another owner leaves it; or that CPU's debug logic is out of reach for what
 * KVM_SET_GUEST_DEBUG asked for. The field cpu names it where the kernel's header has it.
 */
#define ARMVMM_FAIL_ENTRY_NO_HYP	1
#define ARMVMM_FAIL_ENTRY_NO_DEBUG	2
/*
 * The CPU is of another part than the one that the vCPU was initialized on (big.LITTLE), which the
 * guest sees as MIDR: the client binds its thread to CPUs of that part.
 */
#define ARMVMM_FAIL_ENTRY_OTHER_PART	3

#endif /* _UAPI_LINUX_ARMVMM_H */
