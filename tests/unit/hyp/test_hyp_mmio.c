// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/hyp/mmio.c driver/hyp/fastpath.c driver/mmio/mirror.c driver/mmio/coalesced.c
// cflags: -include tests/unit/hyp_fake.h -Itests/unit/fake -Iinclude/uapi -I. -Idriver -Itests/unit
/*
 * The client's registers in HYP mode: what is answered there, that the host would answer the same,
 * and that what comes and goes meanwhile is left to it. test_mirror and test_coalesced have the
 * host's part.
 */
#include "ktap.h"
#include "core/iobus.h"
#include "core/state.h"
#include "host/hypmap.h"
#include "hyp/cpu.h"
#include "hyp/mmio.h"
#include "mem/memslot.h"
#include "mmio/in_hyp.h"

extern bool *const fake_param_hyp_mirrors, *const fake_param_hyp_zones;

#define SAS(len)	((u32)__builtin_ctz(len) << 22)
#define ACCESS		((u32)HSR_EC_DABT << 26 | HSR_IL | HSR_DABT_ISV | HSR_FSC_TRANSLATION | 3)
#define RT(n)		((u32)(n) << 16)
#define MARK		0x5a5a5a5aul
#define RING_MAX	KVM_COALESCED_MMIO_MAX
#define PAGE		0x0b000000ull

static struct hyp_cpu cpu;
static struct hyp_vcpu hyp;
static struct armvmm_vm vm;
static struct armvmm_vcpu vcpu = { .vm = &vm, .hyp = &hyp };
static struct armvmm_iodev *bus[ARMVMM_IOBUS_PLACES];
static u64 guest_ipa, ram_at, device_at;
static u32 guest_hsr, guest_psr, elr;

/* --- the rest of the driver, and the CPU --- */

void *armvmm_hypmap_alloc(size_t size)
{
	return calloc(1, size);
}

void armvmm_hypmap_free(void *p, size_t size)
{
	free(p);
}

static unsigned int in_hyp;
static int hypmap_error;

int armvmm_hypmap_add(const void *addr, size_t size, enum hypmap_prot prot)
{
	in_hyp += !hypmap_error;
	return hypmap_error;
}

void armvmm_hypmap_remove(const void *addr, size_t size)
{
	in_hyp--;
}

void armvmm_iobus_register(struct armvmm_vm *v, enum armvmm_iobus_place place,
			   struct armvmm_iodev *dev)
{
	bus[place] = dev;
}

void armvmm_iobus_unregister(struct armvmm_vm *v, enum armvmm_iobus_place place)
{
	bus[place] = NULL;
}

bool armvmm_iobus_taken(struct armvmm_vm *v, enum armvmm_iobus_place place, bool is_write,
			u64 addr, u64 size)
{
	return device_at && addr < device_at + PAGE_SIZE && device_at < addr + size;
}

struct armvmm_memslot *armvmm_memslot_find(struct armvmm_vm *v, u64 gfn)
{
	static struct armvmm_memslot slot;

	return ram_at && gfn == ram_at >> PAGE_SHIFT ? &slot : NULL;
}

u32 hyp_dist_trap(struct hyp_cpu *c, struct hyp_vcpu *v, u32 hsr)
{
	KTAP_FAIL("that is not the distributor");
	return HYP_EXIT_TRAP;
}

void hyp_vfp_trap(struct hyp_cpu *c)
{
}

void fake_op(const char *fmt, ...)
{
	elr += !strncmp(fmt, "msr ELR_hyp", 11);
}

/* HPFAR has no bit for where in the page it was; what HDFAR has above that is the guest's. */
u64 fake_reg(const char *args)
{
	if (!strcmp(args, "SPSR"))
		return guest_psr;
	if (!strcmp(args, "4, c5, c2, 0"))
		return guest_hsr;
	if (!strcmp(args, "4, c6, c0, 4"))
		return guest_ipa >> 12 << 4;
	KTAP_TRUE(!strcmp(args, "4, c6, c0, 0"));
	return 0xc0de0000u | (guest_ipa & 0xfff);
}

/* At the barrier of this number, another CPU does that. */
static unsigned int barrier, barrier_at;
static void (*barrier_job)(void);

