// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/archregs.h"
#include "board.h"
#include "boot/dtb.h"
#include "boot/dtb_adapt.h"
#include "boot/hosttree.h"
#include "boot/loader.h"
#include "chardev/backend.h"
#include "core/chardev_private.h"
#include "core/counter.h"
#include "core/cpupart.h"
#include "core/device_type.h"
#include "core/filelock.h"
#include "core/machine_private.h"
#include "core/message.h"
#include "core/overcommit.h"
#include "core/runstate.h"
#include "fwcfg_items.h"
#include "snapshot/lazy.h"
#include "snapshot/postcopy.h"
#include "snapshot/layout.h"
#include "snapshot/receive.h"
#include "snapshot/restore.h"
#include "throttle.h"
#include "vcpu.h"

#define BOARD_BUTTON_MS	300
#define BOARD_LINUX_APPEND 1023u
#define BOARD_NR_IRQS	(32 + MAP_NR_SPIS)

/* At the guest's first instruction: SVC mode, A32, A, I and F masked (DDI 0406C B1.3.3). */
#define BOARD_CPSR	(CPSR_M_SVC | CPSR_A | CPSR_I | CPSR_F)

struct board {
	struct machine m;
	const struct config *config;
	struct armvmm_vm *vm;	/* NULL with --dump-dtb */
	bool compared;		/* where a given tree disagrees was reported */
	bool vm_fresh;		/* opened, and nothing done to it yet */
	int node;		/* kept for a reset, when no file can be opened any more */
	uint32_t timer_hz;	/* of the host's tree, likewise */
	struct loader loader;
	struct fwcfg_items fwcfg;
	struct cpupart part;	/* where vCPUs run */
	guint button_timer;
	bool pmu;		/* the vCPUs have one */
	struct vcpus vcpus;
	struct throttle throttle;
	struct receive *receive;	/* the guest has still to come; or NULL */
	/* The snapshots to start from; none, if they were used already. */
	struct restore_file restore[CONFIG_MAX_RESTORES];
	unsigned int nr_restores;
	struct lazy *lazy;	/* brings RAM while the guest runs; or NULL */
	struct postcopy *postcopy;	/* likewise, from where the guest came from; or NULL */
	bool counter_stopped;	/* the guest's time stands still, at ... */
	uint64_t counter;	/* ... this value of its virtual counter, ... */
	int64_t counter_when;	/* ... since then (g_get_real_time()) */
	bool counter_foreign;	/* it was another VM's: this one's runs for itself */
	uint32_t counter_hz;	/* how fast it would have gone on; 0: not known */
};

void board_request(struct board *b, enum machine_request request, enum machine_cause cause)
{
	machine_request(&b->m, request, cause, NULL);
}

static gboolean board_release_power(void *opaque)
{
	struct board *b = opaque;

	/* While the guest is stopped, it would not see that the button was pressed. */
	if (machine_is_held(&b->m))
		return G_SOURCE_CONTINUE;
	b->button_timer = 0;
	b->m.press(b->m.press_opaque, false);
	return G_SOURCE_REMOVE;
}

void board_press_power(struct board *b)
{
	if (b->button_timer || !b->m.press)
		return;
	b->m.press(b->m.press_opaque, true);
	b->button_timer = g_timeout_add(BOARD_BUTTON_MS, board_release_power, b);
	machine_tell(&b->m, &(struct machine_event){ .type = MACHINE_EVENT_POWERDOWN });
}

/* ---- Stopping it for a while ---- */

/*
 * The counter is read when all vCPUs are parked, so after the last exit of each. Otherwise a timer
 * that has fired could be before its deadline again.
 */
static void board_stop(void *opaque)
{
	struct board *b = opaque;

	vcpu_pause_all(&b->vcpus);
	posted_drain(&b->m);
	if (b->counter_stopped || !b->vcpus.nr ||
	    armvmm_vcpu_reg_get(b->vcpus.vcpu[0].handle, "cntvct", &b->counter))
		return;
	b->counter_stopped = true;
	b->counter_when = g_get_real_time();
}

