// SPDX-License-Identifier: GPL-2.0-only
/*
 * A port of virtio-console: two queues, joined to a back end. Neither side is waited for: output
 * that the other end has no room for stays in the guest's buffer, and input that the guest has no
 * buffer for stays in the kernel.
 */
#include <errno.h>
#include <stdlib.h>

#include "virtio/virtio_console.h"

/*
 * So many bytes are sent at a time, too. A vCPU does it, which others may wait for; and a chain
 * may be as long as the guest likes.
 */
#define CONSOLE_BYTES	(64 * 1024)

static struct console_port *to_port(struct chardev_client *client)
{
	return container_of(client, struct console_port, client);
}

/* Has the port queues that the driver knows? */
static bool port_exists(const struct console_port *port)
{
	return virtio_running(&port->con->vdev) &&
	       (!port->id || console_is_controlled(port->con));
}

/* ---- Guest to the other end ---- */

/* Writes what is left of the held chain, while there is *@bytes. Returns true when nothing is. */
static bool port_write_held(struct console_port *port, size_t *bytes)
{
	struct virtq_chain *tx = port->tx;
	uint8_t buf[512];

	/* In small copies, so that the guest cannot change what was counted. */
	while (port->tx_done < tx->read_len) {
		size_t size = *bytes < sizeof(buf) ? *bytes : sizeof(buf);
		size_t n = virtq_chain_read(tx, port->tx_done, buf, size);
		size_t taken = chardev_write(port->chr, buf, n);

		port->tx_done += taken;
		*bytes -= taken;
		if (taken < n || !*bytes)
			return port->tx_done == tx->read_len;
	}
	return true;
}

void console_port_transmit(struct console_port *port)
{
	struct virtio_device *vdev = &port->con->vdev;
	unsigned int index = CONSOLE_PORT_TX(port->id);
	struct virtqueue *vq = &vdev->vq[index];
	unsigned int chains = CONSOLE_CHAINS;
	size_t bytes = CONSOLE_BYTES;

	virtq_notify_off(vq);
	for (;;) {
		if (!bytes || (!port->tx_held && !chains--)) {
			virtio_kick_self(vdev, index);
			break;
		}
		if (!port->tx_held) {
			if (!virtio_pop(vdev, index, port->tx)) {
				if (!virtio_running(vdev) || !virtq_notify_on(vq))
					break;
				continue;
			}
			port->tx_held = true;
			port->tx_done = port->tx_before;
			port->tx_before = 0;
		}
		/* If not, the other end's tx_room() brings us back, or the next turn. */
		if (!port_write_held(port, &bytes)) {
			if (bytes)
				break;
			continue;
		}
		port->tx_held = false;
		virtq_push(vq, port->tx, 0);
	}
	virtio_signal(vdev, index);
}

void console_port_go_on(struct console_port *port)
{
	if (port->tx_held && virtio_running(&port->con->vdev))
		console_port_transmit(port);
}

static void port_tx_room(struct chardev_client *client)
{
	struct console_port *port = to_port(client);

	pthread_mutex_lock(&port->con->vdev.lock);
	console_port_go_on(port);
	pthread_mutex_unlock(&port->con->vdev.lock);
}

/* ---- The other end to the guest ---- */

/* Input for a port that no program has opened would be thrown away by the guest's driver. */
static bool port_listens(const struct console_port *port)
{
	return port_exists(port) && (!console_is_controlled(port->con) || port->open);
}

static size_t port_rx_room(struct chardev_client *client)
{
	struct console_port *port = to_port(client);
	struct virtio_device *vdev = &port->con->vdev;
	unsigned int index = CONSOLE_PORT_RX(port->id);
	struct virtqueue *vq = &vdev->vq[index];
	size_t room = 0;

	pthread_mutex_lock(&vdev->lock);
	/* Look at the next buffer and leave it where it is. */
	while (port_listens(port)) {
		if (virtio_pop(vdev, index, port->rx)) {
			virtq_unpop(vq, 1);
			room = port->rx->write_len;
			if (!room)
				virtio_fail(vdev, "an input buffer is not writable");
			break;
		}
		/* None: the guest's next one will wake us. */
		if (!virtio_running(vdev) || !virtq_notify_on(vq))
			break;
	}
	pthread_mutex_unlock(&vdev->lock);
	return room;
}

static void port_receive(struct chardev_client *client, const uint8_t *buf, size_t len)
{
	struct console_port *port = to_port(client);
	struct virtio_device *vdev = &port->con->vdev;
	unsigned int index = CONSOLE_PORT_RX(port->id);

	pthread_mutex_lock(&vdev->lock);
	/* Between rx_room() and here a vCPU may have reset us; its input is lost with it. */
	if (port_exists(port) && virtio_pop(vdev, index, port->rx)) {
		len = virtq_chain_write(port->rx, 0, buf, len);
		virtq_push(&vdev->vq[index], port->rx, len);
		virtio_signal(vdev, index);
	}
	pthread_mutex_unlock(&vdev->lock);
}

static void port_attached(struct chardev_client *client)
{
	struct console_port *port = to_port(client);

	pthread_mutex_lock(&port->con->vdev.lock);
	console_control_tell_open(port);
	pthread_mutex_unlock(&port->con->vdev.lock);
}

/* ---- Life ---- */

int console_port_init(struct console_port *port)
{
	port->client.rx_room = port_rx_room;
	port->client.receive = port_receive;
	port->client.tx_room = port_tx_room;
	port->client.attached = port_attached;
	port->rx = virtq_chain_alloc(CONSOLE_QUEUE_SIZE);
	port->tx = virtq_chain_alloc(CONSOLE_QUEUE_SIZE);
	return port->rx && port->tx ? 0 : -ENOMEM;
}

void console_port_exit(struct console_port *port)
{
	free(port->rx);
	free(port->tx);
}
