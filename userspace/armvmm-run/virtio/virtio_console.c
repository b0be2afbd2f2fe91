// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-console (virtio 1.2 5.3). With one port that is a console it is what it has always been:
 * hvc0 in a Linux guest, by two queues. With several, or one that has a name, there are also
 * control queues, by which the driver learns of each: hvc0, hvc1 ..., and /dev/virtio-ports/NAME.
 */
#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_ids.h>

#include "chardev/backend.h"
#include "core/device_type.h"
#include "core/machine.h"
#include "core/parse.h"
#include "virtio/virtio_console.h"

struct console_config {
	struct backend backend;
	const char *name;	/* NULL: it is a console */
	const struct virtio_bus *bus;
};

/* The port that queue @index belongs to; *@tx: as its output. NULL: it is a control queue. */
static struct console_port *console_port_of(struct virtio_console *con, unsigned int index,
					    bool *tx)
{
	*tx = index & 1;
	if (index == CONSOLE_CONTROL_RX || index == CONSOLE_CONTROL_TX)
		return NULL;
	return &con->port[index > CONSOLE_CONTROL_TX ? index / 2 - 1 : 0];
}

static void console_kick(struct virtio_device *vdev, unsigned int index)
{
	struct virtio_console *con = to_console(vdev);
	bool tx;
	struct console_port *port = console_port_of(con, index, &tx);

	if (!port && tx)
		console_control_receive(con);
	else if (!port)
		console_control_send(con);
	else if (!tx)
		chardev_rx_ready(port->chr);
	else if (!port->id || console_is_controlled(con))
		console_port_transmit(port);
}

static void console_reset(struct virtio_device *vdev)
{
	struct virtio_console *con = to_console(vdev);

	for (unsigned int i = 0; i < con->nr_ports; i++) {
		con->port[i].tx_held = false;
		con->port[i].tx_done = con->port[i].tx_before = 0;
	}
	if (con->multiport)
		console_control_reset(con);
}

/* ---- Snapshots ---- */

static unsigned int console_held(struct virtio_device *vdev, unsigned int index)
{
	bool tx;
	const struct console_port *port = console_port_of(to_console(vdev), index, &tx);

	return port && tx && port->tx_held;
}

/* Of one port without control queues there is nothing else. */
static void console_save(struct virtio_device *vdev, struct record *r)
{
	struct virtio_console *con = to_console(vdev);
	const struct console_port *port = &con->port[0];
	uint32_t done = port->tx_held ? port->tx_done : port->tx_before;

	if (con->multiport)
		console_control_save(con, r);
	else
		record_put(r, &done, sizeof(done));
}

static int console_restore(struct virtio_device *vdev, struct record *r)
{
	struct virtio_console *con = to_console(vdev);

	if (con->multiport)
		return console_control_restore(con, r);
	return record_get(r, &con->port[0].tx_before, sizeof(uint32_t));
}

/* ---- Size ---- */

/* cols and rows (virtio 1.2 5.3.4). */
struct console_size {
	uint16_t cols, rows;
};

/* The configuration space; @ports is there with control queues alone. */
struct console_space {
	struct console_size size;
	uint32_t ports;
};

static bool console_size(struct console_port *port, struct console_size *size)
{
	uint16_t cols, rows;

	if (!chardev_size(port->chr, &cols, &rows))
		return false;
	*size = (struct console_size){ htole16(cols), htole16(rows) };
	return true;
}

/* One console's size is in the configuration space, those of several go by messages. */
static void console_update_size(struct console_port *port)
{
	struct virtio_device *vdev = &port->con->vdev;
	struct console_size size;

	if (!(vdev->offered & VIRTIO_BIT(VIRTIO_CONSOLE_F_SIZE)))
		return;
	if (port->con->multiport)
		console_control_tell_size(port);
	else if (console_size(port, &size) && memcmp(vdev->config, &size, sizeof(size)))
		virtio_config_set(vdev, 0, &size, sizeof(size));
}

static void console_resized(struct chardev_client *client)
{
	struct console_port *port = container_of(client, struct console_port, client);

	pthread_mutex_lock(&port->con->vdev.lock);
	console_update_size(port);
	pthread_mutex_unlock(&port->con->vdev.lock);
}

