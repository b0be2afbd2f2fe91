// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that come, go or change their medium while the guest runs. There are none: virtio-mmio is
 * no bus that a guest could look at again. It finds the windows in the device tree, at its start,
 * and nothing tells it that one has another device now (virtio 1.2 4.2.1); and virtio disks have no
 * medium that could change. So these commands only say so, as QEMU does for such a device.
 */
#include <errno.h>
#include <string.h>

#include "control/command.h"
#include "core/blockdev.h"

#define DEVICE_WHY	"guests of virtio-mmio find their devices at their start only"

static const struct blockdev *device_disk(const struct command_call *call, const char *id)
{
	const struct blockdev *b = call->target->m->disks;

	while (b && strcmp(b->id, id))
		b = b->next;
	return b;
}

static json_t *device_plug(struct command_call *call)
{
	error_set(&call->err, -ENOTSUP, "Bus 'virtio-mmio-bus' does not support hotplugging: "
		  DEVICE_WHY);
	return NULL;
}

static json_t *device_unplug(struct command_call *call)
{
	const char *id = command_string(call, "id");

	if (device_disk(call, id)) {
		error_set(&call->err, -ENOTSUP, "Device '%.64s' does not support hotplugging: "
			  DEVICE_WHY, id);
		return NULL;
	}
	call->class = "DeviceNotFound";
	error_set(&call->err, -ENODEV, "Device '%.64s' not found", id);
	return NULL;
}

static json_t *device_change(struct command_call *call)
{
	const char *device = command_string(call, "device"), *id = command_string(call, "id");

	if (!device == !id) {
		error_set(&call->err, -EINVAL, "Exactly one of 'device' and 'id' must be given");
		return NULL;
	}
	if (!id)
		id = device;
	if (device_disk(call, id)) {
		error_set(&call->err, -ENOTSUP, "Device '%.64s' is not removable", id);
		return NULL;
	}
	call->class = "DeviceNotFound";
	error_set(&call->err, -ENODEV, "Device '%.64s' not found", id);
	return NULL;
}

const struct command commands_device[] = {
	{ "device_add", device_plug,
	  { { "driver", COMMAND_STRING, .optional = false },
	    { "bus", COMMAND_STRING, .optional = true },
	    { "id", COMMAND_STRING, .optional = true },
	    { COMMAND_MORE, COMMAND_OBJECT, .optional = true } } },
	{ "device_del", device_unplug, { { "id", COMMAND_STRING, .optional = false } } },
	{ "eject", device_change,
	  { { "device", COMMAND_STRING, .optional = true },
	    { "id", COMMAND_STRING, .optional = true },
	    { "force", COMMAND_BOOL, .optional = true } } },
	{ "blockdev-change-medium", device_change,
	  { { "device", COMMAND_STRING, .optional = true },
	    { "id", COMMAND_STRING, .optional = true },
	    { "filename", COMMAND_STRING, .optional = false },
	    { "format", COMMAND_STRING, .optional = true },
	    { "force", COMMAND_BOOL, .optional = true },
	    { "read-only-mode", COMMAND_STRING, .optional = true } } },
	{ NULL, NULL, {} },
};
