// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control queues of virtio-console (virtio 1.2 5.3.6.2): which ports there are, what they are
 * called, and whether somebody is at their ends. What the driver has still to be told is kept as a
 * few bits of each port, and worded when there is a buffer for it: so a driver that takes nothing
 * makes nothing pile up.
 */
#include <endian.h>
#include <string.h>

#include "virtio/virtio_console.h"

/* In the order in which the driver is told. */
enum {
	PENDING_ADD = 1 << 0,
	PENDING_CONSOLE = 1 << 1,
	PENDING_NAME = 1 << 2,
	PENDING_OPEN = 1 << 3,
	PENDING_SIZE = 1 << 4,
	PENDING_ALL = (1 << 5) - 1,
};

#define CONTROL_TEXT	64

struct control_message {
	struct virtio_console_control head;	/* little-endian */
	union {
		/* Linux before 2025 took them for rows and columns. */
		struct {
			uint16_t cols, rows;
		} size;
		char name[CONTROL_TEXT];	/* without a zero */
	};
};

/* Words what @bit stands for. Returns the message's length; 0: it means nothing any more. */
static size_t control_word(const struct console_port *port, unsigned int bit,
			   struct control_message *msg)
{
	uint16_t event = VIRTIO_CONSOLE_PORT_ADD, value = 1, cols, rows;
	size_t more = 0;

	switch (bit) {
	case PENDING_CONSOLE:
		event = VIRTIO_CONSOLE_CONSOLE_PORT;
		break;
	case PENDING_NAME:
		event = VIRTIO_CONSOLE_PORT_NAME;
		more = strnlen(port->name, sizeof(msg->name));
		memcpy(msg->name, port->name, more);
		break;
	case PENDING_OPEN:
		event = VIRTIO_CONSOLE_PORT_OPEN;
		/* A console is always read: what nobody reads is kept. */
		value = !port->name || chardev_is_attached(port->chr);
		break;
	case PENDING_SIZE:
		event = VIRTIO_CONSOLE_RESIZE;
		if (!chardev_size(port->chr, &cols, &rows))
			return 0;
		msg->size.rows = htole16(rows);
		msg->size.cols = htole16(cols);
		more = sizeof(msg->size);
		break;
	}
	msg->head = (struct virtio_console_control){
		.id = htole32(port->id), .event = htole16(event), .value = htole16(value),
	};
	return sizeof(msg->head) + more;
}

/* The next thing that a driver is to be told, which is forgotten; or NULL. */
static struct console_port *control_next(struct virtio_console *con, unsigned int *bit)
{
	for (unsigned int i = 0; i < con->nr_ports; i++) {
		struct console_port *port = &con->port[i];

		*bit = port->pending & -port->pending;
		if (*bit) {
			port->pending &= ~*bit;
			return port;
		}
	}
	return NULL;
}

/* Takes a buffer for a message. */
static bool control_buffer(struct virtio_console *con)
{
	struct virtio_device *vdev = &con->vdev;

	while (!virtio_pop(vdev, CONSOLE_CONTROL_RX, con->control))
		if (!virtio_running(vdev) || !virtq_notify_on(&vdev->vq[CONSOLE_CONTROL_RX]))
			return false;
	return true;
}

void console_control_send(struct virtio_console *con)
{
	struct virtio_device *vdev = &con->vdev;
	struct control_message msg;
	struct console_port *port;
	unsigned int bit;
	size_t len;

	if (!virtio_running(vdev) || !console_is_controlled(con))
		return;
	while ((port = control_next(con, &bit))) {
		len = control_word(port, bit, &msg);
		if (!len)
			continue;
		if (!control_buffer(con)) {
			port->pending |= bit;
			break;
		}
		if (con->control->write_len < len) {
			virtio_fail(vdev, "a buffer for a control message is too small");
			break;
		}
		virtq_chain_write(con->control, 0, &msg, len);
		virtq_push(&vdev->vq[CONSOLE_CONTROL_RX], con->control, len);
	}
	virtio_signal(vdev, CONSOLE_CONTROL_RX);
}

static void control_ready(struct console_port *port, bool ready)
{
	port->ready = ready;
	port->pending = 0;
	if (!ready)
		return;
	/* A program's port that nobody is at stays closed, as it is at first. */
	port->pending = port->name ? PENDING_NAME : PENDING_CONSOLE | PENDING_OPEN | PENDING_SIZE;
	if (chardev_is_attached(port->chr))
		port->pending |= PENDING_OPEN;
}

static void control_open(struct console_port *port, bool open)
{
	port->open = open;
	chardev_set_open(port->chr, open);
	if (open)
		chardev_rx_ready(port->chr);
}