#undef fake_point
void fake_point(enum fake_point point)
{
	if ((point == FAKE_READ_BARRIER || point == FAKE_BARRIER) && barrier++ == barrier_at &&
	    barrier_job)
		barrier_job();
}

/* Another CPU has the lock for so many tries. */
static unsigned int contended, tries;

bool (fake_contended)(void)
{
	return tries++ < contended;
}

/* --- a VM --- */

static void start(void)
{
	memset(&vm, 0, sizeof(vm));
	memset(&hyp, 0, sizeof(hyp));
	memset(bus, 0, sizeof(bus));
	ram_at = device_at = 0;
	guest_psr = CPSR_M_SVC;
	barrier_job = NULL;
	KTAP_EQ(armvmm_mirror_vm_init(&vm), 0);
	KTAP_EQ(armvmm_coalesced_vm_init(&vm), 0);
	hyp.mirrors = armvmm_mirror_in_hyp(&vm);
	hyp.zones = armvmm_coalesced_in_hyp(&vm);
}

static void end(void)
{
	armvmm_mirror_vm_destroy(&vm);
	armvmm_coalesced_vm_destroy(&vm);
	KTAP_EQ(in_hyp, 0);
}

static int set(u64 addr, u32 size, u32 flags, u32 value)
{
	struct armvmm_mirror mirror = {
		.addr = addr, .size = size, .flags = flags, .value = value,
	};

	return armvmm_mirror_set(&vm, &mirror);
}

static u32 trap(u64 ipa, u32 hsr)
{
	u32 ret, rt = HSR_DABT_SRT(hsr);
	unsigned int i;

	for (i = 0; i < 15; i++)
		hyp.regs.usr_regs.uregs[i] = MARK;
	guest_ipa = ipa;
	guest_hsr = hsr;
	elr = barrier = 0;
	ret = hyp_fastpath(&cpu, &hyp);
	KTAP_TRUE(ret == (u32)HYP_RESUME || ret == HYP_EXIT_TRAP);
	/* Done, and behind it; or as if nothing had been. */
	KTAP_EQ(elr, ret == (u32)HYP_RESUME);
	for (i = 0; i < 15; i++)
		if (hyp.regs.usr_regs.uregs[i] != MARK && (i != rt || ret == HYP_EXIT_TRAP))
			KTAP_FAIL("r%u", i);
	return ret;
}

/* By HYP mode; ~0 if the host is asked. */
#define TO_HOST	(~0ULL)

static u64 get(u64 addr, unsigned int len)
{
	u64 was = hyp.stat.hyp_mmio_read;
	u32 ret = trap(addr, ACCESS | SAS(len));

	KTAP_EQ(hyp.stat.hyp_mmio_read - was, ret == (u32)HYP_RESUME);
	return ret == HYP_EXIT_TRAP ? TO_HOST : (u32)hyp.regs.usr_regs.uregs[0];
}

static u64 get_host(u64 addr, unsigned int len)
{
	struct armvmm_iodev *dev = bus[ARMVMM_IOBUS_MIRRORS];
	u32 value = 0;

	return dev && !dev->ops->read(&vcpu, dev, addr, len, &value) ? value : TO_HOST;
}

/* --- reads --- */

static const struct form {
	u32 hsr, psr;
	bool answered;
	const char *what;
} forms[] = {
	{ ACCESS | SAS(4), CPSR_M_SVC, true, "a word" },
	{ ACCESS | SAS(2), CPSR_M_SVC, true, "a halfword" },
	{ ACCESS | SAS(1), CPSR_M_USR, true, "a byte, in user mode" },
	{ ACCESS | SAS(4) | RT(12), CPSR_M_IRQ, true, "r12" },
	{ ACCESS | SAS(4), CPSR_M_SVC | CPSR_T, true, "T32" },
	{ (ACCESS & ~HSR_IL) | SAS(4), CPSR_M_SVC | CPSR_T, true, "T32 of 16 bits" },
	{ ACCESS | SAS(8), CPSR_M_SVC, false, "a size that there is not" },
	{ ACCESS | SAS(4) | RT(8), CPSR_M_FIQ, false, "FIQ mode's r8" },
	{ ACCESS | SAS(4) | RT(13), CPSR_M_SVC, false, "SP" },
	{ ACCESS | SAS(4), CPSR_M_SVC | CPSR_E, false, "big-endian" },
	{ ACCESS | SAS(4), CPSR_M_SVC | CPSR_T | 1u << 26, false, "in an IT block" },
	{ (ACCESS & ~HSR_DABT_ISV) | SAS(4), CPSR_M_SVC, false, "no syndrome" },
	{ ACCESS | SAS(2) | HSR_DABT_SSE, CPSR_M_SVC, false, "sign-extended" },
	{ ACCESS | SAS(4) | HSR_DABT_CM, CPSR_M_SVC, false, "cache maintenance" },
	{ ACCESS | SAS(4) | HSR_ABT_S1PTW, CPSR_M_SVC, false, "a walk" },
	{ ACCESS | SAS(4) | HSR_DABT_WNR, CPSR_M_SVC, false, "a write" },
	{ (ACCESS & ~HSR_ABT_FSC) | HSR_FSC_PERMISSION | 3 | SAS(4), CPSR_M_SVC, false,
	  "a fault of permission" },
	{ (ACCESS & ~HSR_ABT_FSC) | HSR_FSC_ACCESS_FLAG | 3 | SAS(4), CPSR_M_SVC, false,
	  "an access flag" },
};