/* The VM's vCPUs share one offset of the counter, which is set by any of them. */
static void board_set_counter(struct board *b, uint64_t value)
{
	int ret = armvmm_vcpu_reg_set(b->vcpus.vcpu[0].handle, "cntvct", value);

	if (ret)
		machine_warn(&b->m, "the guest's time jumps: its counter cannot be set: %s",
			     strerror(-ret));
}

/*
 * The one place where the guest's time goes on, whatever had stopped it. With --time follow it is
 * as if it had never stopped: the VM's own counter did not.
 */
static void board_start_counter(struct board *b)
{
	if (b->counter_stopped && !b->config->time_follow)
		board_set_counter(b, b->counter);
	else if (b->counter_stopped && b->counter_foreign)
		board_set_counter(b, b->counter_when ?
				     counter_after(b->counter, b->counter_when, g_get_real_time(),
						   b->counter_hz) : b->counter);
	b->counter_stopped = b->counter_foreign = false;
}

static void board_go(void *opaque)
{
	struct board *b = opaque;

	board_start_counter(b);
	/* A button that was pressed while the guest was stopped stays pressed for a while. */
	if (b->button_timer) {
		g_source_remove(b->button_timer);
		b->button_timer = g_timeout_add(BOARD_BUTTON_MS, board_release_power, b);
	}
	vcpu_resume_all(&b->vcpus);
}

static void board_keep(void *opaque, unsigned int index, bool keep)
{
	struct board *b = opaque;

	if (index < b->vcpus.nr)
		vcpu_keep(&b->vcpus.vcpu[index], keep);
}

static struct armvmm_vcpu *board_vcpu(void *opaque, unsigned int index)
{
	struct board *b = opaque;

	return index < b->vcpus.nr ? b->vcpus.vcpu[index].handle : NULL;
}

static pid_t board_vcpu_thread(void *opaque, unsigned int index)
{
	struct board *b = opaque;
	pid_t tid;

	pthread_mutex_lock(&b->vcpus.lock);
	tid = index < b->vcpus.nr ? b->vcpus.vcpu[index].tid : 0;
	pthread_mutex_unlock(&b->vcpus.lock);
	return tid;
}

static void board_press(void *opaque)
{
	board_press_power(opaque);
}

static const struct armvmm_exit *board_debug_exit(void *opaque, unsigned int index)
{
	struct board *b = opaque;
	const struct vcpu *vcpu = &b->vcpus.vcpu[index];

	return index < b->vcpus.nr && vcpu->debugged ? &vcpu->debug : NULL;
}

static bool board_pressed(void *opaque)
{
	struct board *b = opaque;

	return b->button_timer;
}

static uint64_t board_counter(void *opaque, int64_t *when)
{
	struct board *b = opaque;

	*when = b->counter_when;
	return b->counter;
}

static void board_throttle(void *opaque, unsigned int percent)
{
	struct board *b = opaque;

	throttle_set(&b->throttle, percent);
}

static void board_debug_seen(void *opaque)
{
	struct board *b = opaque;

	vcpu_debug_seen(&b->vcpus);
}

static const struct runstate_ops board_runstate_ops = {
	.stop = board_stop,
	.go = board_go,
	.keep = board_keep,
	.vcpu = board_vcpu,
	.thread = board_vcpu_thread,
	.press_power = board_press,
	.debug = board_debug_exit,
	.debug_seen = board_debug_seen,
	.pressed = board_pressed,
	.counter = board_counter,
	.throttle = board_throttle,
};

/* ---- Making one ---- */

