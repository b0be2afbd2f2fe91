// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "boot/dtb.h"
#include "core/machine_private.h"
#include "core/message.h"

#define MACHINE_DTB_SIZE	(64 << 10)	/* room of loader.c for a tree of our own */
#define MACHINE_BUTTON_MS	300
#define MACHINE_WARNINGS	10		/* a second */
#define MACHINE_NR_IRQS		(32 + MACHINE_NR_SPIS)

/* At the guest's first instruction: SVC mode, A32, A, I and F masked (DDI 0406C B1.3.3). */
#define CPSR_START		0x1d3
#define CPSR_T			0x20

/* ---- What devices ask for ---- */

static void machine_irq(void *opaque, unsigned int spi, bool level)
{
	struct machine *m = opaque;

	if (m->priv->vm)
		armvmm_irq_set_spi(m->priv->vm, spi, level);
}

int machine_irqline_init(struct machine *m, struct irqline *line, unsigned int spi)
{
	if (spi >= MACHINE_NR_SPIS)
		return -EINVAL;
	if (m->priv->line[spi])
		return -EBUSY;
	m->priv->line[spi] = line;
	*line = (struct irqline){ .spi = spi, .sink = machine_irq, .opaque = m };
	return 0;
}

int machine_virtio_slot(struct machine *m)
{
	return m->priv->nr_virtio < MACHINE_VIRTIO_SLOTS ? (int)m->priv->nr_virtio++ : -ENOSPC;
}

/*
 * Kept in a list as well, for the VM that a reset makes. KVM_IOEVENTFD finds its
 * address in the tables of a VM that has no vCPU yet just as well.
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

void machine_request(struct machine *m, enum machine_request request, const char *why)
{
	struct machine_private *p = m->priv;

	pthread_mutex_lock(&p->lock);
	if (p->request == MACHINE_NONE || request == MACHINE_QUIT) {
		p->request = request;
		snprintf(p->why, sizeof(p->why), "%s", why ? why : "");
	}
	pthread_mutex_unlock(&p->lock);
	g_main_context_wakeup(m->context);
}

static bool machine_may_warn(struct machine_private *p)
{
	struct timespec now;
	bool may;

	clock_gettime(CLOCK_MONOTONIC, &now);
	pthread_mutex_lock(&p->lock);
	if (p->warn_window != (uint64_t)now.tv_sec) {
		p->warn_window = now.tv_sec;
		p->warn_count = 0;
	}
	may = p->warn_count < MACHINE_WARNINGS;
	p->warn_count++;
	pthread_mutex_unlock(&p->lock);
	return may;
}

void machine_warn(struct machine *m, const char *fmt, ...)
{
	va_list ap;

	if (!machine_may_warn(m->priv))
		return;
	va_start(ap, fmt);
	message_va(fmt, ap);
	va_end(ap);
}

void machine_note(struct machine *m, const char *fmt, ...)
{
	va_list ap;

	if (!m->verbose || !machine_may_warn(m->priv))
		return;
	va_start(ap, fmt);
	message_va(fmt, ap);
	va_end(ap);
}

static gboolean machine_release_power(void *opaque)
{
	struct machine *m = opaque;

	m->priv->button_timer = 0;
	pl061_button(m->priv->button, false);
	return G_SOURCE_REMOVE;
}

void machine_press_power(struct machine *m)
{
	struct machine_private *p = m->priv;

	if (p->button_timer)
		return;
	pl061_button(p->button, true);
	p->button_timer = g_timeout_add(MACHINE_BUTTON_MS, machine_release_power, m);
}

/* ---- Making one ---- */