static void test_forms(void)
{
	start();
	KTAP_EQ(set(PAGE, 4, 0, 0x84332211), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(forms); i++) {
		const struct form *f = &forms[i];
		u32 len = 1 << HSR_DABT_SAS(f->hsr), ret;

		guest_psr = f->psr;
		ret = trap(PAGE, f->hsr);
		if (ret != (f->answered ? (u32)HYP_RESUME : HYP_EXIT_TRAP))
			KTAP_FAIL("%s: %d", f->what, (int)ret);
		if (f->answered)
			KTAP_EQ(hyp.regs.usr_regs.uregs[HSR_DABT_SRT(f->hsr)],
				0x84332211 & ~0u >> (32 - 8 * len));
	}
	guest_psr = CPSR_M_SVC;
	hyp.debug.mode = HYP_DEBUG_LOAD;
	KTAP_EQ(get(PAGE, 4), TO_HOST);
	hyp.debug.mode = HYP_DEBUG_HIDE;
	KTAP_EQ(get(PAGE, 4), 0x84332211);
	end();
}

/* Any mirrors, in pages that look alike to hyp_mirrors.pages: HYP mode has the host's answer. */
static void test_any(void)
{
	static const u64 pages[] = { PAGE, PAGE + 0x20000, PAGE + 0x1000, PAGE + 0x100000000 };
	unsigned int seed = 1, answered = 0;

	start();
	for (int round = 0; round < 20000; round++) {
		u32 size = 1u << rand_r(&seed) % 3, at = rand_r(&seed) % 48 & ~(size - 1);
		u64 addr = pages[rand_r(&seed) % ARRAY_SIZE(pages)] + at, val;

		set(addr, size, rand_r(&seed) % 2 ? ARMVMM_MIRROR_DELETE : 0,
		    rand_r(&seed) >> (32 - 8 * size));
		addr = pages[rand_r(&seed) % ARRAY_SIZE(pages)] + rand_r(&seed) % 48;
		size = 1u << rand_r(&seed) % 3;
		val = get_host(addr, size);
		KTAP_EQ(get(addr, size), val == TO_HOST ? val : val & ~0u >> (32 - 8 * size));
		answered += val != TO_HOST;
	}
	KTAP_TRUE(answered > 1000 && answered < 19000);
	end();
}

/* Where the host would ask another one first: only it knows. */
static void test_behind(void)
{
	u64 *const others[] = { &ram_at, &device_at };

	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++) {
		start();
		*others[i] = PAGE;
		KTAP_EQ(set(PAGE + 8, 4, 0, 1), 0);
		KTAP_EQ(set(PAGE + 0x1000, 4, 0, 2), 0);
		/* Its bit is that of the first one's page. */
		KTAP_EQ(set(PAGE + 0x20000, 4, 0, 3), 0);
		KTAP_EQ(get(PAGE + 8, 4), TO_HOST);
		KTAP_EQ(get(PAGE + 0x1000, 4), 2);
		KTAP_EQ(get(PAGE + 0x20000, 4), 3);
		/* Another value does not bring it forth. */
		KTAP_EQ(set(PAGE + 8, 4, 0, 4), 0);
		KTAP_EQ(get(PAGE + 8, 4), TO_HOST);
		armvmm_in_hyp_change(&vm);
		*others[i] = PAGE + 0x1000;
		armvmm_in_hyp_changed(&vm);
		KTAP_EQ(get(PAGE + 8, 4), 4);
		KTAP_EQ(get(PAGE + 0x1000, 4), TO_HOST);
		KTAP_EQ(get(PAGE + 0x20000, 4), 3);
		end();
	}
}

