// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/gdb/gdb.c
// sources: userspace/armvmm-run/gdb/packet.c userspace/armvmm-run/gdb/hex.c
// sources: userspace/armvmm-run/gdb/reply.c userspace/armvmm-run/gdb/walk.c
// sources: userspace/armvmm-run/gdb/regfile.c userspace/armvmm-run/gdb/targetxml.c
// sources: userspace/armvmm-run/core/bank.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/gdb/points.c userspace/armvmm-run/gdb/view.c
// sources: userspace/armvmm-run/gdb/session.c userspace/armvmm-run/gdb/resume.c
// sources: userspace/armvmm-run/gdb/query.c userspace/armvmm-run/gdb/monitor.c
// sources: userspace/libarmvmm/regs.c userspace/libarmvmm/vm.c
// sources: userspace/libarmvmm/vcpu.c userspace/libarmvmm/posted.c
// cflags: -Iuserspace/armvmm-run -Idriver -Iinclude/uapi -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -Wl,--wrap=armvmm_vm_debug_caps
//
// What a debugger may do with a machine, by who holds it.
#include <glib.h>

#include "core/machine_private.h"
#include "gdb/gdb.h"
#include "gdb/link.h"
#include "core/listener.h"
#include "ktap.h"

#define RAM	0x40000000u

static struct machine m;
static struct machine_private private;
static unsigned int holders;
static enum machine_request requested;
static const struct link_ops *ops;
static void *debugger;

void __wrap_armvmm_vm_debug_caps(struct armvmm_vm *vm, struct armvmm_debug_caps *caps);

/* ---- The machine, without vCPUs, and the line ---- */

void machine_hold(struct machine *machine, enum machine_holder holder)
{
	holders |= 1u << holder;
}

void machine_release(struct machine *machine, enum machine_holder holder)
{
	holders &= ~(1u << holder);
}

bool machine_is_held_by(const struct machine *machine, enum machine_holder holder)
{
	return holders >> holder & 1;
}

void machine_keep_vcpu(struct machine *machine, unsigned int index, bool keep)
{
}

struct armvmm_vcpu *machine_vcpu(struct machine *machine, unsigned int index)
{
	return NULL;
}

void __wrap_armvmm_vm_debug_caps(struct armvmm_vm *vm, struct armvmm_debug_caps *caps)
{
	*caps = (struct armvmm_debug_caps){ .breakpoints = 1 };
}

int machine_rom_read(struct machine *machine, uint64_t gpa, void *buf, size_t len)
{
	return -EFAULT;
}

const struct armvmm_exit *machine_debug_exit(struct machine *machine, unsigned int index)
{
	return NULL;
}

void machine_request(struct machine *machine, enum machine_request request,
		     enum machine_cause cause, const char *why)
{
	requested = request;
}

void machine_listen(struct machine *machine, struct machine_listener *listener)
{
}

void machine_unlisten(struct machine *machine, struct machine_listener *listener)
{
}

struct link *link_new(int fd, GMainContext *context, const struct link_ops *link_ops, void *opaque)
{
	ops = link_ops;
	debugger = opaque;
	return (struct link *)&ops;
}

void link_send(struct link *link, const struct reply *reply)
{
}

void link_free(struct link *link)
{
}

/* ---- The debugger ---- */

static const char *ask(const char *packet)
{
	static struct reply reply;
	static char text[PACKET_MAX + 1];

	memset(&reply, 0, sizeof(reply));
	ops->packet(debugger, packet, strlen(packet), &reply);
	memcpy(text, reply.data, reply.len);
	text[reply.len] = '\0';
	return text;
}

/* What a person's command answers, as text. */
static const char *monitor(const char *command)
{
	static char text[PACKET_MAX];
	char packet[200] = "qRcmd,";
	const char *hex;
	unsigned int n = 0;

	for (const char *at = command; *at; at++)
		sprintf(packet + strlen(packet), "%02x", (unsigned char)*at);
	requested = MACHINE_NONE;
	hex = ask(packet);
	if (!strcmp(hex, "OK"))
		return hex;
	for (; hex[2 * n] && hex[2 * n + 1]; n++)
		text[n] = g_ascii_xdigit_value(hex[2 * n]) << 4 |
			  g_ascii_xdigit_value(hex[2 * n + 1]);
	text[n] = '\0';
	return text;
}

static struct gdb *start(void)
{
	struct listener listener = { .fd = -1 };
	struct gdb *gdb;
	struct error err;

	memset(&m, 0, sizeof(m));
	m.priv = &private;
	holders = 0;
	KTAP_EQ(guestmem_alloc(&m.mem, RAM, 1 << 20), 0);
	KTAP_EQ(gdb_create(&gdb, &m, &listener, false, &err), 0);
	return gdb;
}

static void end(struct gdb *gdb)
{
	gdb_free(gdb);
	guestmem_destroy(&m.mem);
}

/* What is sent, or has yet to come, is not to have a debugger's writes in it. */
static void test_frozen(void)
{
	static const enum machine_holder by[] = {
		MACHINE_HOLDER_MIGRATION, MACHINE_HOLDER_INCOMING, MACHINE_HOLDER_CONTROL,
		MACHINE_HOLDER_SNAPSHOT, MACHINE_HOLDER_DUMP,
	};
	struct gdb *gdb = start();

	for (unsigned int i = 0; i < G_N_ELEMENTS(by); i++) {
		bool frozen = by[i] == MACHINE_HOLDER_MIGRATION || by[i] == MACHINE_HOLDER_INCOMING;

		holders = 1u << by[i];
		ops->came(debugger);
		KTAP_STREQ(ask("Z1,40000000,4"), frozen ? "E10" : "OK");
		/* Without vCPUs there is no table, and no address. */
		KTAP_STREQ(ask("M40000000,1:55"), frozen ? "E10" : "E0e");
		KTAP_STREQ(ask("Z0,40000000,4"), frozen ? "E10" : "E0e");
		ops->gone(debugger);
		KTAP_EQ(holders, 1u << by[i]);
	}
	end(gdb);
}

static void test_requests(void)
{
	struct gdb *gdb = start();

	ops->came(debugger);
	KTAP_STREQ(monitor("system_reset"), "OK");
	KTAP_EQ(requested, MACHINE_RESET);
	holders |= 1u << MACHINE_HOLDER_INCOMING;
	KTAP_STREQ(monitor("system_reset"), "the guest has not come yet\n");
	KTAP_EQ(requested, MACHINE_NONE);
	KTAP_STREQ(monitor("quit"), "OK");
	KTAP_EQ(requested, MACHINE_QUIT);
	holders = 1u << MACHINE_HOLDER_GDB | 1u << MACHINE_HOLDER_MIGRATION;
	KTAP_STREQ(monitor("system_reset"),
		   "the guest is saved or handed over, and may run elsewhere\n");
	KTAP_EQ(requested, MACHINE_NONE);
	/* Who ended this process would end the guest, which runs elsewhere. */
	m.following = true;
	KTAP_STREQ(monitor("quit"), "the guest runs elsewhere, and its memory follows\n");
	KTAP_STREQ(ask("vKill;1"), "E10");
	ask("k");
	KTAP_EQ(requested, MACHINE_NONE);
	m.following = false;
	KTAP_STREQ(monitor("quit"), "OK");
	KTAP_EQ(requested, MACHINE_QUIT);
	ops->gone(debugger);
	end(gdb);
}

KTAP_MAIN(KTAP_CASE(test_frozen), KTAP_CASE(test_requests))
