// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include "arch/archregs.h"
#include "core/machine_private.h"
#include "core/runstate.h"
#include "snapshot/facts.h"
#include "snapshot/layout.h"
#include "snapshot/state.h"

struct state_part {
	char name[PART_NAME_MAX];
	uint32_t version;
	struct record record;
};

static void state_free_part(void *part)
{
	record_free(&((struct state_part *)part)->record);
}

void state_init(struct state *state)
{
	state->parts = g_array_new(FALSE, FALSE, sizeof(struct state_part));
	g_array_set_clear_func(state->parts, state_free_part);
}

void state_free(struct state *state)
{
	if (state->parts)
		g_array_unref(state->parts);
	state->parts = NULL;
}

static struct record *state_add(struct state *state, const char *name, uint32_t version)
{
	struct state_part part = { .version = version };

	g_strlcpy(part.name, name, sizeof(part.name));
	g_array_append_val(state->parts, part);
	return &g_array_index(state->parts, struct state_part, state->parts->len - 1).record;
}

static int state_add_cpus(struct state *state, struct machine *m, struct error *why)
{
	void *data;
	size_t len;
	int ret = armvmm_vm_state_save(m->priv->vm, &data, &len);

	if (ret)
		return error_errno(why, ret, "the state of the vCPUs");
	record_put(state_add(state, LAYOUT_CPUS, LAYOUT_CPUS_VERSION), data, len);
	free(data);
	return 0;
}

static void state_add_console(struct state *state, struct machine *m)
{
	uint8_t *kept = g_malloc(LAYOUT_CONSOLE_MAX);
	size_t len = chardev_peek_kept(m->chardev, kept, LAYOUT_CONSOLE_MAX);

	record_put(state_add(state, LAYOUT_CONSOLE, LAYOUT_CONSOLE_VERSION), kept, len);
	g_free(kept);
}

int state_collect(struct state *state, struct machine *m, struct error *why)
{
	struct facts facts;
	int ret;

	facts_get(&facts, m);
	facts_save(&facts, state_add(state, FACTS_PART, FACTS_VERSION));
	ret = state_add_cpus(state, m, why);
	for (unsigned int i = 0; !ret && i < m->bus.nr; i++) {
		struct device *dev = m->bus.dev[i];
		char name[DEVICE_NAME_MAX];

		device_name(dev, name);
		if (!dev->ops->save)
			return error_set(why, -ENOTSUP, "%s cannot be saved", name);
		dev->ops->save(dev, state_add(state, name, dev->ops->state_version));
	}
	if (!ret)
		state_add_console(state, m);
	return ret;
}

int state_write(const struct state *state, struct part_writer *w)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < state->parts->len; i++) {
		const struct state_part *part = &g_array_index(state->parts, struct state_part, i);

		ret = part_write(w, part->name, part->version, part->record.data,
				 part->record.len, NULL, 0);
	}
	return ret;
}

int state_flush(struct machine *m, struct error *why)
{
	for (unsigned int i = 0; i < m->bus.nr; i++) {
		struct device *dev = m->bus.dev[i];
		int ret = dev->ops->flush ? dev->ops->flush(dev) : 0;
		char name[DEVICE_NAME_MAX];

		device_name(dev, name);
		if (ret)
			return error_errno(why, ret, "%s: flush", name);
	}
	return 0;
}

bool state_is_uncached(struct machine *m)
{
	struct armvmm_vcpu *vcpu;

	for (unsigned int i = 0; (vcpu = machine_vcpu(m, i)); i++) {
		uint64_t sctlr = 0;
		uint32_t off = 0;

		armvmm_vcpu_mp_state_get(vcpu, &off);
		armvmm_vcpu_reg_get(vcpu, "sctlr", &sctlr);
		if (!off && (sctlr & (SCTLR_M | SCTLR_C)) != (SCTLR_M | SCTLR_C))
			return true;
	}
	return false;
}

const char *state_obstacle(struct machine *m)
{
	if (machine_requested(m) != MACHINE_NONE)
		return "The guest is being reset, or ends";
	if (machine_is_held_by(m, MACHINE_HOLDER_INCOMING))
		return "The guest has not come yet";
	if (m->debugger)
		return "A debugger is there, which may have breakpoints in the guest's memory";
	return NULL;
}