/* From before a slot is there until it is looked at, HYP mode answers nothing. */
static void test_slots_change(void)
{
	start();
	KTAP_EQ(set(PAGE, 4, 0, 1), 0);
	armvmm_in_hyp_change(&vm);
	KTAP_EQ(get(PAGE, 4), TO_HOST);
	KTAP_EQ(get_host(PAGE, 4), 1);
	/* Another thread's change begins and ends, and so does a client's. */
	armvmm_in_hyp_change(&vm);
	armvmm_in_hyp_changed(&vm);
	KTAP_EQ(set(PAGE + 0x1000, 4, 0, 2), 0);
	KTAP_EQ(get(PAGE, 4), TO_HOST);
	KTAP_EQ(get(PAGE + 0x1000, 4), TO_HOST);
	ram_at = PAGE + 0x1000;
	armvmm_in_hyp_changed(&vm);
	KTAP_EQ(get(PAGE, 4), 1);
	KTAP_EQ(get(PAGE + 0x1000, 4), TO_HOST);
	KTAP_EQ(get_host(PAGE + 0x1000, 4), 2);
	end();
}

static void test_off(void)
{
	*fake_param_hyp_mirrors = false;
	start();
	KTAP_TRUE(!hyp.mirrors);
	*fake_param_hyp_mirrors = true;
	KTAP_EQ(set(PAGE, 4, 0, 1), 0);
	KTAP_EQ(get(PAGE, 4), TO_HOST);
	KTAP_EQ(get_host(PAGE, 4), 1);
	end();
	/* A vCPU that nobody gave any. */
	start();
	KTAP_EQ(get(PAGE, 4), TO_HOST);
	KTAP_EQ(set(PAGE, 4, 0, 1), 0);
	KTAP_EQ(get(PAGE, 4), 1);
	KTAP_EQ(set(PAGE, 4, ARMVMM_MIRROR_DELETE, 0), 0);
	KTAP_EQ(get(PAGE, 4), TO_HOST);
	end();
}

/* --- while others come and go --- */

static void job_before(void)
{
	KTAP_EQ(set(PAGE, 4, 0, 7), 0);
}

static void job_value(void)
{
	KTAP_EQ(set(PAGE + 16, 4, 0, 3), 0);
}

/* As a writer on another CPU that has begun, or that begins and is in the middle of it. */
static void job_begin(void)
{
	struct hyp_mirrors *m = (struct hyp_mirrors *)hyp.mirrors;

	m->seq.sequence++;
}

static void test_race(void)
{
	start();
	KTAP_EQ(set(PAGE + 16, 4, 0, 2), 0);
	/* One that is in the middle is not waited for. */
	job_begin();
	KTAP_EQ(get(PAGE + 16, 4), TO_HOST);
	job_begin();
	KTAP_EQ(get(PAGE + 16, 4), 2);
	KTAP_EQ(barrier, 2);

	/* One moves the array, before it is read and after. */
	for (barrier_at = 0; barrier_at < 2; barrier_at++) {
		barrier_job = job_before;
		KTAP_EQ(get(PAGE + 16, 4), TO_HOST);
		barrier_job = NULL;
		KTAP_EQ(get(PAGE + 16, 4), 2);
		KTAP_EQ(get(PAGE, 4), 7);
		KTAP_EQ(set(PAGE, 4, ARMVMM_MIRROR_DELETE, 0), 0);
		barrier_job = job_begin;
		KTAP_EQ(get(PAGE + 16, 4), TO_HOST);
		job_begin();
	}
	/* A value is one word, and is read after the barrier that orders the guest's reads. */
	barrier_at = 0;
	barrier_job = job_value;
	KTAP_EQ(get(PAGE + 16, 4), 3);
	end();
}

/* --- writes --- */

static struct kvm_coalesced_mmio_ring *ring(void)
{
	return (void *)armvmm_coalesced_page(&vm);
}

