// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/vgic/irq.c driver/vgic/inject.c driver/vgic/lr.c driver/vgic/dist.c
// sources: driver/vgic/sgi.c driver/vgic/dist_state.c driver/vgic/cpuif.c driver/vgic/init.c driver/vgic/ap.c
// sources: driver/hyp/dist.c
// cflags: -include tests/unit/hyp_fake.h -Itests/unit/fake -Iinclude/uapi -I. -Idriver -DFAKE_HYP
/*
 * The words that the distributor's two sides share, with another CPU at each barrier between them:
 * what is to come before a barrier has come, and what the other CPU does there is not lost.
 * tests/models/sgi.pml shows that the barriers are needed.
 */
#include "ktap.h"
#include "vgic_fake.h"

#define TRAP_WRITE	((u32)HSR_EC_DABT << 26 | HSR_IL | HSR_DABT_ISV |	\
			 HSR_FSC_TRANSLATION | 3 | 2u << 22 | 3 << 16 | HSR_DABT_WNR)

static struct armvmm_vm *vm;
static struct armvmm_vcpu *me, *peer;
static u32 gich[0x200 / 4], gicd[GICD_SIZE / 4];
static struct hyp_cpu cpu;

/* What the other CPU does at the first barrier of a kind. */
static void (*at_point)(void);
static enum fake_point point;
static const char *at_op;
static unsigned int points;

static void meet(void)
{
	void (*act)(void) = at_point;

	points++;
	at_point = NULL;
	act();
}

#undef fake_point
void fake_point(enum fake_point p)
{
	if (at_point && !at_op && p == point)
		meet();
}

static void barrier(const char *op)
{
	if (at_point && at_op && !strcmp(op, at_op))
		meet();
}

static void meet_at(enum fake_point p, const char *op, void (*act)(void))
{
	points = 0;
	point = p;
	at_op = op;
	at_point = act;
}

static void make(void)
{
	unsigned int i;

	vm = fake_create(2, 64, 4);
	me = vm->vcpus[0];
	peer = vm->vcpus[1];
	fake_hyp = false;
	fake_barrier = barrier;
	fake_write32(me, GICD_CTLR, 1);
	for (i = 40; i < 44; i++)
		fake_irq_setup(me, i, true, 0x80);
	memset(gich, 0, sizeof(gich));
	memset(gicd, 0, sizeof(gicd));
	cpu = (struct hyp_cpu){ .gich = gich, .gicd = gicd };
}

/* The guest's write, as HYP mode gets it. */
static u32 trap(struct armvmm_vcpu *vcpu, u32 offset, u32 val)
{
	vcpu->hyp->regs.usr_regs.uregs[3] = val;
	fake_hdfar = offset;
	return hyp_dist_trap(&cpu, vcpu->hyp, TRAP_WRITE);
}

static void end(void)
{
	KTAP_EQ(points, 1);
	at_point = NULL;
	fake_exit(me);
	fake_exit(peer);
	fake_destroy(vm);
}

/* --- the receiver says where it is, and then looks into its letter box --- */

static void peer_posts(void)
{
	KTAP_TRUE(me->hyp->dist.listen);
	vgic_sgi_post(&me->hyp->dist, 5, 1);
}

static void test_listen(void)
{
	make();
	meet_at(FAKE_BARRIER, NULL, peer_posts);
	fake_enter(me);
	KTAP_EQ(me->hyp->dist.posted, 0);
	KTAP_EQ(fake_ack(me), 5 | 1 << 10);
	end();
}

/* --- the sender posts, and then asks where the receiver is --- */

static void peer_enters(void)
{
	KTAP_EQ(peer->hyp->dist.posted, 1 << 6);
	fake_enter(peer);
	KTAP_EQ(fake_ack(peer), 6);
}

static void test_post_then_enter(void)
{
	make();
	fake_enter(me);
	meet_at(FAKE_BARRIER, NULL, peer_enters);
	KTAP_EQ(trap(me, GICD_SGIR, 2 << 16 | 6), (u32)HYP_RESUME);
	/* For nothing: it has it. */
	KTAP_EQ(gicd[GICD_SGIR / 4], 2 << 16);
	KTAP_EQ(peer->hyp->dist.listen, HYP_LISTEN_KICKED);
	end();
}

static void peer_leaves(void)
{
	fake_exit(peer);
	KTAP_TRUE(!peer->hyp->dist.listen);
}

