// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-console with its one port (virtio 1.2 5.3): hvc0 in a Linux guest,
 * joined to the terminal. Neither side is waited for: output that the terminal
 * has no room for stays in the guest's buffer, and input that the guest has no
 * buffer for stays in the kernel.
 */
#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>

#include "core/device_type.h"
#include "core/machine.h"
#include "core/record.h"
#include "virtio/virtio_mmio.h"

#define CONSOLE_QUEUE_SIZE 16
#define CONSOLE_RX 0
#define CONSOLE_TX 1
/*
 * So many chains, or bytes, are sent at a time. A vCPU does it, which others may wait for; and a
 * chain may be as long as the guest likes.
 */
#define CONSOLE_CHAINS CONSOLE_QUEUE_SIZE
#define CONSOLE_BYTES (64 * 1024)

struct virtio_console {
	struct virtio_device vdev; /* first: see virtio_mmio.h */
	struct chardev_client client;
	struct virtq_chain *rx;
	struct virtq_chain *tx;
	bool tx_held; /* @tx was popped and is not wholly written */
	uint32_t tx_done; /* bytes of @tx that are */
	uint32_t tx_before; /* bytes of the next chain that were written before a restore */
};

static struct virtio_console *to_console(struct virtio_device *vdev)
{
	return container_of(vdev, struct virtio_console, vdev);
}

/* Guest to terminal. The lock is held. */

/* Writes what is left of the held chain, while there is *@bytes. Returns true when nothing is. */
static bool console_write_held(struct virtio_console *con, size_t *bytes)
{
	struct virtq_chain *tx = con->tx;
	uint8_t buf[512];

	/* In small copies, so that the guest cannot change what was counted. */
	while (con->tx_done < tx->read_len) {
		size_t size = *bytes < sizeof(buf) ? *bytes : sizeof(buf);
		size_t n = virtq_chain_read(tx, con->tx_done, buf, size);
		size_t taken = chardev_write(con->vdev.machine->chardev, buf, n);

		con->tx_done += taken;
		*bytes -= taken;
		if (taken < n || !*bytes)
			return con->tx_done == tx->read_len;
	}
	return true;
}

static void console_transmit(struct virtio_console *con)
{
	struct virtio_device *vdev = &con->vdev;
	struct virtqueue *vq = &vdev->vq[CONSOLE_TX];
	unsigned int chains = CONSOLE_CHAINS;
	size_t bytes = CONSOLE_BYTES;

	virtq_notify_off(vq);
	for (;;) {
		if (!bytes || (!con->tx_held && !chains--)) {
			virtio_kick_self(vdev, CONSOLE_TX);
			break;
		}
		if (!con->tx_held) {
			if (!virtio_pop(vdev, CONSOLE_TX, con->tx)) {
				if (!virtio_running(vdev) || !virtq_notify_on(vq))
					break;
				continue;
			}
			con->tx_held = true;
			con->tx_done = con->tx_before;
			con->tx_before = 0;
		}
		/* If not, the terminal's tx_room() brings us back, or the next turn. */
		if (!console_write_held(con, &bytes)) {
			if (bytes)
				break;
			continue;
		}
		con->tx_held = false;
		virtq_push(vq, con->tx, 0);
	}
	virtio_signal(vdev, CONSOLE_TX);
}

static void console_tx_room(struct chardev_client *client)
{
	struct virtio_console *con = container_of(client, struct virtio_console, client);

	pthread_mutex_lock(&con->vdev.lock);
	if (con->tx_held && virtio_running(&con->vdev))
		console_transmit(con);
	pthread_mutex_unlock(&con->vdev.lock);
}

/* Terminal to guest */

static size_t console_rx_room(struct chardev_client *client)
{
	struct virtio_console *con = container_of(client, struct virtio_console, client);
	struct virtio_device *vdev = &con->vdev;
	struct virtqueue *vq = &vdev->vq[CONSOLE_RX];
	size_t room = 0;

	pthread_mutex_lock(&vdev->lock);
	/* Look at the next buffer and leave it where it is. */
	while (virtio_running(vdev)) {
		if (virtio_pop(vdev, CONSOLE_RX, con->rx)) {
			virtq_unpop(vq, 1);
			room = con->rx->write_len;
			if (!room)
				virtio_fail(vdev, "an input buffer is not writable");
			break;
		}
		/* None: the guest's next one will wake us (console_kick()). */
		if (!virtio_running(vdev) || !virtq_notify_on(vq))
			break;
	}
	pthread_mutex_unlock(&vdev->lock);
	return room;
}

static void console_receive(struct chardev_client *client, const uint8_t *buf, size_t len)
{
	struct virtio_console *con = container_of(client, struct virtio_console, client);
	struct virtio_device *vdev = &con->vdev;

	pthread_mutex_lock(&vdev->lock);
	/* Between rx_room() and here a vCPU may have reset us; its input is lost with it. */
	if (virtio_pop(vdev, CONSOLE_RX, con->rx)) {
		len = virtq_chain_write(con->rx, 0, buf, len);
		virtq_push(&vdev->vq[CONSOLE_RX], con->rx, len);
		virtio_signal(vdev, CONSOLE_RX);
	}
	pthread_mutex_unlock(&vdev->lock);
}

/* The device */

static void console_kick(struct virtio_device *vdev, unsigned int index)
{
	if (index == CONSOLE_TX)
		console_transmit(to_console(vdev));
	else
		chardev_rx_ready(vdev->machine->chardev);
}

