// SPDX-License-Identifier: GPL-2.0-only
/* What the machine is. */
#include <libarmvmm.h>
#include <stdio.h>

#include "control/command.h"
#include "control/qmp.h"
#include "core/config.h"
#include "core/runstate.h"

static JsonNode *query_version(struct command_call *call)
{
	return command_object(qmp_version());
}

static JsonNode *query_name(struct command_call *call)
{
	JsonObject *o = json_object_new();

	if (call->target->name)
		json_object_set_string_member(o, "name", call->target->name);
	return command_object(o);
}

static JsonNode *query_kvm(struct command_call *call)
{
	JsonObject *o = json_object_new();

	json_object_set_boolean_member(o, "enabled", TRUE);
	json_object_set_boolean_member(o, "present", TRUE);
	return command_object(o);
}

static JsonNode *query_target(struct command_call *call)
{
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "arch", "arm");
	return command_object(o);
}

static JsonNode *query_memory(struct command_call *call)
{
	const struct guestmem *mem = &call->target->m->mem;
	JsonObject *o = json_object_new();
	uint64_t size = 0;

	for (unsigned int i = 0; i < mem->nr_regions; i++)
		size += mem->region[i].size;
	json_object_set_int_member(o, "base-memory", size);
	return command_object(o);
}

static JsonNode *query_machines(struct command_call *call)
{
	JsonObject *o = json_object_new();
	JsonArray *list = json_array_new();

	json_object_set_string_member(o, "name", "virt");
	json_object_set_boolean_member(o, "is-default", TRUE);
	json_object_set_int_member(o, "cpu-max", CONFIG_MAX_CPUS);
	json_object_set_boolean_member(o, "hotpluggable-cpus", FALSE);
	json_object_set_boolean_member(o, "numa-mem-supported", FALSE);
	json_object_set_boolean_member(o, "deprecated", FALSE);
	json_object_set_boolean_member(o, "acpi", FALSE);
	json_array_add_object_element(list, o);
	return command_array(list);
}

static JsonNode *query_cpus(struct command_call *call)
{
	struct machine *m = call->target->m;
	JsonArray *list = json_array_new();

	for (unsigned int i = 0; machine_vcpu(m, i); i++) {
		JsonObject *o = json_object_new(), *props = json_object_new();
		char path[40];

		snprintf(path, sizeof(path), "/machine/unattached/device[%u]", i);
		json_object_set_int_member(props, "core-id", i);
		json_object_set_int_member(o, "cpu-index", i);
		json_object_set_string_member(o, "qom-path", path);
		json_object_set_int_member(o, "thread-id", machine_vcpu_thread(m, i));
		json_object_set_object_member(o, "props", props);
		json_object_set_string_member(o, "target", "arm");
		json_array_add_object_element(list, o);
	}
	return command_array(list);
}

static JsonNode *query_commands(struct command_call *call)
{
	const struct command *c = NULL;
	JsonArray *list = json_array_new();
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "name", QMP_CAPABILITIES);
	json_array_add_object_element(list, o);
	while ((c = command_next(c))) {
		o = json_object_new();
		json_object_set_string_member(o, "name", c->name);
		json_array_add_object_element(list, o);
	}
	return command_array(list);
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
	{ NULL, NULL, {} },
};