static int board_open_vm(struct board *b, struct error *err)
{
	const char *device = b->config->node ? b->config->node : "/dev/armvmm";
	int ret = b->node < 0 ? armvmm_vm_open(device, &b->vm) :
				armvmm_vm_open_fd(b->node, &b->vm);

	switch (ret) {
	case 0:
		b->vm_fresh = true;
		if (b->node < 0)
			b->node = fcntl(armvmm_vm_device_fd(b->vm), F_DUPFD_CLOEXEC, 0);
		if (b->node < 0)
			return error_errno(err, -errno, "%s", device);
		/* An older module has no such choice: the guest's counter is the host's then. */
		armvmm_vm_suspend_stops(b->vm, !b->config->time_follow);
		ret = machine_connect(&b->m, b->vm);
		return ret ? error_errno(err, ret, "ioeventfd") : 0;
	case -ENOENT:
	case -ENXIO:
	case -ENODEV:
		return error_set(err, ret, "%s: %s: is the module loaded (modprobe armvmm)?", device,
				 strerror(-ret));
	case -EACCES:
	case -EPERM:
		return error_set(err, ret, "%s: %s: its group is usually kvm", device,
				 strerror(-ret));
	case -EAGAIN:
		return error_set(err, ret,
				 "%s: this user has as many guests as the host allows (max_vms_per_user of the module)",
				 device);
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

/* Makes those devices of the type that the machine always has. */
static int board_create_builtin(struct board *b, const struct device_type *type, struct error *err)
{
	int ret = 0;

	for (const struct machine_device *d = b->m.type->devices; !ret && d->name; d++)
		if (!strcmp(d->name, type->name))
			ret = type->create(&b->m, d, err);
	return ret;
}

/* Makes the devices of a type that were asked for. */
static int board_create_asked(struct board *b, const struct device_type *type, struct error *err)
{
	const void *configs[CONFIG_MAX_DEVICES];
	unsigned int nr = 0;
	int ret = 0;

	for (unsigned int i = 0; i < b->config->nr_devices; i++)
		if (b->config->device[i].type == type)
			configs[nr++] = b->config->device[i].config;
	if (nr && type->create_all)
		return type->create_all(&b->m, configs, nr, err);
	for (unsigned int i = 0; !ret && i < nr; i++)
		ret = type->create(&b->m, configs[i], err);
	return ret;
}

/* Makes the built-in devices, and those that were asked for, in the order of the types. */
static int board_create_devices(struct board *b, struct error *err)
{
	const struct device_type *type = NULL;
	int ret = 0;

	while (!ret && (type = device_type_next(type))) {
		if (type->builtin)
			ret = board_create_builtin(b, type, err);
		if (!ret)
			ret = board_create_asked(b, type, err);
	}
	return ret;
}

static bool board_shares_memory(const struct config *config)
{
	for (unsigned int i = 0; i < config->nr_devices; i++) {
		const struct config_device *device = &config->device[i];

		if (device->type->shares_memory && device->type->shares_memory(device->config))
			return true;
	}
	return false;
}

/* Some devices want the end of RAM, over resets. The rest is for what is loaded. */
static int board_keep_memory(struct board *b, struct error *err)
{
	const struct config *config = b->config;
	uint64_t size = 0;

	for (unsigned int i = 0; i < config->nr_devices; i++)
		if (config->device[i].type->keeps_memory)
			size += config->device[i].type->keeps_memory(config->device[i].config);
	if (size > config->memory / 2)
		return error_set(err, -EINVAL, "--memory: devices want %llu KiB of it, more than half",
				 (unsigned long long)size >> 10);
	b->m.mem.kept_gpa = config->ram_base + config->memory - size;
	b->m.mem.kept_size = size;
	return 0;
}

/* How many MiB this process could map in one piece. */
static uint64_t board_room(void)
{
	uint64_t room = 0;

	for (uint64_t step = 2048; step; step /= 2) {
		uint64_t size = (room + step) << 20;
		void *p = (size_t)size == size ?
			  mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			       -1, 0) : MAP_FAILED;

		if (p == MAP_FAILED)
			continue;
		munmap(p, size);
		room += step;
	}
	return room;
}

/*
 * Guest memory is a piece of this process' address space, of which a 32-bit host gives less than 3
 * GiB. Report that before files and devices are opened for nothing.
 */
static int board_alloc_memory(struct board *b, struct error *err)
{
	bool strict = overcommit_is_strict(OVERCOMMIT_FILE);
	uint64_t size = b->config->memory;
	int ret;

	b->m.mem.shared = board_shares_memory(b->config);
	ret = guestmem_alloc(&b->m.mem, b->config->ram_base, size);
	if (ret == -ENOMEM)
		return overcommit_explain(size, board_room() << 20, strict, err);
	if (!ret && strict && b->m.mem.shared)
		message(OVERCOMMIT_SHARED);
	return ret ? error_errno(err, ret, "--memory: %llu MiB", (unsigned long long)size >> 20) : 0;
}

/* Kernels for 32-bit Arm keep COMMAND_LINE_SIZE bytes: 1024, with the zero at the end. */
static void board_check_append(const struct board *b)
{
	enum kernel_format format = b->loader.image.format;
	size_t len = b->config->append ? strlen(b->config->append) : 0;

	if (len > BOARD_LINUX_APPEND && (format == KERNEL_ZIMAGE || format == KERNEL_IMAGE))
		message("--append: has %zu characters, of which Linux takes the first %u", len,
			BOARD_LINUX_APPEND);
}

/* Opened here, when files can be opened; read when a guest's software can do no harm any more. */
static int board_open_restore(struct board *b, struct error *err)
{
	if (b->config->dump_dtb)
		return 0;
	for (unsigned int i = 0; i < b->config->nr_restores; i++) {
		const char *name = b->config->restore[i];
		int fd = open(name, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			return error_errno(err, -errno, "%s", name);
		b->restore[b->nr_restores++] = (struct restore_file){ .fd = fd, .name = name };
	}
	return 0;
}

/* The snapshots are used while the guest runs, and nobody should write to them meanwhile. */
static int board_open_lazy(struct board *b, struct error *err)
{
	int ret = lazy_open(&b->lazy, &b->m, err);

	for (unsigned int i = 0; !ret && i < b->nr_restores; i++)
		ret = filelock_take(b->restore[i].fd, true, b->restore[i].name, NULL, err);
	return ret;
}

static void board_close_restore(struct board *b)
{
	while (b->nr_restores)
		close(b->restore[--b->nr_restores].fd);
}

/* A guest that comes from elsewhere follows by the counter's rate. */
static int board_choose_time(struct board *b, struct error *err)
{
	if (!b->config->time_follow || (!b->config->nr_restores && !b->config->incoming))
		return 0;
	b->counter_hz = b->timer_hz ? b->timer_hz : counter_hz();
	return b->counter_hz ? 0 :
	       error_set(err, -ENOTSUP,
			 "--time follow: this host does not tell the rate of its counter, which a guest with --restore or --incoming needs");
}

static int board_choose_cpus(struct board *b, struct error *err)
{
	int ret = cpupart_choose_here(&b->part, b->config->cpu_part, err);

	if (!ret && b->part.bound)
		message("%s", b->part.text);
	return ret;
}

int board_create(struct board **out, const struct config *config, struct chardev *chr,
		 struct error *err)
{
	struct board *b = calloc(1, sizeof(*b));
	int ret;

	*out = NULL;
	if (b)
		b->node = -1;
	if (!b || machine_init(&b->m)) {
		free(b);
		return error_errno(err, -ENOMEM, "machine");
	}
	vcpus_init(&b->vcpus);
	machine_set_runstate_ops(&b->m, &board_runstate_ops, b);
	b->throttle = (struct throttle){ .m = &b->m, .vcpus = &b->vcpus };
	b->m.type = config->machine;
	b->m.ram_base = config->ram_base;
	b->m.terminal = b->m.chardev = chr;
	b->m.described = config->dump_dtb;
	b->m.verbose = config->verbose;
	b->m.virtio = config->virtio;
	b->m.identity = config->identity;
	b->m.rights = config->rights;
	b->m.incoming = config->incoming;
	b->config = config;
	b->pmu = b->m.pmu = config->pmu;
	b->timer_hz = b->m.timer_hz = hosttree_timer_hz("/proc/device-tree");
	b->loader.kernel.fd = b->loader.dtb.fd = -1;

	ret = board_open_restore(b, err);
	if (!ret)
		ret = board_choose_time(b, err);
	if (!ret)
		ret = board_keep_memory(b, err);
	if (!ret && !config->dump_dtb)
		ret = board_alloc_memory(b, err);
	if (!ret)
		ret = loader_open(&b->loader, config, config->ram_base,
				  config->memory - b->m.mem.kept_size, err);
	if (!ret)
		board_check_append(b);
	if (!ret && !config->dump_dtb)
		ret = board_choose_cpus(b, err);
	if (!ret && !config->dump_dtb)
		ret = board_open_vm(b, err);
	if (!ret && config->serial)
		ret = backend_open(&b->m, config->serial, "serial", false, &b->m.chardev, err);
	if (!ret) {
		fwcfg_items_make(&b->fwcfg, config, &b->loader);
		b->m.fwcfg_items = b->fwcfg.item;
		b->m.nr_fwcfg_items = b->fwcfg.nr;
		ret = board_create_devices(b, err);
	}
	/* With some devices the kernel cannot wait for a page. */
	if (!ret && !config->dump_dtb && config->lazy_restore)
		ret = board_open_lazy(b, err);
	if (!ret && !config->dump_dtb && config->incoming)
		b->postcopy = postcopy_new(&b->m);
	if (ret) {
		board_destroy(b);
		return ret;
	}
	*out = b;
	return 0;
}

struct machine *board_machine(struct board *b)
{
	return &b->m;
}

void board_await_guest(struct board *b, struct receive_source *source)
{
	b->receive = receive_new(&b->m, source, b->postcopy);
	machine_hold(&b->m, MACHINE_HOLDER_INCOMING);
}

uint64_t board_pinned(struct board *b)
{
	return armvmm_vm_pins_memory(b->vm) ? b->config->memory : 0;
}

void board_destroy(struct board *b)
{
	if (!b)
		return;
	if (b->button_timer)
		g_source_remove(b->button_timer);
	throttle_set(&b->throttle, 0);
	receive_free(b->receive);
	/* Devices take back what they asked of the VM; then the VM lets go of the memory. */
	device_bus_destroy(&b->m.bus);
	chardev_list_destroy(&b->m.chardevs);
	/* Until here somebody may have waited for memory. */
	lazy_free(b->lazy);
	postcopy_free(b->postcopy);
	machine_connect(&b->m, NULL);
	armvmm_vm_close(b->vm);
	if (b->node >= 0)
		close(b->node);
	board_close_restore(b);
	machine_exit(&b->m);
	vcpus_exit(&b->vcpus);
	loader_close(&b->loader);
	free(b);
}

/* ---- Device tree ---- */

static void board_dtb_quiet(const char *fmt, ...)
{
}

/* What to do with warnings about a given tree: each is told once. */
static void (*board_dtb_warn(const struct board *b))(const char *fmt, ...)
{
	return b->compared ? board_dtb_quiet : message;
}

/* Makes the tree in @buf of @size bytes. Returns its length or -errno. */
static int board_make_dtb(struct board *b, void *buf, size_t size, const char *cpu,
			    struct error *err)
{
	const struct config *config = b->config;
	const struct loader *loader = &b->loader;
	struct dtb_params params = {
		.type = b->m.type,
		.nr_cpus = config->nr_cpus,
		.cpu = cpu,
		.ram_base = loader->ram_base,
		.ram_size = config->memory,
		.bootargs = config->append,
		.initrd_gpa = loader->initrd_gpa,
		.initrd_size = loader->firmware ? 0 : loader->initrd_size,
		.pmu = b->pmu,
		.timer_hz = b->timer_hz,
		.msi_frame = b->m.msi_frame,
	};
	int ret;

	if (!dtb_seed(&params))
		machine_note(&b->m, "the host has no random numbers yet, so the guest gets no seed");
	if (!loader->dtb.name)
		return dtb_build(buf, size, &params, &b->m.bus, err);
	ret = loader_read_dtb(loader, buf, size, err);
	if (ret < 0)
		return ret;
	ret = dtb_complete(buf, ret, size, &params, loader->dtb.name, err);
	if (ret >= 0 && b->m.type->adapts_dtb)
		ret = dtb_adapt(buf, size, &params, &b->m.bus, loader->dtb.name, board_dtb_warn(b),
				err);
	if (ret >= 0)
		dtb_compare(buf, &params, &b->m.bus, loader->dtb.name, board_dtb_warn(b));
	b->compared = true;
	return ret;
}

int board_dump_dtb(struct board *b, const char *path, struct error *err)
{
	size_t size = b->loader.dtb_room;
	void *buf = malloc(size);
	FILE *file = NULL;
	int ret, len;

	if (!buf)
		return error_errno(err, -ENOMEM, "%s", path);
	len = board_make_dtb(b, buf, size, dtb_cpu(0), err);
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

static int board_check_pmu(const struct board *b, struct error *err)
{
	if (!b->pmu || armvmm_vm_has_pmu(b->vm))
		return 0;
	return error_set(err, -ENODEV,
			 "--pmu on: the host has no counters for guests (dmesg | grep PMU tells why)");
}

static int board_create_vcpu(struct board *b, unsigned int i, struct error *err)
{
	struct vcpu *vcpu = &b->vcpus.vcpu[i];
	int ret;

	*vcpu = (struct vcpu){ .m = &b->m,
			       .all = &b->vcpus,
			       .pinned = armvmm_vm_pins_memory(b->vm),
			       .cpus = b->part.bound ? &b->part.cpus : NULL };
	ret = armvmm_vcpu_create(b->vm, i, &vcpu->handle);
	if (!ret)
		ret = armvmm_vcpu_init(vcpu->handle, ARMVMM_VCPU_PSCI_0_2 |
						     (b->pmu ? ARMVMM_VCPU_PMU : 0) |
						     (i ? ARMVMM_VCPU_POWER_OFF : 0));
	if (ret)
		return error_errno(err, ret, "vCPU %u", i);
	b->vcpus.nr++;
	return 0;
}

/*
 * A vCPU gets the part of the CPU that it is initialized on, so this thread moves there meanwhile.
 */
static int board_create_vcpus(struct board *b, struct error *err)
{
	cpu_set_t before;
	int ret = 0;

	if (b->part.bound && (sched_getaffinity(0, sizeof(before), &before) ||
			      sched_setaffinity(0, sizeof(b->part.cpus), &b->part.cpus)))
		return error_errno(err, -errno, "--cpu-part: cannot run on the chosen CPUs");
	for (unsigned int i = 0; !ret && i < b->config->nr_cpus; i++)
		ret = board_create_vcpu(b, i, err);
	if (b->part.bound)
		sched_setaffinity(0, sizeof(before), &before);
	return ret;
}

static int board_setup_vm(struct board *b, struct error *err)
{
	unsigned int i;
	int ret;

	b->vcpus.nr = 0;
	b->counter_stopped = b->counter_foreign = false;
	if (!b->vm_fresh) {
		/*
		 * A reset makes a new VM, so that the kernel keeps no state of the old one (GIC,
		 * timers, vCPUs).
		 */
		machine_connect(&b->m, NULL);
		armvmm_vm_close(b->vm);
		b->vm = NULL;
		ret = board_open_vm(b, err);
		if (ret)
			return ret;
	}
	b->vm_fresh = false;
	ret = board_check_pmu(b, err);
	if (ret)
		return ret;

	for (i = 0; i < b->m.mem.nr_regions; i++) {
		const struct guestmem_region *r = &b->m.mem.region[i];

		ret = armvmm_vm_memory_set(b->vm, i, r->gpa, r->size, r->host, 0);
		if (ret)
			return error_errno(err, ret, "--memory: the hypervisor refuses it");
	}
	ret = armvmm_gic_create(b->vm, b->m.type->gicd_base, b->m.type->gicc_base, BOARD_NR_IRQS);
	if (ret)
		return error_errno(err, ret, "interrupt controller");
	ret = board_create_vcpus(b, err);
	if (ret)
		return ret;
	ret = armvmm_gic_init(b->vm);
	if (ret)
		return error_errno(err, ret, "interrupt controller");
	for (i = 0; b->pmu && i < b->vcpus.nr; i++) {
		ret = armvmm_vcpu_pmu_init(b->vcpus.vcpu[i].handle, MAP_PMU_INTID);
		if (ret)
			return error_errno(err, ret, "vCPU %u: performance counters", i);
	}
	return 0;
}

/* What the loader does not set is in reset state. */
static int board_setup_boot_cpu(struct board *b, struct error *err)
{
	const struct loader *loader = &b->loader;
	struct armvmm_vcpu *handle = b->vcpus.vcpu[0].handle;
	const struct loader_registers r = loader_registers(loader);
	uint32_t entry = loader->firmware ? b->m.type->flash_base : loader->image.entry;
	const struct {
		const char *name;
		uint64_t value;
	} regs[] = {
		{ "r0", r.r0 },
		{ "r1", r.r1 },
		{ "r2", r.r2 },
		{ "cpsr", BOARD_CPSR | (entry & 1 ? CPSR_T : 0) },
		{ "pc", entry & ~1u },
	};

	for (unsigned int i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		int ret = armvmm_vcpu_reg_set(handle, regs[i].name, regs[i].value);

		if (ret)
			return error_errno(err, ret, "vCPU 0: %s", regs[i].name);
	}
	return 0;
}

/* Puts the guest's software into memory. */
static int board_load(struct board *b, struct error *err)
{
	uint64_t midr = 0;
	void *dtb;
	int ret;

	ret = loader_load(&b->loader, &b->m.mem, err);
	if (ret)
		return ret;

	/* Built in place: the memory reads as zero, and nobody else reads it yet. */
	dtb = guestmem_ptr(&b->m.mem, b->loader.dtb_gpa, b->loader.dtb_room);
	if (!dtb)
		return error_set(err, -EFAULT, "--memory: has no room for the device tree");
	armvmm_vcpu_reg_get(b->vcpus.vcpu[0].handle, "midr", &midr);
	ret = board_make_dtb(b, dtb, b->loader.dtb_room, dtb_cpu(midr), err);
	if (ret < 0)
		return ret;
	return board_setup_boot_cpu(b, err);
}

/* A guest that a person had stopped stays stopped if somebody can let it go on. */
static void board_take(struct board *b, const struct facts *facts)
{
	b->counter = facts->counter;
	b->counter_when = facts->counter_when;
	b->counter_stopped = b->counter_foreign = true;
	if (b->config->time_follow && !b->counter_when)
		machine_warn(&b->m, "--time follow: it was not saved when the guest's time stood still, so it goes on from there");
	if (facts->stopped && b->config->control)
		machine_hold(&b->m, MACHINE_HOLDER_CONTROL);
}

/* The same, but RAM comes when it is wanted. */
static int board_restore_lazily(struct board *b, struct error *err)
{
	struct pages_layout layout;
	struct places *places;
	struct facts facts;
	int ret;

	layout_memory(&b->m, &layout);
	places = places_new(&layout);
	ret = restore_machine(&b->m, b->restore, b->nr_restores, places, &facts, err);
	if (!ret)
		ret = lazy_start(b->lazy, places, b->restore, b->nr_restores, err);
	if (ret) {
		places_free(places);
		return ret;
	}
	b->nr_restores = 0;
	board_take(b, &facts);
	return 0;
}

/*
 * Takes the guest's whole state from the snapshots, once: its next reset starts it from its
 * software.
 */
static int board_restore(struct board *b, struct error *err)
{
	struct facts facts;
	int ret;

	if (b->lazy)
		return board_restore_lazily(b, err);
	ret = restore_machine(&b->m, b->restore, b->nr_restores, NULL, &facts, err);
	board_close_restore(b);
	if (!ret)
		board_take(b, &facts);
	return ret;
}

/* The same of another process, which has it no longer then. */
static int board_receive(struct board *b, struct error *err)
{
	struct facts facts;
	int ret = receive_guest(b->receive, &facts, err);

	if (!ret)
		board_take(b, &facts);
	return ret;
}

/* Makes memory and devices what they are before the guest's first instruction here. */
static int board_fill(struct board *b, struct error *err)
{
	if (b->receive)
		return board_receive(b, err);
	return b->nr_restores ? board_restore(b, err) : board_load(b, err);
}

static int board_start_vcpus(struct board *b, struct error *err)
{
	for (unsigned int i = 0; i < b->vcpus.nr; i++) {
		int ret = vcpu_start(&b->vcpus.vcpu[i]);

		if (ret)
			return error_errno(err, ret, "vCPU %u: thread", i);
	}
	/*
	 * If somebody holds the machine over a reset, or from its start, the vCPUs have to be
	 * parked.
	 */
	if (machine_is_held(&b->m))
		board_stop(b);
	return 0;
}

/* The devices of a guest that has begun elsewhere go on. */
static int board_begin(struct board *b, bool begun, struct error *err)
{
	int ret = device_bus_begin(&b->m.bus, err);

	/* Its threads are made while its old process can still keep it. They are held. */
	if (!ret && b->receive)
		ret = board_start_vcpus(b, err);
	/* From here on the guest is here, whatever fails. */
	if (!ret && b->receive)
		ret = receive_confirm(b->receive, err);
	if (ret && b->receive)
		receive_refuse(b->receive, err);
	if (ret)
		return ret;
	if (begun)
		device_bus_resume(&b->m.bus);
	return 0;
}

static int board_start(struct board *b, struct error *err)
{
	bool begun = b->nr_restores || b->receive;
	int ret;

	ret = board_setup_vm(b, err);
	if (!ret)
		ret = board_fill(b, err);
	if (!ret)
		ret = board_begin(b, begun, err);
	if (ret)
		return ret;
	machine_started(&b->m);
	if (!machine_is_held(&b->m))
		board_start_counter(b);
	if (!b->receive)
		ret = board_start_vcpus(b, err);
	if (ret)
		return ret;
	receive_free(b->receive);
	b->receive = NULL;
	postcopy_abandon(b->postcopy);
	machine_release(&b->m, MACHINE_HOLDER_INCOMING);
	return 0;
}

int board_run(struct board *b, enum machine_request *ended, struct error *err)
{
	int ret;

	for (;;) {
		struct machine_event event = { .type = MACHINE_EVENT_SHUTDOWN };

		ret = board_start(b, err);
		while (!ret && machine_requested(&b->m) == MACHINE_NONE) {
			g_main_context_iteration(b->m.context, TRUE);
			machine_poll_debugged(&b->m);
		}
		vcpu_stop_all(&b->vcpus);
		posted_drain(&b->m);
		/* -EINTR: somebody did not want to wait for it. */
		if (ret && (ret != -EINTR || machine_requested(&b->m) == MACHINE_NONE))
			return ret;
		event.request = machine_take_request(&b->m, &event.cause);
		machine_tell(&b->m, &(struct machine_event){ .type = MACHINE_EVENT_LEAVE });

		if (event.request == MACHINE_CRASH) {
			/* The guest runs no more. */
			message_patience(MESSAGE_LAST_MS);
			message("%s", b->m.priv->why);
			for (unsigned int i = 0; i < b->vcpus.nr; i++)
				vcpu_dump(&b->vcpus.vcpu[i]);
		}
		if (event.request != MACHINE_RESET || b->config->no_reboot) {
			lazy_only_serve(b->lazy);
			postcopy_over(b->postcopy);
			machine_tell(&b->m, &event);
			*ended = event.request;
			return 0;
		}
		machine_note(&b->m, "the guest reboots");
		machine_reset(&b->m);
		event.type = MACHINE_EVENT_RESET;
		machine_tell(&b->m, &event);
	}
}