static int zone_add(u64 addr, u32 size)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = addr, .size = size };

	return armvmm_coalesced_register(&vm, &zone);
}

static int zone_del(u64 addr, u32 size)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = addr, .size = size };

	return armvmm_coalesced_unregister(&vm, &zone);
}

/* Is it posted, with what MARK has of it? The client reads it at once. */
static bool posted(u64 addr, unsigned int len, u32 hsr)
{
	struct kvm_coalesced_mmio *entry = &ring()->coalesced_mmio[ring()->last];
	u64 was = hyp.stat.hyp_mmio_write, data = 0;
	u32 last = ring()->last;
	bool done = trap(addr, hsr | SAS(len) | HSR_DABT_WNR) == (u32)HYP_RESUME;

	KTAP_EQ(hyp.stat.hyp_mmio_write - was, done);
	KTAP_EQ(ring()->last, done ? (last + 1) % RING_MAX : last);
	KTAP_TRUE(!hyp.zones || !hyp.zones->lock.held);
	if (done) {
		memcpy(&data, entry->data, sizeof(data));
		KTAP_TRUE(entry->phys_addr == addr && entry->len == len && !entry->pio);
		KTAP_EQ(data, MARK & ~0u >> (32 - 8 * len));
		ring()->first = ring()->last;
	}
	return done;
}

static bool posts(u64 addr, unsigned int len)
{
	return posted(addr, len, ACCESS);
}

static bool host_posts(u64 addr, unsigned int len)
{
	struct armvmm_iodev *dev = bus[ARMVMM_IOBUS_COALESCED];
	u64 val = MARK;
	bool done = dev && !dev->ops->write(&vcpu, dev, addr, len, &val);

	ring()->first = ring()->last;
	return done;
}

static void test_write_forms(void)
{
	start();
	KTAP_EQ(zone_add(PAGE, 8), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(forms); i++) {
		const struct form *f = &forms[i];
		u32 hsr = f->hsr & ~SAS(8);

		guest_psr = f->psr;
		memset(ring()->coalesced_mmio, 0xff, sizeof(ring()->coalesced_mmio[0]) * RING_MAX);
		if (!(f->hsr & HSR_DABT_WNR) &&
		    posted(PAGE, 1 << HSR_DABT_SAS(f->hsr), hsr) != f->answered)
			KTAP_FAIL("%s", f->what);
	}
	/* The erratum is one of stores (A15, 766422). */
	guest_psr = CPSR_M_SVC | CPSR_T;
	hyp.vpidr = 0x410fc0f4;
	KTAP_TRUE(!posts(PAGE, 4));
	guest_psr = CPSR_M_SVC;
	KTAP_TRUE(posts(PAGE, 4));
	hyp.debug.mode = HYP_DEBUG_LOAD;
	KTAP_TRUE(!posts(PAGE, 4));
	/* A zone answers no read, and a mirror takes no write. */
	hyp.debug.mode = HYP_DEBUG_OFF;
	KTAP_EQ(get(PAGE, 4), TO_HOST);
	KTAP_EQ(set(PAGE + 16, 4, 0, 1), 0);
	KTAP_TRUE(!posts(PAGE + 16, 4));
	end();
}

/* Any zones, as many as HYP mode knows at most: what the host takes is posted, and no more. */
static void test_write_any(void)
{
	static const u64 pages[] = { PAGE, PAGE + 0x20000, PAGE + 0x1000, PAGE + 0x100000000 };
	unsigned int seed = 1, taken = 0, nr = 0;
	struct { u64 addr; u32 size; } zones[HYP_MAX_ZONES];

	start();
	for (int round = 0; round < 20000; round++) {
		u64 addr = pages[rand_r(&seed) % ARRAY_SIZE(pages)] + rand_r(&seed) % 64;
		u32 size = rand_r(&seed) % 24, len = 1u << rand_r(&seed) % 3, kept = 0;
		bool host;

		if (nr < HYP_MAX_ZONES && rand_r(&seed) % 2) {
			KTAP_EQ(zone_add(addr, size), 0);
			zones[nr].addr = addr;
			zones[nr++].size = size;
		} else if (rand_r(&seed) % 2) {
			size = rand_r(&seed) % 3;
			KTAP_EQ(zone_del(addr, size), 0);
			for (u32 i = 0; i < nr; i++)
				if (addr < zones[i].addr ||
				    addr + size > zones[i].addr + zones[i].size)
					zones[kept++] = zones[i];
			nr = kept;
		}
		addr = pages[rand_r(&seed) % ARRAY_SIZE(pages)] + rand_r(&seed) % 80;
		host = host_posts(addr, len);
		KTAP_EQ(posts(addr, len), host);
		taken += host;
	}
	KTAP_TRUE(taken > 1000 && taken < 19000);
	end();
}

