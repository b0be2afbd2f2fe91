// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arch/gic.h"
#include "core/machine_private.h"
#include "core/message.h"

/* ---- What devices ask for ---- */

static void machine_irq(void *opaque, unsigned int spi, bool level)
{
	struct machine *m = opaque;

	if (m->priv->vm)
		armvmm_irq_set_spi(m->priv->vm, spi, level);
}

int machine_irqline_init(struct machine *m, struct irqline *line, unsigned int spi)
{
	if (spi >= MAP_NR_SPIS)
		return -EINVAL;
	if (m->priv->line[spi])
		return -EBUSY;
	m->priv->line[spi] = line;
	*line = (struct irqline){ .spi = spi, .sink = machine_irq, .opaque = m };
	return 0;
}

int machine_virtio_slot(struct machine *m)
{
	return m->priv->nr_virtio < m->type->virtio.slots ? (int)m->priv->nr_virtio++ : -ENOSPC;
}

/*
 * Also keeps the event in a list, for the VM that a reset makes. KVM_IOEVENTFD works as well on a
 * VM that has no vCPU yet.
 */
int machine_ioeventfd_add(struct machine *m, uint64_t gpa, unsigned int len, uint64_t value,
			  int fd)
{
	struct machine_private *p = m->priv;
	int ret;

	if (!p->vm || p->nr_ioeventfds == MACHINE_MAX_IOEVENTFDS)
		return -ENOTSUP;
	ret = armvmm_ioeventfd_add(p->vm, fd, gpa, len, &value);
	if (ret)
		return -ENOTSUP;
	p->ioeventfd[p->nr_ioeventfds++] = (struct machine_ioeventfd){
		.gpa = gpa, .value = value, .len = len, .fd = fd,
	};
	return 0;
}

void machine_ioeventfd_del(struct machine *m, int fd)
{
	struct machine_private *p = m->priv;

	for (unsigned int i = 0; i < p->nr_ioeventfds;) {
		struct machine_ioeventfd *e = &p->ioeventfd[i];

		if (e->fd != fd) {
			i++;
			continue;
		}
		if (p->vm)
			armvmm_ioeventfd_del(p->vm, fd, e->gpa, e->len, &e->value);
		*e = p->ioeventfd[--p->nr_ioeventfds];
	}
}

int machine_rom_slot(struct machine *m)
{
	if (m->priv->nr_roms == MACHINE_MAX_ROMS)
		return -ENOSPC;
	return GUESTMEM_MAX_REGIONS + m->priv->nr_roms++;
}

int machine_rom_set(struct machine *m, int slot, uint64_t gpa, uint64_t size, const void *host)
{
	struct machine_private *p = m->priv;

	p->rom[slot - GUESTMEM_MAX_REGIONS].gpa = gpa;
	p->rom[slot - GUESTMEM_MAX_REGIONS].size = size;
	p->rom[slot - GUESTMEM_MAX_REGIONS].host = host;
	return p->vm ? armvmm_vm_memory_set(p->vm, slot, gpa, size, (void *)host,
					    size ? ARMVMM_MEMORY_READONLY : 0) : 0;
}

int machine_rom_read(struct machine *m, uint64_t gpa, void *buf, size_t len)
{
	for (unsigned int i = 0; i < m->priv->nr_roms; i++) {
		uint64_t offset = gpa - m->priv->rom[i].gpa, size = m->priv->rom[i].size;

		if (gpa < m->priv->rom[i].gpa || offset >= size || len > size - offset)
			continue;
		memcpy(buf, m->priv->rom[i].host + offset, len);
		return 0;
	}
	return -EFAULT;
}

void machine_request(struct machine *m, enum machine_request request, enum machine_cause cause,
		     const char *why)
{
	struct machine_private *p = m->priv;

	pthread_mutex_lock(&p->lock);
	if (p->request == MACHINE_NONE || request == MACHINE_QUIT) {
		p->request = request;
		p->cause = cause;
		snprintf(p->why, sizeof(p->why), "%s", why ? why : "");
	}
	pthread_mutex_unlock(&p->lock);
	g_main_context_wakeup(m->context);
}

static bool machine_may_say(struct machine_private *p, const char *fmt)
{
	struct timespec now;
	bool may;

	clock_gettime(CLOCK_MONOTONIC, &now);
	pthread_mutex_lock(&p->lock);
	may = budget_take(&p->budget, fmt, (uint64_t)now.tv_sec + 1);
	pthread_mutex_unlock(&p->lock);
	return may;
}

void machine_warn(struct machine *m, const char *fmt, ...)
{
	va_list ap;

	if (!machine_may_say(m->priv, fmt))
		return;
	va_start(ap, fmt);
	message_va(fmt, ap);
	va_end(ap);
}

void machine_note(struct machine *m, const char *fmt, ...)
{
	va_list ap;

	if (!m->verbose || !machine_may_say(m->priv, fmt))
		return;
	va_start(ap, fmt);
	message_va(fmt, ap);
	va_end(ap);
}

/* ---- What the board asks for ---- */

int machine_init(struct machine *m)
{
	m->priv = calloc(1, sizeof(*m->priv));
	if (!m->priv)
		return -ENOMEM;
	pthread_mutex_init(&m->priv->lock, NULL);
	pthread_mutex_init(&m->priv->posted_lock, NULL);
	m->priv->posted_timer = -1;
	return 0;
}

void machine_exit(struct machine *m)
{
	device_bus_destroy(&m->bus);
	guestmem_destroy(&m->mem);
	pthread_mutex_destroy(&m->priv->lock);
	pthread_mutex_destroy(&m->priv->posted_lock);
	free(m->priv);
	m->priv = NULL;
}

