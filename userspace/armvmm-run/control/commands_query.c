// SPDX-License-Identifier: GPL-2.0-only
/* What the machine is. */
#include <libarmvmm.h>
#include <stdio.h>

#include "control/command.h"
#include "control/qmp.h"
#include "control/schema.h"
#include "control/value.h"
#include "core/config.h"
#include "core/runstate.h"

static json_t *query_version(struct command_call *call)
{
	return qmp_version();
}

static json_t *query_name(struct command_call *call)
{
	const char *name = call->target->name;

	return name ? json_pack("{s:o}", "name", value_text(name)) : NULL;
}

static json_t *query_kvm(struct command_call *call)
{
	return json_pack("{s:b, s:b}", "enabled", 1, "present", 1);
}

static json_t *query_target(struct command_call *call)
{
	return json_pack("{s:s}", "arch", "arm");
}

static json_t *query_memory(struct command_call *call)
{
	const struct guestmem *mem = &call->target->m->mem;
	json_int_t size = 0;

	for (unsigned int i = 0; i < mem->nr_regions; i++)
		size += mem->region[i].size;
	return json_pack("{s:I}", "base-memory", size);
}

static json_t *query_machines(struct command_call *call)
{
	return json_pack("[{s:s, s:b, s:i, s:b, s:b, s:b, s:b}]", "name", "virt",
			 "is-default", 1, "cpu-max", (int)CONFIG_MAX_CPUS,
			 "hotpluggable-cpus", 0, "numa-mem-supported", 0, "deprecated", 0,
			 "acpi", 0);
}

static json_t *query_cpus(struct command_call *call)
{
	struct machine *m = call->target->m;
	json_t *list = json_array();

	for (int i = 0; machine_vcpu(m, i); i++) {
		char path[40];

		snprintf(path, sizeof(path), "/machine/unattached/device[%d]", i);
		json_array_append_new(list, json_pack("{s:i, s:s, s:i, s:{s:i}, s:s}",
						      "cpu-index", i, "qom-path", path,
						      "thread-id", (int)machine_vcpu_thread(m, i),
						      "props", "core-id", i, "target", "arm"));
	}
	return list;
}

static json_t *query_commands(struct command_call *call)
{
	const struct command *c = NULL;
	json_t *list = json_pack("[{s:s}]", "name", QMP_CAPABILITIES);

	while ((c = command_next(c)))
		json_array_append_new(list, json_pack("{s:s}", "name", c->name));
	return list;
}

static json_t *query_schema(struct command_call *call)
{
	return schema_make();
}

const struct command commands_query[] = {
	{ "query-version", query_version, {} },
	{ "query-name", query_name, {} },
	{ "query-kvm", query_kvm, {} },
	{ "query-target", query_target, {} },
	{ "query-machines", query_machines, {} },
	{ "query-memory-size-summary", query_memory, {} },
	{ "query-cpus-fast", query_cpus, {} },
	{ "query-commands", query_commands, {} },
	{ "query-qmp-schema", query_schema, {} },
	{ NULL, NULL, {} },
};