/* Zones that are not HYP mode's to know. */
static void test_write_others(void)
{
	start();
	/* Others may be in the second page, and no zone of it is seen by the first one's bit. */
	KTAP_EQ(zone_add(PAGE + 0xff8, 16), 0);
	KTAP_TRUE(!posts(PAGE + 0xff8, 4) && host_posts(PAGE + 0xff8, 4));
	KTAP_TRUE(!posts(PAGE + 0x1000, 4));
	KTAP_EQ(zone_add(PAGE + 0xff8, 8), 0);
	KTAP_TRUE(posts(PAGE + 0xffc, 4));
	KTAP_EQ(zone_add(PAGE + 0x2000, 0), 0);
	KTAP_TRUE(!posts(PAGE + 0x2000, 1));
	KTAP_EQ(zone_add(~3ull, 8), 0);
	for (u64 i = 5; i <= HYP_MAX_ZONES; i++)
		KTAP_EQ(zone_add(PAGE + 0x3000 + 16 * i, 16), 0);
	KTAP_TRUE(posts(PAGE + 0x3000 + 16 * HYP_MAX_ZONES, 4));
	/* One more is the host's, until another one goes. */
	KTAP_EQ(zone_add(PAGE + 0x3000, 16), 0);
	KTAP_TRUE(!posts(PAGE + 0x3000, 4) && host_posts(PAGE + 0x3000, 4));
	KTAP_TRUE(posts(PAGE + 0xffc, 4));
	KTAP_EQ(zone_del(PAGE + 0xff8, 1), 0);
	KTAP_TRUE(!posts(PAGE + 0xffc, 4));
	KTAP_TRUE(posts(PAGE + 0x3000, 4));
	end();

	/* Nor does a look at all of them find more than there is room for. */
	start();
	for (u64 i = 0; i < HYP_MAX_ZONES + 3; i++)
		KTAP_EQ(zone_add(PAGE + 0x3000 - 16 * i, 16), 0);
	armvmm_in_hyp_change(&vm);
	armvmm_in_hyp_changed(&vm);
	for (u64 i = 0; i < HYP_MAX_ZONES + 3; i++)
		KTAP_EQ(posts(PAGE + 0x3000 - 16 * i, 4), i < HYP_MAX_ZONES);
	end();
}

/* Where the host would ask another one first. */
static void test_write_behind(void)
{
	start();
	KTAP_EQ(zone_add(PAGE, 16), 0);
	KTAP_TRUE(posts(PAGE, 4));
	/* Slots change: none is posted until they are looked at. */
	armvmm_in_hyp_change(&vm);
	KTAP_TRUE(!posts(PAGE, 4) && host_posts(PAGE, 4));
	armvmm_in_hyp_change(&vm);
	ram_at = PAGE;
	armvmm_in_hyp_changed(&vm);
	KTAP_EQ(zone_add(PAGE + 0x1000, 16), 0);
	KTAP_TRUE(!posts(PAGE, 4) && !posts(PAGE + 0x1000, 4));
	armvmm_in_hyp_changed(&vm);
	KTAP_TRUE(!posts(PAGE, 4) && posts(PAGE + 0x1000, 4));
	/* A device that is asked before comes. */
	device_at = PAGE + 0x1000;
	mutex_lock(&vm.slots_lock);
	armvmm_coalesced_look(&vm);
	mutex_unlock(&vm.slots_lock);
	KTAP_TRUE(!posts(PAGE + 0x1000, 4) && host_posts(PAGE + 0x1000, 4));
	KTAP_EQ(zone_add(PAGE + 0x2000, 16), 0);
	KTAP_TRUE(posts(PAGE + 0x2000, 4) && !posts(PAGE + 0x1000, 4));
	device_at = ram_at = 0;
	armvmm_in_hyp_change(&vm);
	armvmm_in_hyp_changed(&vm);
	KTAP_TRUE(posts(PAGE + 0x1000, 4) && posts(PAGE, 4));
	end();
}