/* The other end of a restored guest may have another size, and room for what was held. */
static void console_resumed(struct virtio_device *vdev)
{
	struct virtio_console *con = to_console(vdev);

	for (unsigned int i = 0; i < con->nr_ports; i++) {
		console_update_size(&con->port[i]);
		console_control_tell_open(&con->port[i]);
		console_port_go_on(&con->port[i]);
		chardev_rx_ready(con->port[i].chr);
	}
}

/* ---- Life ---- */

static void console_free(struct virtio_console *con)
{
	for (unsigned int i = 0; i < con->nr_ports; i++)
		console_port_exit(&con->port[i]);
	free(con->control);
}

static void console_destroy(struct virtio_device *vdev)
{
	console_free(to_console(vdev));
}

static const struct virtio_ops console_ops = {
	.name = "virtio-console",
	.id = VIRTIO_ID_CONSOLE,
	.nr_queues = 2,
	.queue_size = CONSOLE_QUEUE_SIZE,
	.reset = console_reset,
	.kick = console_kick,
	/* Linux waits for each piece of its output, in a loop. */
	.kicked_by_vcpu = 1u << CONSOLE_PORT_TX(0),
	.held = console_held,
	.save = console_save,
	.restore = console_restore,
	.resumed = console_resumed,
	.destroy = console_destroy,
};

/* Opens the back end of port @port->id. */
static int console_open(struct machine *m, struct console_port *port,
			const struct console_config *config, struct error *err)
{
	char label[CHARDEV_LABEL_MAX];
	int ret;

	/* Without options there is the terminal. */
	if (!config) {
		port->chr = m->terminal;
		return 0;
	}
	snprintf(label, sizeof(label), "console%u", port->id);
	port->name = config->name;
	ret = backend_open(m, &config->backend, config->name ? config->name : label, config->name,
			   &port->chr, err);
	for (unsigned int i = 0; !ret && i < port->id; i++)
		if (port->con->port[i].chr == port->chr)
			ret = error_set(err, -EBUSY, "%s: another console has the terminal",
					config->backend.label);
	return ret;
}

static int console_open_all(struct machine *m, struct virtio_console *con,
			    const void *const *configs, unsigned int nr, struct error *err)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < nr; i++) {
		const struct console_config *config = configs[i];
		struct console_port *port = &con->port[i];

		port->con = con;
		port->id = i;
		con->nr_ports++;
		ret = console_open(m, port, config, err);
		if (ret)
			return ret;
		if (console_port_init(port))
			return error_errno(err, -ENOMEM, "virtio-console");
		port->client.resized = console_resized;
		con->multiport |= i || port->name;
		if (config && config->bus && con->vdev.bus && config->bus != con->vdev.bus)
			ret = error_set(err, -EINVAL, "%s: all consoles are on one bus",
					config->backend.label);
		if (config && config->bus)
			con->vdev.bus = config->bus;
	}
	return ret;
}

static int console_register(struct machine *m, struct virtio_console *con, struct error *err)
{
	struct console_space space = { .ports = htole32(con->nr_ports) };
	uint64_t features = 0;

	for (unsigned int i = 0; i < con->nr_ports; i++) {
		struct console_port *port = &con->port[i];
		struct console_size size;
		bool sized = console_size(port, &size);

		/* Several consoles may be joined to other ends when the guest is restored. */
		if (port->name || (!sized && !con->multiport && !chardev_may_resize(port->chr)))
			continue;
		features = VIRTIO_BIT(VIRTIO_CONSOLE_F_SIZE);
		if (sized && !con->multiport)
			space.size = size;
	}
	con->ops = console_ops;
	if (con->multiport) {
		features |= VIRTIO_BIT(VIRTIO_CONSOLE_F_MULTIPORT);
		con->ops.nr_queues = CONSOLE_PORT_TX(con->nr_ports - 1) + 1;
		if (con->nr_ports == 1)
			con->ops.nr_queues = CONSOLE_CONTROL_TX + 1;
		/* Nothing waits for the host; and there are not as many events as queues. */
		con->ops.kicked_by_vcpu = ~0u;
	}
	return virtio_device_register(m, &con->vdev, &con->ops, features, &space,
				      con->multiport ? sizeof(space) :
				      features ? sizeof(space.size) : 0, err);
}