static void console_reset(struct virtio_device *vdev)
{
	struct virtio_console *con = to_console(vdev);

	con->tx_held = false;
	con->tx_done = con->tx_before = 0;
}

/* ---- Snapshots ---- */

static unsigned int console_held(struct virtio_device *vdev, unsigned int index)
{
	return index == CONSOLE_TX && to_console(vdev)->tx_held;
}

static void console_save(struct virtio_device *vdev, struct record *r)
{
	struct virtio_console *con = to_console(vdev);
	uint32_t done = con->tx_held ? con->tx_done : con->tx_before;

	record_put(r, &done, sizeof(done));
}

static int console_restore(struct virtio_device *vdev, struct record *r)
{
	return record_get(r, &to_console(vdev)->tx_before, sizeof(uint32_t));
}

static void console_free(struct virtio_console *con)
{
	free(con->rx);
	free(con->tx);
}

static void console_destroy(struct virtio_device *vdev)
{
	console_free(to_console(vdev));
}

/* cols and rows (virtio 1.2 5.3.4). */
struct console_size {
	uint16_t cols, rows;
};

static bool console_size(struct machine *m, struct console_size *size)
{
	uint16_t cols, rows;

	if (!chardev_size(m->chardev, &cols, &rows))
		return false;
	*size = (struct console_size){ htole16(cols), htole16(rows) };
	return true;
}

static void console_resized(struct chardev_client *client)
{
	struct virtio_console *con = container_of(client, struct virtio_console, client);
	struct virtio_device *vdev = &con->vdev;
	struct console_size size;

	if (!(vdev->offered & VIRTIO_BIT(VIRTIO_CONSOLE_F_SIZE)) ||
	    !console_size(vdev->machine, &size))
		return;
	pthread_mutex_lock(&vdev->lock);
	virtio_config_set(vdev, 0, &size, sizeof(size));
	pthread_mutex_unlock(&vdev->lock);
}

/* The terminal of a restored guest may have another size, and room for what was held. */
static void console_resumed(struct virtio_device *vdev)
{
	struct virtio_console *con = to_console(vdev);
	struct console_size size;

	if (vdev->offered & VIRTIO_BIT(VIRTIO_CONSOLE_F_SIZE) &&
	    console_size(vdev->machine, &size) && memcmp(vdev->config, &size, sizeof(size)))
		virtio_config_set(vdev, 0, &size, sizeof(size));
	if (con->tx_held && virtio_running(vdev))
		console_transmit(con);
}

static const struct virtio_ops virtio_console_ops = {
	.name = "virtio-console",
	.id = VIRTIO_ID_CONSOLE,
	.nr_queues = 2,
	.queue_size = CONSOLE_QUEUE_SIZE,
	.reset = console_reset,
	.kick = console_kick,
	/* Linux waits for each piece of its output, in a loop. */
	.kicked_by_vcpu = 1u << CONSOLE_TX,
	.held = console_held,
	.save = console_save,
	.restore = console_restore,
	.resumed = console_resumed,
	.destroy = console_destroy,
};

static int console_create(struct machine *m, const void *config, struct error *err)
{
	struct console_size size;
	bool sized = console_size(m, &size);
	struct virtio_console *con;
	int ret;

	con = calloc(1, sizeof(*con));
	if (!con)
		return error_errno(err, -ENOMEM, "virtio-console");
	con->client.rx_room = console_rx_room;
	con->client.receive = console_receive;
	con->client.tx_room = console_tx_room;
	con->client.resized = console_resized;
	con->rx = virtq_chain_alloc(CONSOLE_QUEUE_SIZE);
	con->tx = virtq_chain_alloc(CONSOLE_QUEUE_SIZE);
	con->vdev.bus = config;
	if (con->rx && con->tx)
		ret = virtio_device_register(m, &con->vdev, &virtio_console_ops,
					     sized ? VIRTIO_BIT(VIRTIO_CONSOLE_F_SIZE) : 0, &size,
					     sized ? sizeof(size) : 0, err);
	else
		ret = error_errno(err, -ENOMEM, "virtio-console");
	if (ret < 0) {
		console_free(con);
		free(con);
		return ret;
	}
	chardev_attach(m->chardev, &con->client);
	return 0;
}

/*
 * --console names the kind, of which there is one; --device virtio-console has named it already.
 * The config is the bus that it is on.
 */
static int console_parse(const char *label, const char *args, void **config, struct error *err)
{
	static const char kind[] = "virtio";
	const struct virtio_bus *bus = NULL;
	int ret;

	if (args && !strncmp(args, kind, strlen(kind)) && strchr(",", args[strlen(kind)]))
		args += strlen(kind) + (args[strlen(kind)] == ',');
	if (!args || !*args)
		return 0;
	ret = virtio_bus_parse(args, label, &bus, err);
	*config = (void *)bus;
	return ret == -ENOENT ? error_set(err, -EINVAL, "%s: must be virtio", label) : ret;
}

static const struct device_word console_words[] = {
	VIRTIO_BUS_WORD,
	{ NULL, NULL },
};

static const struct device_type console_type = {
	.name = "virtio-console",
	.summary = "console that gets the terminal's input",
	.option = "console",
	.args = "virtio",
	.words = console_words,
	.max = 1,
	.order = 40,
	.parse = console_parse,
	.create = console_create,
};
DEVICE_TYPE(console_type);