/* A full ring, a client's nonsense, and a lock that another CPU has: the host's. */
static void test_write_ring(void)
{
	static const u32 wild[] = { RING_MAX, 0x7fffffff, 0x80000000, ~0u };

	start();
	KTAP_EQ(zone_add(PAGE, 16), 0);
	for (u32 first = 0; first < RING_MAX; first += 13) {
		ring()->first = ring()->last = first;
		for (u32 i = 0; i < RING_MAX - 1; i++)
			KTAP_EQ(trap(PAGE, ACCESS | SAS(4) | HSR_DABT_WNR), (u32)HYP_RESUME);
		KTAP_EQ(trap(PAGE, ACCESS | SAS(4) | HSR_DABT_WNR), HYP_EXIT_TRAP);
		KTAP_TRUE(!hyp.zones->lock.held);
	}
	ring()->first = ring()->last;
	for (contended = 0; contended < 10; contended++) {
		tries = 0;
		KTAP_EQ(posts(PAGE, 4), contended < 4);
		KTAP_TRUE(tries <= 4);
	}
	contended = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(wild); i++) {
		ring()->first = 0;
		ring()->last = wild[i];
		KTAP_EQ(trap(PAGE, ACCESS | SAS(4) | HSR_DABT_WNR), HYP_EXIT_TRAP);
		KTAP_EQ(ring()->last, wild[i]);
		ring()->first = wild[i];
		ring()->last = RING_MAX - 1;
		KTAP_EQ(trap(PAGE, ACCESS | SAS(4) | HSR_DABT_WNR), (u32)HYP_RESUME);
		KTAP_EQ(ring()->last, 0);
	}
	end();
}

/* What stands in the entry, and in last, when the barriers are passed: bits of barriers. */
static unsigned int early, late;

static void job_look(void)
{
	early |= ring()->coalesced_mmio[0].phys_addr != ~0ull;
	late |= ring()->coalesced_mmio[0].phys_addr != PAGE || ring()->coalesced_mmio[0].len != 4 ||
		ring()->last;
}

/*
 * An entry is written after its place was seen to be free, and is whole before the client is told.
 */
static void test_write_order(void)
{
	start();
	KTAP_EQ(zone_add(PAGE, 16), 0);
	for (barrier_at = 0; barrier_at < 2; barrier_at++) {
		memset(ring(), 0xff, PAGE_SIZE);
		ring()->first = ring()->last = 0;
		early = late = 0;
		barrier_job = job_look;
		KTAP_EQ(trap(PAGE, ACCESS | SAS(4) | HSR_DABT_WNR), (u32)HYP_RESUME);
		KTAP_EQ(barrier, 2);
		KTAP_EQ(barrier_at ? late : early, 0);
	}
	end();
}

static void test_write_off(void)
{
	*fake_param_hyp_zones = false;
	start();
	KTAP_TRUE(!hyp.zones && !in_hyp);
	KTAP_EQ(zone_add(PAGE, 16), 0);
	KTAP_TRUE(!posts(PAGE, 4) && host_posts(PAGE, 4));
	*fake_param_hyp_zones = true;
	end();
	/* HYP mode has something else at the ring's address. */
	hypmap_error = -EEXIST;
	start();
	hypmap_error = 0;
	KTAP_TRUE(!hyp.zones);
	KTAP_EQ(zone_add(PAGE, 16), 0);
	KTAP_TRUE(!posts(PAGE, 4) && host_posts(PAGE, 4));
	end();
}

KTAP_MAIN(
	KTAP_CASE(test_forms),
	KTAP_CASE(test_any),
	KTAP_CASE(test_behind),
	KTAP_CASE(test_slots_change),
	KTAP_CASE(test_off),
	KTAP_CASE(test_race),
	KTAP_CASE(test_write_forms),
	KTAP_CASE(test_write_any),
	KTAP_CASE(test_write_others),
	KTAP_CASE(test_write_behind),
	KTAP_CASE(test_write_ring),
	KTAP_CASE(test_write_order),
	KTAP_CASE(test_write_off),
)
