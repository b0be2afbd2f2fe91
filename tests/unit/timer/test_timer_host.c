// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/timer/timer_host.c
// cflags: -include tests/unit/hyp_fake.h -include tests/unit/timer_host_fake.h -Itests/unit/fake
// cflags: -Iinclude/uapi -I. -Idriver -DCONFIG_IRQ_DOMAIN_HIERARCHY
/*
 * The host's PPI of the virtual timer: what is done to it, and to nothing else, on hosts of each
 * kind; and which hosts are refused.
 */
#include "ktap.h"

#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/of_irq.h>

#include "arch/gic.h"
#include "timer/timer.h"
#include "timer/timer_host.h"
#include "vgic/vgic.h"

#define IRQ	19u		/* Linux's number */
#define PPI	27u		/* the GIC's */

extern bool *const fake_param_fast_hold, *const fake_param_hyp_timer;
extern unsigned int *const fake_param_vtimer_irq;

struct armvmm_vgic_host armvmm_vgic_host;

/* What was done, in order. */
static char done[512];
static u32 gicd[GICD_SIZE / 4];

static const struct host {
	bool no_node, no_irq, no_data, no_split;
	u32 cntfrq, property;
	int request;
	u32 trigger;
} good = { .cntfrq = 62500000, .trigger = IRQ_TYPE_LEVEL_LOW };

static struct host host;
static struct irq_data chip = { .hwirq = PPI }, data = { .hwirq = 5, .parent_data = &chip };
static irq_handler_t handler;
static int nodes;

static void note(const char *what, unsigned int n)
{
	size_t used = strlen(done);

	snprintf(done + used, sizeof(done) - used, "%s %u;", what, n);
}

#define DID(text)	do { KTAP_STREQ(done, text); done[0] = 0; } while (0)

void fake_op(const char *fmt, ...)
{
}

u64 fake_reg(const char *args)
{
	return strcmp(args, "0, c14, c0, 0") ? 1234567890123 : host.cntfrq;
}

void fake_writel(u32 val, void *at)
{
	unsigned int offset = (char *)at - (char *)gicd;

	KTAP_EQ(val, 1u << PPI);
	note(offset == GICD_ISACTIVER ? "activate" : offset == GICD_ICACTIVER ? "deactivate" : "?",
	     PPI);
}

u32 fake_readl(void *at)
{
	KTAP_EQ((char *)at - (char *)gicd, GICD_ISACTIVER);
	note("read", PPI);
	return 0;
}

struct device_node *of_find_matching_node(struct device_node *from,
					  const struct of_device_id *match)
{
	KTAP_STREQ(match->compatible, "arm,armv7-timer");
	nodes += !host.no_node;
	return host.no_node ? NULL : (struct device_node *)&host;
}

void of_node_put(struct device_node *np)
{
	nodes--;
}

int of_property_read_u32(const struct device_node *np, const char *name, u32 *val)
{
	KTAP_STREQ(name, "clock-frequency");
	*val = host.property;
	return host.property ? 0 : -EINVAL;
}

unsigned int irq_of_parse_and_map(struct device_node *np, int index)
{
	KTAP_EQ(index, 2);
	return host.no_irq ? 0 : IRQ;
}

unsigned int armvmm_vgic_host_map_ppi(unsigned int hwirq)
{
	return hwirq == PPI ? IRQ + 1 : 0;
}

struct irq_data *irq_get_irq_data(unsigned int irq)
{
	data.trigger = host.trigger;
	return host.no_data ? NULL : &data;
}

int request_percpu_irq(unsigned int irq, irq_handler_t h, const char *name, void *dev)
{
	handler = h;
	note("request", irq);
	return host.request;
}

void free_percpu_irq(unsigned int irq, void *dev)
{
	note("free", irq);
}

void enable_percpu_irq(unsigned int irq, unsigned int type)
{
	KTAP_EQ(type, host.trigger == IRQ_TYPE_LEVEL_HIGH ? IRQ_TYPE_LEVEL_HIGH :
							    IRQ_TYPE_LEVEL_LOW);
	note("enable", irq);
}

void disable_percpu_irq(unsigned int irq)
{
	note("disable", irq);
}

int irq_set_vcpu_affinity(unsigned int irq, void *info)
{
	note(info ? "forward" : "keep", irq);
	return host.no_split ? -ENOSYS : 0;
}

int irq_set_irqchip_state(unsigned int irq, enum irqchip_irq_state which, bool on)
{
	KTAP_EQ(which, IRQCHIP_STATE_ACTIVE);
	note(on ? "active" : "inactive", irq);
	return 0;
}

static void boot(const struct host *kind, bool with_gicd)
{
	host = *kind;
	armvmm_vgic_host = (struct armvmm_vgic_host){ .gicd = with_gicd ? gicd : NULL };
	memset(&timer_host_cpu, 0, sizeof(timer_host_cpu));
	*fake_param_fast_hold = true;
	KTAP_EQ(armvmm_timer_init(), 0);
	KTAP_EQ(nodes, 0);
	KTAP_EQ(armvmm_vgic_host.split_eoi, !host.no_split);
	armvmm_timer_cpu_up();
	done[0] = 0;
}

/* --- to hold it --- */