static int machine_open_vm(struct machine *m, struct error *err)
{
	struct machine_private *p = m->priv;
	const char *device = p->config->device ? p->config->device : "/dev/armvmm";
	int ret = armvmm_vm_open(device, &p->vm);

	switch (ret) {
	case 0:
		p->vm_fresh = true;
		return 0;
	case -ENOENT:
	case -ENXIO:
	case -ENODEV:
		return error_set(err, ret, "%s: %s: is the module loaded (modprobe armvmm)?", device,
				 strerror(-ret));
	case -EACCES:
	case -EPERM:
		return error_set(err, ret, "%s: %s: its group is usually kvm", device,
				 strerror(-ret));
	case -ENOTTY:
	case -EISDIR:
		return error_set(err, ret, "%s: is no hypervisor's device node", device);
	case -EPROTONOSUPPORT:
		return error_set(err, ret,
				 "%s: speaks version %d of the KVM interface, and version %d is needed",
				 device, armvmm_device_version(device), ARMVMM_API_VERSION);
	default:
		return error_errno(err, ret, "%s", device);
	}
}

static int machine_create_devices(struct machine *m, struct error *err)
{
	const struct config *config = m->priv->config;
	int ret;

	ret = pl011_create(m, err);
	if (!ret)
		ret = pl031_create(m, err);
	if (!ret)
		ret = pl061_create_button(m, &m->priv->button, err);
	for (unsigned int i = 0; !ret && i < config->nr_disks; i++)
		ret = virtio_blk_create(m, &config->disk[i], err);
	for (unsigned int i = 0; !ret && i < config->nr_nets; i++)
		ret = virtio_net_create(m, &config->net[i], err);
	if (!ret && config->virtio_console)
		ret = virtio_console_create(m, err);
	if (!ret && config->rng)
		ret = virtio_rng_create(m, err);
	return ret;
}

int machine_create(struct machine **out, const struct config *config, struct chardev *chr,
		   struct error *err)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct machine_private *p = calloc(1, sizeof(*p));
	int ret;

	*out = NULL;
	if (!m || !p) {
		free(m);
		free(p);
		return error_errno(err, -ENOMEM, "machine");
	}
	m->priv = p;
	m->chardev = chr;
	m->verbose = config->verbose;
	p->config = config;
	p->pmu = config->pmu == PMU_ON;
	p->loader.kernel.fd = p->loader.initrd.fd = p->loader.dtb.fd = -1;
	pthread_mutex_init(&p->lock, NULL);

	ret = loader_open(&p->loader, config, MACHINE_RAM_BASE, config->memory, err);
	if (!ret && !config->dump_dtb)
		ret = machine_open_vm(m, err);
	if (!ret)
		ret = machine_create_devices(m, err);
	if (ret) {
		machine_destroy(m);
		return ret;
	}
	*out = m;
	return 0;
}

void machine_destroy(struct machine *m)
{
	if (!m)
		return;
	if (m->priv->button_timer)
		g_source_remove(m->priv->button_timer);
	device_bus_destroy(&m->bus);
	armvmm_vm_close(m->priv->vm);
	guestmem_destroy(&m->mem);
	loader_close(&m->priv->loader);
	pthread_mutex_destroy(&m->priv->lock);
	free(m->priv);
	free(m);
}

/* ---- Device tree ---- */

/* Into @buf of @size bytes. Returns its length or -errno. */
static int machine_make_dtb(struct machine *m, void *buf, size_t size, const char *cpu,
			    struct error *err)
{
	const struct config *config = m->priv->config;
	const struct loader *loader = &m->priv->loader;
	struct dtb_params params = {
		.nr_cpus = config->nr_cpus,
		.cpu = cpu,
		.ram_base = loader->ram_base,
		.ram_size = loader->ram_size,
		.bootargs = config->append,
		.initrd_gpa = loader->initrd_gpa,
		.initrd_size = loader->initrd.size,
		.pmu = m->priv->pmu,
	};
	int ret;

	if (getrandom(params.rng_seed, sizeof(params.rng_seed), GRND_NONBLOCK) < 0 ||
	    getrandom(&params.kaslr_seed, sizeof(params.kaslr_seed), GRND_NONBLOCK) < 0)
		machine_note(m, "the host has no random numbers yet, so the guest gets no seed");
	if (!loader->dtb.name)
		return dtb_build(buf, size, &params, &m->bus, err);
	ret = loader_read_dtb(loader, buf, size, err);
	if (ret < 0)
		return ret;
	return dtb_complete(buf, ret, size, &params, loader->dtb.name, err);
}