static void test_post_then_leave(void)
{
	make();
	fake_enter(me);
	fake_enter(peer);
	meet_at(FAKE_BARRIER, NULL, peer_leaves);
	KTAP_EQ(trap(me, GICD_SGIR, 2 << 16 | 6), HYP_EXIT_IRQ);
	KTAP_EQ(gicd[GICD_SGIR / 4], 0);
	KTAP_EQ(me->hyp->dist.notify, 2);
	fake_exit(me);
	KTAP_EQ(me->hyp->dist.notify, 0);
	KTAP_EQ(fake_irq(peer, 6)->source, 1);
	end();
}

/* --- the source, then the SGI --- */

static void peer_looks(void)
{
	vgic_sgi_take(peer);
}

static void test_source_first(void)
{
	make();
	meet_at(FAKE_WRITE_BARRIER, NULL, peer_looks);
	vgic_sgi_post(&peer->hyp->dist, 7, 0);
	vgic_sgi_take(peer);
	KTAP_EQ(fake_irq(peer, 7)->source, 1);
	KTAP_EQ(peer->hyp->dist.posted | peer->hyp->dist.sources[1], 0);
	end();
}

static void peer_posts_more(void)
{
	vgic_sgi_post(&me->hyp->dist, 9, 1);
}

/* One that comes while the box is emptied is for the next look. */
static void test_post_while_taken(void)
{
	make();
	vgic_sgi_post(&me->hyp->dist, 5, 1);
	meet_at(FAKE_BARRIER, NULL, peer_posts_more);
	vgic_sgi_take(me);
	KTAP_EQ(fake_irq(me, 5)->source, 2);
	vgic_sgi_take(me);
	KTAP_EQ(fake_irq(me, 9)->source, 2);
	end();
}

/* Another CPU has put it on the list, and its kick is on the way: it is not shown twice. */
static void test_listed(void)
{
	make();
	fake_enter(me);
	fake_in_irq = true;
	fake_write32(peer, GICD_SGIR, 1 << 16 | 4);
	fake_in_irq = false;
	KTAP_TRUE(fake_cpus[0].in_guest && fake_cpus[0].kicked);
	KTAP_EQ(trap(me, GICD_SGIR, 2 << 24 | 4), HYP_EXIT_TRAP);
	KTAP_EQ(me->hyp->vgic.used_lrs, 0);
	points = 1;
	end();
}

/* A CPU that was just taken over has GICH disabled, until a list register is to be shown. */
static void test_first_shown(void)
{
	make();
	cpu.gich_hcr = ~0u;
	fake_enter(me);
	KTAP_EQ(trap(me, GICD_SGIR, 2 << 24 | 4), (u32)HYP_RESUME);
	KTAP_EQ(gich[GICH_HCR / 4], GICH_HCR_En);
	KTAP_EQ(cpu.gich_hcr, GICH_HCR_En);
	points = 1;
	end();
}

/* What is in the letter box of a vCPU that is on its way out is pending, too. */
static void test_read_posted(void)
{
	u64 val;

	make();
	fake_enter(me);
	fake_hyp = true;
	KTAP_TRUE(fake_hyp_access(me, GICD_ISPENDR, 4, false, &val));
	vgic_sgi_post(&me->hyp->dist, 8, 1);
	KTAP_TRUE(!fake_hyp_access(me, GICD_ISPENDR, 4, false, &val));
	fake_hyp = false;
	KTAP_EQ(fake_read32(me, GICD_ISPENDR), 1 << 8);
	points = 1;
	end();
}

/* --- the letter box and where the receiver is, then the physical SGI --- */

static void not_sent_yet(void)
{
	KTAP_EQ(peer->hyp->dist.posted, 1 << 6);
	KTAP_EQ(peer->hyp->dist.listen, HYP_LISTEN_KICKED);
	KTAP_EQ(gicd[GICD_SGIR / 4], 0);
}

static void test_physical_sgi(void)
{
	make();
	fake_enter(me);
	fake_enter(peer);
	meet_at(0, "dsb ishst", not_sent_yet);
	KTAP_EQ(trap(me, GICD_SGIR, 2 << 16 | 6), (u32)HYP_RESUME);
	KTAP_EQ(gicd[GICD_SGIR / 4], 2 << 16);
	end();
}

/* --- the guest's accesses to its CPU interface, then the list register's state --- */

