/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of virtio-console share. */
#ifndef ARMVMM_RUN_VIRTIO_CONSOLE_H
#define ARMVMM_RUN_VIRTIO_CONSOLE_H

#include <linux/virtio_console.h>

#include "core/chardev.h"
#include "core/record.h"
#include "virtio/virtio_mmio.h"

#define CONSOLE_QUEUE_SIZE	16
#define CONSOLE_MAX_PORTS	8
/* So many chains, or control messages, are handled at a time: see console_transmit(). */
#define CONSOLE_CHAINS		CONSOLE_QUEUE_SIZE

/* Port 0 has the first two queues, and the ports from 1 on those behind the control queues. */
#define CONSOLE_CONTROL_RX	2
#define CONSOLE_CONTROL_TX	3
#define CONSOLE_PORT_RX(id)	((id) ? 2 * (id) + 2 : 0)
#define CONSOLE_PORT_TX(id)	(CONSOLE_PORT_RX(id) + 1)
_Static_assert(CONSOLE_PORT_TX(CONSOLE_MAX_PORTS - 1) < VIRTIO_MAX_QUEUES, "all have queues");

struct virtio_console;

struct console_port {
	struct virtio_console *con;
	struct chardev_client client;
	struct chardev *chr;
	const char *name;	/* of a program's port; NULL: it is a console */
	unsigned int id;
	struct virtq_chain *rx, *tx;
	bool tx_held;		/* @tx was popped and is not wholly written */
	uint32_t tx_done;	/* bytes of @tx that are */
	uint32_t tx_before;	/* bytes of the next chain that were written before a restore */
	/* With the control queues alone. */
	bool ready;		/* the driver knows the port */
	bool open;		/* and a program of the guest has opened it */
	uint8_t pending;	/* what the driver is still to be told: see console_control.c */
};

struct virtio_console {
	struct virtio_device vdev;	/* first: see virtio_mmio.h */
	struct virtio_ops ops;		/* its own: it has as many queues as its ports need */
	unsigned int nr_ports;
	struct console_port port[CONSOLE_MAX_PORTS];
	bool multiport;			/* it offers control queues */
	struct virtq_chain *control;
};

static inline struct virtio_console *to_console(struct virtio_device *vdev)
{
	return container_of(vdev, struct virtio_console, vdev);
}

/* Has the driver taken the control queues? Without them there is port 0 alone. */
static inline bool console_is_controlled(const struct virtio_console *con)
{
	return virtio_has(&con->vdev, VIRTIO_CONSOLE_F_MULTIPORT);
}

/* The lock is held for all below. */

/* ---- console_port.c ---- */

/* Allocates what the port needs, and joins it to its back end. Returns 0 or -ENOMEM. */
int console_port_init(struct console_port *port);
void console_port_exit(struct console_port *port);

/* Writes what the guest has sent, as far as the other end takes it. */
void console_port_transmit(struct console_port *port);

/* Writes what waits for room. */
void console_port_go_on(struct console_port *port);

/* ---- console_control.c ---- */

/* The driver has sent messages, or has made room for ours. */
void console_control_receive(struct virtio_console *con);
void console_control_send(struct virtio_console *con);

/* The driver is told, if it knows the port, that the other end has come or gone; or its size. */
void console_control_tell_open(struct console_port *port);
void console_control_tell_size(struct console_port *port);

void console_control_reset(struct virtio_console *con);
void console_control_save(struct virtio_console *con, struct record *r);
int console_control_restore(struct virtio_console *con, struct record *r);

#endif /* ARMVMM_RUN_VIRTIO_CONSOLE_H */