int machine_dump_dtb(struct machine *m, const char *path, struct error *err)
{
	size_t size = m->priv->loader.dtb_room;
	void *buf = malloc(size);
	FILE *file = NULL;
	int ret, len;

	if (!buf)
		return error_errno(err, -ENOMEM, "%s", path);
	len = machine_make_dtb(m, buf, size, dtb_cpu(0), err);
	ret = len < 0 ? len : 0;
	if (!ret) {
		file = fopen(path, "we");
		if (!file || fwrite(buf, 1, len, file) != (size_t)len)
			ret = error_errno(err, -errno, "%s", path);
	}
	if (file && fclose(file) && !ret)
		ret = error_errno(err, -errno, "%s", path);
	free(buf);
	return ret;
}

/* ---- Starting the guest ---- */

static int machine_choose_pmu(struct machine *m, struct error *err)
{
	struct machine_private *p = m->priv;
	bool has = armvmm_vm_has_pmu(p->vm);

	if (p->config->pmu == PMU_ON && !has)
		return error_set(err, -ENODEV,
				 "--pmu on: the host has no counters for guests (dmesg | grep PMU tells why)");
	p->pmu = has && p->config->pmu != PMU_OFF;
	return 0;
}

static int machine_setup_vm(struct machine *m, struct error *err)
{
	struct machine_private *p = m->priv;
	unsigned int i;
	int ret;

	p->nr_vcpus = 0;
	if (!p->vm_fresh) {
		/*
		 * A reset takes a new VM: everything that the kernel knows of
		 * the old one (GIC, timers, vCPUs) is gone with certainty.
		 */
		armvmm_vm_close(p->vm);
		p->vm = NULL;
		ret = machine_open_vm(m, err);
		if (ret)
			return ret;
		for (i = 0; i < p->nr_ioeventfds; i++) {
			struct machine_ioeventfd *e = &p->ioeventfd[i];

			ret = armvmm_ioeventfd_add(p->vm, e->fd, e->gpa, e->len, &e->value);
			if (ret)
				return error_errno(err, ret, "ioeventfd");
		}
	}
	p->vm_fresh = false;
	ret = machine_choose_pmu(m, err);
	if (ret)
		return ret;

	for (i = 0; i < m->mem.nr_regions; i++) {
		const struct guestmem_region *r = &m->mem.region[i];

		ret = armvmm_vm_memory_set(p->vm, i, r->gpa, r->size, r->host, 0);
		if (ret)
			return error_errno(err, ret, "--memory: the hypervisor refuses it");
	}
	ret = armvmm_gic_create(p->vm, MACHINE_GICD_BASE, MACHINE_GICC_BASE, MACHINE_NR_IRQS);
	if (ret)
		return error_errno(err, ret, "interrupt controller");
	for (i = 0; i < p->config->nr_cpus; i++) {
		struct vcpu *vcpu = &p->vcpu[i];

		*vcpu = (struct vcpu){ .m = m };
		ret = armvmm_vcpu_create(p->vm, i, &vcpu->handle);
		if (!ret)
			ret = armvmm_vcpu_init(vcpu->handle, ARMVMM_VCPU_PSCI_0_2 |
							     (p->pmu ? ARMVMM_VCPU_PMU : 0) |
							     (i ? ARMVMM_VCPU_POWER_OFF : 0));
		if (ret)
			return error_errno(err, ret, "vCPU %u", i);
		p->nr_vcpus++;
	}
	ret = armvmm_gic_init(p->vm);
	if (ret)
		return error_errno(err, ret, "interrupt controller");
	for (i = 0; p->pmu && i < p->nr_vcpus; i++) {
		ret = armvmm_vcpu_pmu_init(p->vcpu[i].handle, MACHINE_PMU_INTID);
		if (ret)
			return error_errno(err, ret, "vCPU %u: performance counters", i);
	}
	return 0;
}