/* One device has all of them. */
static int console_create_all(struct machine *m, const void *const *configs, unsigned int nr,
			      struct error *err)
{
	struct virtio_console *con = calloc(1, sizeof(*con));
	int ret;

	if (!con)
		return error_errno(err, -ENOMEM, "virtio-console");
	con->control = virtq_chain_alloc(CONSOLE_QUEUE_SIZE);
	ret = con->control ? console_open_all(m, con, configs, nr, err) :
			     error_errno(err, -ENOMEM, "virtio-console");
	if (!ret)
		ret = console_register(m, con, err);
	if (ret < 0) {
		console_free(con);
		free(con);
		return ret;
	}
	for (unsigned int i = 0; i < nr; i++) {
		if (con->multiport)
			chardev_set_open(con->port[i].chr, false);
		chardev_attach(con->port[i].chr, &con->port[i].client);
	}
	return 0;
}

static int console_create(struct machine *m, const void *config, struct error *err)
{
	return console_create_all(m, &config, 1, err);
}

/* ---- Options ---- */

/* What a file's name may be, and what fits into a message. */
static int console_parse_name(struct console_config *config, const char *name, struct error *err)
{
	bool good = *name && strlen(name) < CHARDEV_LABEL_MAX;

	for (const char *c = name; *c; c++)
		good = good && isgraph((unsigned char)*c) && *c != '/';
	if (!good)
		return error_set(err, -EINVAL,
				 "%s: name must be 1 to %d characters, without blanks or slashes",
				 config->backend.label, CHARDEV_LABEL_MAX - 1);
	config->name = name;
	return 0;
}

static int console_word(void *opaque, const char *word, struct error *err)
{
	struct console_config *config = opaque;
	const char *name = parse_value(word, "name");

	if (name)
		return console_parse_name(config, name, err);
	return virtio_bus_parse(word, config->backend.label, &config->bus, err);
}

/* "virtio" was once the only word that there was, and means the terminal, as does no back end. */
static int console_parse(const char *label, const char *args, void **out, struct error *err)
{
	static const char kind[] = "virtio";
	struct console_config *config = *out = calloc(1, sizeof(*config));
	char *text;
	int ret;

	if (!config)
		return error_errno(err, -ENOMEM, "%s", label);
	if (args && !strncmp(args, kind, strlen(kind)) && strchr(",", args[strlen(kind)]))
		args = args[strlen(kind)] ? args + strlen(kind) + 1 : NULL;
	else if (args && *args && !parse_value(args, "bus") && !parse_value(args, "name"))
		return backend_parse(&config->backend, label, args, console_word, config, err);
	if (asprintf(&text, "stdio%s%s", args && *args ? "," : "", args ? args : "") < 0)
		return error_errno(err, -ENOMEM, "%s", label);
	ret = backend_parse(&config->backend, label, text, console_word, config, err);
	free(text);
	return ret;
}

static void console_release(void *opaque)
{
	struct console_config *config = opaque;

	if (config)
		backend_release(&config->backend);
	free(config);
}

static bool console_group(unsigned int index, struct device_group *group)
{
	const struct backend_type *type = backend_type_at(index);

	if (type)
		*group = (struct device_group){ type->args, type->summary, type->words };
	return type;
}

static const struct device_word console_words[] = {
	{ "name=NAME", "not a console, but a port for programs, of that name" },
	VIRTIO_BUS_WORD,
	{ NULL, NULL },
};

static const struct device_type console_type = {
	.name = "virtio-console",
	.summary = "console, or a port for programs, of one device that has them all",
	.option = "console",
	.args = "BACKEND",
	.words = console_words,
	.group = console_group,
	.max = CONSOLE_MAX_PORTS,
	.order = 40,
	.parse = console_parse,
	.release = console_release,
	.create = console_create,
	.create_all = console_create_all,
};
DEVICE_TYPE(console_type);