static void guest_has_ended(void)
{
	gich[GICH_LR(0) / 4] &= ~GICH_LR_STATE;
}

static void test_sgi_after_end(void)
{
	make();
	fake_enter(me);
	KTAP_EQ(trap(me, GICD_SGIR, 2 << 24 | 3), (u32)HYP_RESUME);
	KTAP_EQ(me->hyp->vgic.used_lrs, 1);
	/* Taken, and its end is on its way. */
	gich[GICH_LR(0) / 4] = (gich[GICH_LR(0) / 4] & ~GICH_LR_STATE) | GICH_LR_ACTIVE;
	meet_at(0, "dsb", guest_has_ended);
	KTAP_EQ(trap(me, GICD_SGIR, 2 << 24 | 3), (u32)HYP_RESUME);
	KTAP_EQ(gich[GICH_LR(0) / 4] & GICH_LR_STATE, GICH_LR_PENDING);
	memcpy(fake_cpus[0].lr, &gich[GICH_LR(0) / 4], sizeof(fake_cpus[0].lr));
	end();
}

static void guest_has_taken(void)
{
	gich[GICH_LR(0) / 4] ^= GICH_LR_STATE;
}

static void test_disable_after_ack(void)
{
	make();
	armvmm_vgic_inject(vm, NULL, 40, true, NULL);
	fake_enter(me);
	memcpy(&gich[GICH_LR(0) / 4], fake_cpus[0].lr, sizeof(fake_cpus[0].lr));
	meet_at(0, "dsb", guest_has_taken);
	KTAP_EQ(trap(me, GICD_ICENABLER + 4, 1 << 8), (u32)HYP_RESUME);
	KTAP_TRUE(!fake_irq(me, 40)->enabled);
	memcpy(fake_cpus[0].lr, &gich[GICH_LR(0) / 4], sizeof(fake_cpus[0].lr));
	end();
}

/* --- under the interrupt's lock --- */

static unsigned int tries;
static bool other_has_lock;

bool (fake_contended)(void)
{
	tries++;
	return other_has_lock;
}

static void test_locked(void)
{
	static const u32 writes[] = {
		GICD_ISENABLER + 4, GICD_ISPENDR + 4, GICD_ICPENDR + 4, GICD_IPRIORITYR + 40,
		GICD_ITARGETSR + 40,
	};
	unsigned int i;
	u64 val;

	make();
	fake_write32(me, GICD_ICENABLER + 4, 1 << 8);
	fake_enter(me);
	fake_hyp = true;
	/* Pending and active move between the structure and a list register under it. */
	for (i = 0; i < 2; i++) {
		tries = 0;
		KTAP_TRUE(fake_hyp_access(me, GICD_ISPENDR + i * 0x100 + 4, 4, false, &val));
		KTAP_EQ(tries, 32);
		other_has_lock = true;
		KTAP_TRUE(!fake_hyp_access(me, GICD_ISPENDR + i * 0x100 + 4, 4, false, &val));
		other_has_lock = false;
	}
	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		u32 offset = writes[i], len = offset < GICD_IPRIORITYR ? 4 : 1;

		val = len == 4 ? 1 << 8 : 2;
		if (offset == GICD_IPRIORITYR + 40)
			val = 0x50;
		other_has_lock = true;
		tries = 0;
		KTAP_TRUE(!fake_hyp_access(me, offset, len, true, &val));
		/* It gives up. */
		KTAP_TRUE(tries && tries <= 4);
		other_has_lock = false;
	}
	KTAP_TRUE(!fake_irq(me, 40)->enabled && !fake_irq(me, 40)->pending_latch);
	KTAP_EQ(fake_irq(me, 40)->priority, 0x80);
	KTAP_EQ(fake_irq(me, 40)->targets, 0);
	fake_hyp = false;
	points = 1;
	end();
}

KTAP_MAIN(KTAP_CASE(test_listen), KTAP_CASE(test_post_then_enter), KTAP_CASE(test_post_then_leave),
	  KTAP_CASE(test_source_first), KTAP_CASE(test_post_while_taken), KTAP_CASE(test_listed),
	  KTAP_CASE(test_first_shown), KTAP_CASE(test_read_posted), KTAP_CASE(test_physical_sgi),
	  KTAP_CASE(test_sgi_after_end), KTAP_CASE(test_disable_after_ack),
	  KTAP_CASE(test_locked))