/* By the distributor's own register: what makes it active is read back, each time. */
static void test_fast(void)
{
	boot(&good, true);
	KTAP_EQ(armvmm_timer_host_hwirq(), PPI);
	armvmm_timer_host_hold(false);
	DID("");
	armvmm_timer_host_hold(true);
	DID("activate 27;read 27;");
	KTAP_TRUE(armvmm_timer_host_held());
	armvmm_timer_host_hold(true);
	DID("");
	/* It may be gone. */
	armvmm_timer_host_set(true);
	DID("activate 27;read 27;");
	armvmm_timer_host_released();
	KTAP_TRUE(!armvmm_timer_host_held());
	armvmm_timer_host_was_held();
	armvmm_timer_host_set(false);
	DID("deactivate 27;");
	KTAP_TRUE(!armvmm_timer_host_held());
}

/* By the kernel's function: the same, and where HYP cannot read, nothing is read back. */
static void test_slow(void)
{
	boot(&good, true);
	*fake_param_fast_hold = false;
	armvmm_timer_host_set(true);
	DID("active 19;read 27;");
	armvmm_timer_host_set(true);
	DID("active 19;read 27;");
	armvmm_timer_host_set(false);
	DID("inactive 19;");
	boot(&good, false);
	armvmm_timer_host_set(true);
	DID("active 19;");
	armvmm_timer_host_set(false);
	DID("inactive 19;");
}

/* Without split EOI it is masked: once, however often an exit asks for it. */
static void test_masked(void)
{
	struct host kind = good;

	kind.no_split = true;
	boot(&kind, true);
	armvmm_timer_host_set(true);
	DID("disable 19;");
	KTAP_TRUE(armvmm_timer_host_held());
	armvmm_timer_host_set(true);
	DID("");
	KTAP_TRUE(armvmm_timer_host_held());
	armvmm_timer_host_set(false);
	DID("enable 19;");
	KTAP_TRUE(!armvmm_timer_host_held());
	armvmm_timer_host_set(false);
	DID("");
	/* Nor does its handler leave it active. */
	KTAP_EQ(handler(IRQ, NULL), IRQ_HANDLED);
	KTAP_TRUE(!armvmm_timer_host_held());
	armvmm_timer_exit();
	DID("free 19;");
}

/* --- a CPU comes and goes --- */

static void test_cpu(void)
{
	boot(&good, true);
	/* It is up already. */
	armvmm_timer_cpu_up();
	DID("");
	KTAP_EQ(handler(IRQ, NULL), IRQ_HANDLED);
	KTAP_TRUE(armvmm_timer_host_held());
	armvmm_timer_cpu_down();
	DID("deactivate 27;disable 19;");
	armvmm_timer_cpu_down();
	DID("");
	/* What a state that lost power has left active goes. */
	timer_host_cpu.held = true;
	armvmm_timer_cpu_up();
	DID("inactive 19;enable 19;");
	KTAP_TRUE(!armvmm_timer_host_held());
	armvmm_timer_exit();
	DID("keep 19;free 19;");
}

static void test_in_hyp(void)
{
	boot(&good, true);
	for (unsigned int n = 0; n < 4; n++) {
		*fake_param_hyp_timer = n & 1;
		*fake_param_fast_hold = n & 2;
		KTAP_EQ(armvmm_timer_host_in_hyp(), n == 3);
	}
}

/* --- which hosts --- */

static void refused(const struct host *kind, int err, const char *did)
{
	host = *kind;
	done[0] = 0;
	KTAP_EQ(armvmm_timer_init(), err);
	KTAP_EQ(nodes, 0);
	DID(did);
}

static void test_hosts(void)
{
	struct host kind = good;

	kind.no_irq = true;
	refused(&kind, -ENODEV, "");
	kind.no_node = true;
	refused(&kind, -ENODEV, "");
	/* The administrator knows it. */
	*fake_param_vtimer_irq = 26;
	refused(&kind, -ENODEV, "");
	*fake_param_vtimer_irq = PPI;
	boot(&kind, true);
	armvmm_timer_exit();
	DID("keep 20;free 20;");
	*fake_param_vtimer_irq = 0;

	kind = good;
	kind.cntfrq = 0;
	refused(&kind, -ENODEV, "");
	kind.property = 24000000;
	boot(&kind, true);
	KTAP_EQ(armvmm_timer_freq(), 24000000);
	kind.cntfrq = 62500000;
	boot(&kind, true);
	KTAP_EQ(armvmm_timer_freq(), 24000000);
	kind.property = 0;
	boot(&kind, true);
	KTAP_EQ(armvmm_timer_freq(), 62500000);
	KTAP_EQ(armvmm_timer_now(), 1234567890123);

	kind = good;
	kind.no_data = true;
	refused(&kind, -ENODEV, "");
	/* Linux was started in SVC mode, and has it itself. */
	kind = good;
	kind.request = -EBUSY;
	refused(&kind, -ENODEV, "request 19;");
	kind.request = -ENOMEM;
	refused(&kind, -ENOMEM, "request 19;");
	armvmm_vgic_host.maint_irq = IRQ;
	refused(&good, -ENODEV, "");
	/* A tree that says nothing of the level, as some do, and one of an inverted line. */
	kind = good;
	kind.trigger = 1;
	boot(&kind, true);
	kind.trigger = IRQ_TYPE_LEVEL_HIGH;
	boot(&kind, true);
}

KTAP_MAIN(
	KTAP_CASE(test_fast),
	KTAP_CASE(test_slow),
	KTAP_CASE(test_masked),
	KTAP_CASE(test_cpu),
	KTAP_CASE(test_in_hyp),
	KTAP_CASE(test_hosts),
)