/* The boot protocol: r0 = 0, r1 = any machine, r2 = device tree. The others are in reset state. */
static int machine_setup_boot_cpu(struct machine *m, struct error *err)
{
	const struct loader *loader = &m->priv->loader;
	struct armvmm_vcpu *handle = m->priv->vcpu[0].handle;
	uint32_t entry = loader->image.entry;
	const struct {
		const char *name;
		uint64_t value;
	} regs[] = {
		{ "r0", 0 },
		{ "r1", UINT32_MAX },
		{ "r2", loader->dtb_gpa },
		{ "cpsr", CPSR_START | (entry & 1 ? CPSR_T : 0) },
		{ "pc", entry & ~1u },
	};

	for (unsigned int i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		int ret = armvmm_vcpu_reg_set(handle, regs[i].name, regs[i].value);

		if (ret)
			return error_errno(err, ret, "vCPU 0: %s", regs[i].name);
	}
	return 0;
}

static int machine_start(struct machine *m, struct error *err)
{
	struct machine_private *p = m->priv;
	uint64_t midr = 0;
	void *dtb;
	int ret;

	ret = machine_setup_vm(m, err);
	if (ret)
		return ret;
	ret = loader_load(&p->loader, &m->mem, err);
	if (ret)
		return ret;

	/* Built where it belongs: the memory reads as zero, and nobody else looks yet. */
	dtb = guestmem_ptr(&m->mem, p->loader.dtb_gpa, p->loader.dtb_room);
	if (!dtb)
		return error_set(err, -EFAULT, "--memory: has no room for the device tree");
	armvmm_vcpu_reg_get(p->vcpu[0].handle, "midr", &midr);
	ret = machine_make_dtb(m, dtb, p->loader.dtb_room, dtb_cpu(midr), err);
	if (ret < 0)
		return ret;
	ret = machine_setup_boot_cpu(m, err);
	if (ret)
		return ret;

	__atomic_store_n(&p->stopping, false, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < p->nr_vcpus; i++) {
		ret = vcpu_start(&p->vcpu[i]);
		if (ret)
			return error_errno(err, ret, "vCPU %u: thread", i);
	}
	return 0;
}

/* Everything as at power-on, but for what a new VM brings. No vCPU runs. */
static void machine_reset(struct machine *m)
{
	device_bus_reset(&m->bus);
	for (unsigned int i = 0; i < MACHINE_NR_SPIS; i++)
		if (m->priv->line[i])
			m->priv->line[i]->level = false;
	guestmem_discard(&m->mem);
}

static enum machine_request machine_requested(struct machine *m)
{
	enum machine_request request;

	pthread_mutex_lock(&m->priv->lock);
	request = m->priv->request;
	pthread_mutex_unlock(&m->priv->lock);
	return request;
}

/*
 * With the vCPUs stopped, what they asked for while they ran is over: two that
 * reset the machine at once reset it once. A person's wish to leave is not.
 */
static enum machine_request machine_take_request(struct machine *m)
{
	enum machine_request request;

	pthread_mutex_lock(&m->priv->lock);
	request = m->priv->request;
	if (request != MACHINE_QUIT)
		m->priv->request = MACHINE_NONE;
	pthread_mutex_unlock(&m->priv->lock);
	return request;
}

int machine_run(struct machine *m, enum machine_request *ended, struct error *err)
{
	struct machine_private *p = m->priv;
	int ret;

	vcpu_setup();
	ret = guestmem_alloc(&m->mem, MACHINE_RAM_BASE, p->config->memory);
	if (ret)
		return error_errno(err, ret, "--memory: %llu MiB",
				   (unsigned long long)p->config->memory >> 20);

	for (;;) {
		enum machine_request request;

		ret = machine_start(m, err);
		while (!ret && machine_requested(m) == MACHINE_NONE)
			g_main_context_iteration(m->context, TRUE);
		vcpu_stop_all(m);
		if (ret)
			return ret;
		request = machine_take_request(m);

		if (request == MACHINE_CRASH) {
			message("%s", p->why);
			for (unsigned int i = 0; i < p->nr_vcpus; i++)
				vcpu_dump(&p->vcpu[i]);
		}
		if (request != MACHINE_RESET || p->config->no_reboot) {
			*ended = request;
			return 0;
		}
		machine_note(m, "the guest reboots");
		machine_reset(m);
	}
}