/* What the driver says of a port that there is not, and what nobody knows, means nothing. */
static void control_take(struct virtio_console *con, const struct virtio_console_control *head)
{
	uint32_t id = le32toh(head->id);
	bool value = le16toh(head->value);
	unsigned int event = le16toh(head->event);

	if (event == VIRTIO_CONSOLE_DEVICE_READY) {
		for (unsigned int i = 0; value && i < con->nr_ports; i++)
			con->port[i].pending = PENDING_ADD;
		return;
	}
	if (id >= con->nr_ports)
		return;
	if (event == VIRTIO_CONSOLE_PORT_READY)
		control_ready(&con->port[id], value);
	else if (event == VIRTIO_CONSOLE_PORT_OPEN)
		control_open(&con->port[id], value);
}

void console_control_receive(struct virtio_console *con)
{
	struct virtio_device *vdev = &con->vdev;
	struct virtqueue *vq = &vdev->vq[CONSOLE_CONTROL_TX];
	struct virtio_console_control head;
	unsigned int chains = CONSOLE_CHAINS;

	if (!console_is_controlled(con))
		return;
	virtq_notify_off(vq);
	for (;;) {
		if (!chains--) {
			virtio_kick_self(vdev, CONSOLE_CONTROL_TX);
			break;
		}
		if (!virtio_pop(vdev, CONSOLE_CONTROL_TX, con->control)) {
			if (!virtio_running(vdev) || !virtq_notify_on(vq))
				break;
			continue;
		}
		if (virtq_chain_read(con->control, 0, &head, sizeof(head)) == sizeof(head))
			control_take(con, &head);
		virtq_push(vq, con->control, 0);
	}
	virtio_signal(vdev, CONSOLE_CONTROL_TX);
	console_control_send(con);
}

void console_control_tell_open(struct console_port *port)
{
	if (!port->ready || !port->name)
		return;
	port->pending |= PENDING_OPEN;
	console_control_send(port->con);
}

void console_control_tell_size(struct console_port *port)
{
	if (!port->ready || port->name)
		return;
	port->pending |= PENDING_SIZE;
	console_control_send(port->con);
}

void console_control_reset(struct virtio_console *con)
{
	for (unsigned int i = 0; i < con->nr_ports; i++) {
		con->port[i].ready = con->port[i].open = false;
		con->port[i].pending = 0;
		chardev_set_open(con->port[i].chr, false);
	}
}

/* ---- Snapshots ---- */

/* What is left of a name in a record: its length, and so many bytes. */
static void control_save_name(const struct console_port *port, struct record *r)
{
	uint8_t len = port->name ? strlen(port->name) : 0;

	record_put(r, &len, sizeof(len));
	record_put(r, port->name, len);
}

static int control_check_name(const struct console_port *port, struct record *r)
{
	char name[CONTROL_TEXT + 1] = "";
	uint8_t len;

	if (record_get(r, &len, sizeof(len)))
		return r->ret;
	if (len > CONTROL_TEXT)
		return record_refuse(r, "a port's name is too long");
	if (record_get(r, name, len))
		return r->ret;
	if (strcmp(name, port->name ? port->name : ""))
		return record_refuse(r, "its port %u was %s, and is %s (--console)", port->id,
				     *name ? name : "a console",
				     port->name ? port->name : "a console");
	return 0;
}

static const struct record_field control_state[] = {
	RECORD_FIELD(struct console_port, tx_before, UINT32_MAX),
	RECORD_FIELD(struct console_port, ready, 1),
	RECORD_FIELD(struct console_port, open, 1),
	RECORD_FIELD(struct console_port, pending, PENDING_ALL),
};

void console_control_save(struct virtio_console *con, struct record *r)
{
	for (unsigned int i = 0; i < con->nr_ports; i++) {
		struct console_port saved = con->port[i];

		if (saved.tx_held)
			saved.tx_before = saved.tx_done;
		control_save_name(&saved, r);
		record_put_fields(r, &saved, control_state, RECORD_NR(control_state));
	}
}

int console_control_restore(struct virtio_console *con, struct record *r)
{
	for (unsigned int i = 0; i < con->nr_ports; i++) {
		struct console_port *port = &con->port[i];

		if (control_check_name(port, r) ||
		    record_get_fields(r, port, control_state, RECORD_NR(control_state)))
			return r->ret;
		/* A console has no name to be told, and a port of a program is none. */
		port->pending &= port->name ? ~PENDING_CONSOLE : ~PENDING_NAME;
		chardev_set_open(port->chr, port->open);
	}
	return 0;
}