static void machine_unpin(void *opaque, uint64_t gpa, uint64_t size)
{
	struct machine *m = opaque;
	int ret = armvmm_vm_unpin(m->priv->vm, gpa, size);

	if (ret)
		machine_warn(m, "the guest's pages at 0x%" PRIx64 " were not given back: %s", gpa,
			     strerror(-ret));
}

int machine_connect(struct machine *m, struct armvmm_vm *vm)
{
	struct machine_private *p = m->priv;

	posted_drain(m);
	p->vm = vm;
	posted_disconnected(m);
	m->mem.pinned = vm && armvmm_vm_pins_memory(vm);
	m->mem.unpin = m->mem.pinned && armvmm_vm_can_unpin(vm) ? machine_unpin : NULL;
	m->mem.unpin_opaque = m;
	for (unsigned int i = 0; vm && i < p->nr_ioeventfds; i++) {
		struct machine_ioeventfd *e = &p->ioeventfd[i];
		int ret = armvmm_ioeventfd_add(vm, e->fd, e->gpa, e->len, &e->value);

		if (ret)
			return ret;
	}
	return 0;
}

void machine_reset(struct machine *m)
{
	posted_drain(m);
	device_bus_reset(&m->bus);
	for (unsigned int i = 0; i < MAP_NR_SPIS; i++)
		if (m->priv->line[i])
			m->priv->line[i]->level = false;
	guestmem_discard(&m->mem);
}

/* A register has two bits for each interrupt: 2 is edge-triggered (IHI 0048B 4.3.13). */
static int machine_is_edge(struct machine *m, unsigned int spi, bool *edge)
{
	unsigned int intid = 32 + spi;
	uint32_t config = 0;
	int ret = armvmm_gic_reg_get(m->priv->vm, ARMVMM_GIC_DIST, 0, GICD_ICFGR + intid / 16 * 4,
				     &config);

	*edge = config >> intid % 16 * 2 & 2;
	return ret;
}

int machine_raise_lines(struct machine *m)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < MAP_NR_SPIS; i++) {
		const struct irqline *line = m->priv->line[i];
		bool edge;

		if (!line || !line->level)
			continue;
		ret = machine_is_edge(m, i, &edge);
		if (!ret && !edge)
			ret = armvmm_irq_set_spi(m->priv->vm, i, true);
	}
	return ret;
}

static int machine_set_log(struct machine *m, unsigned int flags)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < m->mem.nr_regions; i++) {
		const struct guestmem_region *r = &m->mem.region[i];

		ret = armvmm_vm_memory_set(m->priv->vm, i, r->gpa, r->size, r->host, flags);
	}
	return ret;
}

/* The kernel forgets its log when that is turned off: what it has goes to ours. */
static int machine_save_log(struct machine *m)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < m->mem.nr_regions; i++) {
		/* The kernel fills whole words of 64 bits. */
		uint32_t *room = calloc(guestmem_log_words(&m->mem.region[i]), sizeof(*room));

		ret = room ? armvmm_vm_dirty_log(m->priv->vm, i, room) : -ENOMEM;
		if (!ret)
			guestmem_log_put(&m->mem, i, room);
		free(room);
	}
	return ret;
}

/* When the log of written pages is turned on, the kernel flushes what the caches hide. */
int machine_sync_memory(struct machine *m)
{
	bool logged = guestmem_is_logged(&m->mem);
	int ret = logged ? machine_save_log(m) : 0, off = 0;

	if (!ret && logged)
		ret = machine_set_log(m, 0);
	if (!ret)
		ret = machine_set_log(m, ARMVMM_MEMORY_LOG_DIRTY);
	if (!logged)
		off = machine_set_log(m, 0);
	/* What was written is not known any more. */
	for (unsigned int i = 0; ret && logged && i < m->mem.nr_regions; i++)
		guestmem_wrote(&m->mem, m->mem.region[i].host, m->mem.region[i].size);
	return ret ? ret : off;
}

int machine_log_start(struct machine *m)
{
	int ret = guestmem_log_start(&m->mem);

	if (!ret)
		ret = machine_set_log(m, ARMVMM_MEMORY_LOG_DIRTY);
	if (ret)
		machine_log_stop(m);
	return ret;
}

void machine_log_stop(struct machine *m)
{
	guestmem_log_stop(&m->mem);
	machine_set_log(m, 0);
}

int machine_log_take(struct machine *m, unsigned int region, uint32_t *bitmap, uint32_t *room)
{
	size_t words = guestmem_log_words(&m->mem.region[region]);
	int ret;

	/* The kernel fills whole words of 64 bits. */
	memset(room, 0, words * sizeof(*room));
	ret = armvmm_vm_dirty_log(m->priv->vm, region, room);
	for (size_t i = 0; !ret && i < words; i++)
		bitmap[i] |= room[i];
	guestmem_log_take(&m->mem, region, bitmap);
	return ret;
}

enum machine_request machine_requested(struct machine *m)
{
	enum machine_request request;

	pthread_mutex_lock(&m->priv->lock);
	request = m->priv->request;
	pthread_mutex_unlock(&m->priv->lock);
	return request;
}

/*
 * The vCPUs are stopped, so what they asked for while they ran is done with: two that reset the
 * machine at once reset it once. A person's wish to leave stays.
 */
enum machine_request machine_take_request(struct machine *m, enum machine_cause *cause)
{
	enum machine_request request;

	pthread_mutex_lock(&m->priv->lock);
	request = m->priv->request;
	*cause = m->priv->cause;
	if (request != MACHINE_QUIT)
		m->priv->request = MACHINE_NONE;
	pthread_mutex_unlock(&m->priv->lock);
	return request;
}
