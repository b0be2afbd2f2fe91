// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/snapshot/dump.c userspace/armvmm-run/snapshot/elfcore.c
// sources: userspace/armvmm-run/snapshot/pages.c userspace/armvmm-run/snapshot/part.c
// sources: userspace/armvmm-run/snapshot/state.c userspace/armvmm-run/snapshot/facts.c
// sources: userspace/armvmm-run/core/record.c userspace/armvmm-run/core/bank.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/device.c
// sources: userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/core/thread.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Idriver -D_GNU_SOURCE
// pkgs: glib-2.0 zlib libzstd
// libs: -Wl,--wrap=close,--wrap=fstat,--wrap=lseek
//
// The guest's memory and registers in an ELF core: what is in the file, by the ELF specification
// and by GDB; where it may be written; and what comes in between.
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "close_fake.h"
#include "guest_fake.h"
#include "snapshot/dump.h"

off_t __real_lseek(int fd, off_t at, int whence);
off_t __wrap_lseek(int fd, off_t at, int whence);
int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);

static pthread_t test_thread;
static bool starting;	/* the guest's main thread may not wait for a file's server */
static unsigned int waits;

off_t __wrap_lseek(int fd, off_t at, int whence)
{
	waits += starting && pthread_equal(pthread_self(), test_thread);
	return __real_lseek(fd, at, whence);
}

int __wrap_fstat(int fd, struct stat *st)
{
	waits += starting && pthread_equal(pthread_self(), test_thread);
	return __real_fstat(fd, st);
}

#define ALL	UINT64_MAX

static struct guest g;
static char file[] = "/tmp/test_dump.XXXXXX";

/* What was written last, read again. */
static struct {
	uint8_t *bytes;
	size_t len;
} core;

static enum dump_phase phase(struct dump *d)
{
	struct dump_status status;

	dump_get(d, &status);
	return status.phase;
}

static void run(struct dump *d, unsigned int ms)
{
	gint64 end = g_get_monotonic_time() + ms * 1000;

	while (dump_is_active(d) && g_get_monotonic_time() < end) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(500);
	}
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Dumps to @fd, whose file then is in .core. */
static void dump_to(int fd, uint64_t begin, uint64_t size)
{
	struct dump *d = dump_new(&g.m);
	struct error err = { "" };

	g.told[0] = '\0';
	test_thread = pthread_self();
	starting = true;
	KTAP_EQ(dump_start(d, fd, begin, size, &err), 0);
	KTAP_TRUE(g.holders == 1u << MACHINE_HOLDER_DUMP && !g.thing.paused);
	run(d, 10000);
	starting = false;
	KTAP_EQ(waits, 0);
	KTAP_EQ(phase(d), DUMP_COMPLETED);
	KTAP_STREQ(g.told, "completed ");
	KTAP_TRUE(!g.holders && !is_open(fd));
	dump_free(d);
	g_free(core.bytes);
	KTAP_ASSERT(g_file_get_contents(file, (char **)&core.bytes, &core.len, NULL));
}

static void dump(uint64_t begin, uint64_t size)
{
	dump_to(open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), begin, size);
}

static const Elf32_Ehdr *head(void)
{
	return (const Elf32_Ehdr *)core.bytes;
}

static const Elf32_Phdr *segment(unsigned int n)
{
	return (const Elf32_Phdr *)(core.bytes + head()->e_phoff) + n;
}

/* The contents of the @n-th note of @type, or NULL. */
static const void *note(const char *name, uint32_t type, unsigned int n, size_t len)
{
	size_t at = segment(0)->p_offset, end = at + segment(0)->p_filesz;

	while (at + sizeof(Elf32_Nhdr) <= end) {
		const Elf32_Nhdr *h = (const Elf32_Nhdr *)(core.bytes + at);
		const char *is = (const char *)(h + 1);
		size_t data = at + sizeof(*h) + (h->n_namesz + 3u) / 4 * 4;

		at = data + (h->n_descsz + 3u) / 4 * 4;
		if (h->n_type == type && !strcmp(is, name) && h->n_descsz == len && at <= end &&
		    !n--)
			return core.bytes + data;
	}
	return NULL;
}

/* ---- The cases ---- */

static void test_head(void)
{
	const uint32_t *status, *auxv;
	const uint64_t *vfp;

	guest_init(&g);
	dump(0, ALL);
	KTAP_ASSERT(core.len > 8192);
	KTAP_TRUE(!memcmp(head()->e_ident, ELFMAG "\1\1\1", 7));
	KTAP_EQ(head()->e_type, ET_CORE);
	KTAP_EQ(head()->e_machine, EM_ARM);
	KTAP_EQ(head()->e_phnum, 2);
	KTAP_EQ(segment(0)->p_type, PT_NOTE);
	KTAP_EQ(segment(1)->p_type, PT_LOAD);
	KTAP_EQ(segment(1)->p_paddr, RAM);
	KTAP_EQ(segment(1)->p_vaddr, RAM);
	KTAP_EQ(segment(1)->p_filesz, MEMORY);
	KTAP_EQ(segment(1)->p_memsz, MEMORY);
	KTAP_EQ(segment(1)->p_offset % 4096, 0);
	KTAP_EQ(core.len, segment(1)->p_offset + MEMORY);

	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		status = note("CORE", NT_PRSTATUS, cpu, 148);
		vfp = note("LINUX", NT_ARM_VFP, cpu, 260);
		KTAP_ASSERT(status && vfp);
		KTAP_EQ(status[6], cpu + 1);	/* pr_pid, at 24 */
		KTAP_EQ(status[18 + 0], 0x100);	/* pr_reg, at 72 */
		KTAP_EQ(status[18 + 12], 0x10c);
		KTAP_EQ(status[18 + 13], 0x5c00);
		KTAP_EQ(status[18 + 14], 0x5c01);
		KTAP_EQ(status[18 + 15], 0x10e);
		KTAP_EQ(status[18 + 16], 0x60000013);
		KTAP_EQ(vfp[31], 0xd000000001full);
		KTAP_EQ(((const uint32_t *)vfp)[64], 0x03000010);
	}
	KTAP_TRUE(!note("CORE", NT_PRSTATUS, 2, 148));
	auxv = note("CORE", NT_AUXV, 0, 16);
	KTAP_TRUE(auxv && auxv[0] == AT_HWCAP && auxv[1] == (1u << 6 | 1u << 12 | 1u << 13));
	/* A CPU with fewer registers, or none. */
	g.nr_d = 16;
	dump(0, ALL);
	vfp = note("LINUX", NT_ARM_VFP, 0, 260);
	KTAP_TRUE(vfp && vfp[15] == 0xd000000000full && !vfp[16]);
	auxv = note("CORE", NT_AUXV, 0, 16);
	KTAP_TRUE(auxv && auxv[1] == (1u << 6 | 1u << 13 | 1u << 14));
	g.nr_d = 0;
	dump(0, ALL);
	auxv = note("CORE", NT_AUXV, 0, 16);
	KTAP_TRUE(!note("LINUX", NT_ARM_VFP, 0, 260) && auxv && !auxv[1]);
}

/* Memory is there, byte for byte; zero pages take no room; what caches hid is fetched. */
static void test_memory(void)
{
	struct stat st;

	guest_init(&g);
	g.uncached = true;
	memset(g.m.mem.region[0].host + 12345, 'x', 100000);
	g.m.mem.region[0].host[MEMORY / 2] = 7;
	dump(0, ALL);
	KTAP_EQ(g.syncs, 1);
	KTAP_TRUE(!memcmp(core.bytes + segment(1)->p_offset, g.m.mem.region[0].host, MEMORY));
	KTAP_TRUE(!stat(file, &st) && st.st_size == core.len && st.st_blocks < 512);
	/* Also where pages that are not zero are the last. */
	g.m.mem.region[0].host[MEMORY - 1] = 9;
	dump(0, ALL);
	KTAP_EQ(core.bytes[core.len - 1], 9);
	KTAP_TRUE(!memcmp(core.bytes + segment(1)->p_offset, g.m.mem.region[0].host, MEMORY));
}

/* A part, whose ends need not be those of pages or of memory. */
static void test_part(void)
{
	static const struct {
		uint64_t begin, size, from, to;	/* the last two: offsets in memory */
	} parts[] = {
		{ RAM + 5000, 100000, 5000, 105000 }, { RAM + 8192, 4096, 8192, 12288 },
		{ RAM + 4097, 1, 4097, 4098 }, { 0, RAM + 10, 0, 10 },
		{ RAM + MEMORY - 3, 100, MEMORY - 3, MEMORY }, { RAM - 100, ALL, 0, MEMORY },
		{ RAM + MEMORY - 1, ALL, MEMORY - 1, MEMORY },
	};
	struct dump *d;
	struct error err;
	int fd;

	guest_init(&g);
	for (unsigned int i = 0; i < MEMORY; i++)
		g.m.mem.region[0].host[i] = i / 4096 % 3 ? g_random_int() : 0;
	for (unsigned int i = 0; i < G_N_ELEMENTS(parts); i++) {
		uint64_t size = parts[i].to - parts[i].from;

		dump(parts[i].begin, parts[i].size);
		KTAP_EQ(segment(1)->p_paddr, RAM + parts[i].from);
		KTAP_EQ(segment(1)->p_filesz, size);
		KTAP_EQ((segment(1)->p_paddr ^ segment(1)->p_offset) % 4096, 0);
		KTAP_EQ(core.len, segment(1)->p_offset + size);
		KTAP_TRUE(!memcmp(core.bytes + segment(1)->p_offset,
				  g.m.mem.region[0].host + parts[i].from, size));
	}
	d = dump_new(&g.m);
	fd = open("/dev/null", O_WRONLY);
	KTAP_EQ(dump_start(d, fd, 0, RAM, &err), -EINVAL);
	KTAP_STREQ(err.text, "dump: no guest memory to dump");
	KTAP_EQ(dump_start(d, fd, RAM + MEMORY, ALL, &err), -EINVAL);
	KTAP_EQ(dump_start(d, fd, RAM, 0, &err), -EINVAL);
	KTAP_TRUE(is_open(fd) && !g.holders);
	close(fd);
	dump_free(d);
}

/* Old contents of a file never show in holes. */
static void test_old_file(void)
{
	char old[8192];
	int fd;

	guest_init(&g);
	g.m.mem.region[0].host[MEMORY / 2] = 7;
	memset(old, 'o', sizeof(old));
	fd = open(file, O_RDWR | O_TRUNC);
	for (unsigned int i = 0; i < MEMORY; i += sizeof(old))
		KTAP_EQ(pwrite(fd, old, sizeof(old), i), sizeof(old));
	dump_to(fd, 0, ALL);
	KTAP_TRUE(core.len > MEMORY && !memcmp(core.bytes + segment(1)->p_offset,
					       g.m.mem.region[0].host, MEMORY));
	/* Nor does it matter how the file was opened. */
	dump_to(open(file, O_WRONLY | O_TRUNC | O_APPEND), 0, ALL);
	KTAP_TRUE(core.len > MEMORY && !memcmp(core.bytes + segment(1)->p_offset,
					       g.m.mem.region[0].host, MEMORY));
}

/* GDB finds the registers, and words of memory. */
static void test_gdb(void)
{
	static const uint32_t word = 0x600dcafe;
	char *gdb = g_find_program_in_path("gdb-multiarch"), *command, *out = NULL;

	if (!gdb) {
		KTAP_SKIP("there is no gdb-multiarch");
		return;
	}
	guest_init(&g);
	memcpy(g.m.mem.region[0].host + 0x1234 * 4, &word, sizeof(word));
	dump(0, ALL);
	command = g_strdup_printf("%s -nx -batch -iex 'set debuginfod enabled off' -c %s "
				  "-ex 'set architecture armv7' -ex 'info threads' -ex 'thread 2' "
				  "-ex 'printf \"@%%x %%x %%x %%x\\n\", $r0, $sp, $pc, $cpsr' "
				  "-ex 'printf \"@%%x\\n\", *(int *)0x%llx' "
				  "-ex 'info registers d31'", gdb, file,
				  (unsigned long long)RAM + 0x1234 * 4);
	KTAP_TRUE(g_spawn_command_line_sync(command, &out, NULL, NULL, NULL));
	if (!out || !strstr(out, "@100 5c00 10e 60000013") || !strstr(out, "@600dcafe") ||
	    !strstr(out, "raw 0x00000d000000001f") || !strstr(out, "LWP 2"))
		KTAP_FAIL("GDB says %s", out);
	g_free(out);
	g_free(command);
	g_free(gdb);
}

static void test_refused(void)
{
	struct dump *d;
	struct error err;
	int fd = open("/dev/null", O_WRONLY), end[2];

	guest_init(&g);
	d = dump_new(&g.m);
#define REFUSED(change, undo, why)						\
	do {									\
		change;								\
		KTAP_TRUE(dump_start(d, fd, 0, ALL, &err) < 0);			\
		KTAP_STREQ(err.text, why);					\
		KTAP_TRUE(is_open(fd) && !(g.holders & 1u << MACHINE_HOLDER_DUMP));	\
		undo;								\
	} while (0)
	REFUSED(g.request = MACHINE_RESET, g.request = MACHINE_NONE, "The guest is being reset, or ends");
	REFUSED(machine_hold(&g.m, MACHINE_HOLDER_INCOMING),
		machine_release(&g.m, MACHINE_HOLDER_INCOMING), "The guest has not started yet");
	REFUSED(g.cpus = 0, g.cpus = 2, "The guest has not started yet");
	KTAP_EQ(pipe(end), 0);
	KTAP_EQ(dump_start(d, end[0], 0, ALL, &err), -EBADF);
	KTAP_EQ(dump_start(d, 999, 0, ALL, &err), -EBADF);
	/* Two at a time. */
	KTAP_EQ(dump_start(d, end[1], 0, ALL, &err), 0);
	KTAP_EQ(dump_start(d, fd, 0, ALL, &err), -EBUSY);
	KTAP_STREQ(err.text, "There is a dump in process, please wait.");
	dump_free(d);
	KTAP_TRUE(!g.holders && !is_open(end[1]));
	close(end[0]);
	close(fd);
	/* A guest that somebody holds stays held; a debugger does not matter. */
	machine_hold(&g.m, MACHINE_HOLDER_GDB);
	g.m.debugger = true;
	d = dump_new(&g.m);
	KTAP_EQ(dump_start(d, open("/dev/null", O_WRONLY), 0, ALL, &err), 0);
	run(d, 10000);
	KTAP_EQ(phase(d), DUMP_COMPLETED);
	KTAP_EQ(g.holders, 1u << MACHINE_HOLDER_GDB);
	dump_free(d);
}

static void failed(struct dump *d, const char *why)
{
	struct dump_status status;
	char told[600];

	run(d, 10000);
	dump_get(d, &status);
	KTAP_EQ(status.phase, DUMP_FAILED);
	KTAP_STREQ(status.why.text, why);
	KTAP_TRUE(!g.holders);
	snprintf(told, sizeof(told), "failed%s ", why);
	KTAP_STREQ(g.told, told);
	g.told[0] = '\0';
}

/* A full disk, a pipe that nobody reads, and one whose reader goes; and what ends the guest. */
static void test_fails(void)
{
	struct dump *d;
	struct error err;
	int end[2];

	signal(SIGPIPE, SIG_IGN);
	guest_init(&g);
	g.told[0] = '\0';
	d = dump_new(&g.m);
	KTAP_EQ(dump_start(d, open("/dev/full", O_WRONLY), 0, ALL, &err), 0);
	failed(d, "the dump cannot be written: No space left on device");
	KTAP_EQ(pipe(end), 0);
	KTAP_EQ(dump_start(d, end[1], 0, ALL, &err), 0);
	run(d, 300);
	KTAP_EQ(phase(d), DUMP_ACTIVE);
	dump_cancel(d);
	failed(d, "the dump was cancelled");
	close(end[0]);
	KTAP_EQ(pipe(end), 0);
	KTAP_EQ(dump_start(d, end[1], 0, ALL, &err), 0);
	run(d, 200);
	close(end[0]);
	failed(d, "the dump cannot be written: Broken pipe");
	KTAP_EQ(pipe(end), 0);
	KTAP_EQ(dump_start(d, end[1], 0, ALL, &err), 0);
	run(d, 100);
	g.listener->event(g.listener, &(struct machine_event){ .type = MACHINE_EVENT_LEAVE });
	failed(d, "the dump was cancelled");
	close(end[0]);
	dump_free(d);
	dump_free(NULL);
}

/* A file that cannot be kept, as close() tells; the main thread does not wait for that. */
static void test_close(void)
{
	struct dump *d;
	struct error err;

	guest_init(&g);
	g.told[0] = '\0';
	d = dump_new(&g.m);
	full_fd = open(file, O_RDWR | O_TRUNC | O_CLOEXEC);
	KTAP_EQ(dump_start(d, full_fd, 0, ALL, &err), 0);
	failed(d, "the dump cannot be written: No space left on device");
	KTAP_EQ(full_fd, -1);
	KTAP_TRUE(!pthread_equal(full_thread, pthread_self()));
	dump_free(d);
}

/* A reader that is slow gets all, and zeroes, too. */
static void *slow_reader(void *opaque)
{
	int from = *(int *)opaque, to = open(file, O_WRONLY | O_TRUNC);
	char buf[65536];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0) {
		KTAP_EQ(write(to, buf, n), n);
		g_usleep(1000);
	}
	close(to);
	return NULL;
}

static void test_pipe(void)
{
	struct dump *d;
	struct error err;
	pthread_t thread;
	int end[2];

	guest_init(&g);
	memset(g.m.mem.region[0].host + 12345, 'x', 100000);
	KTAP_EQ(pipe(end), 0);
	pthread_create(&thread, NULL, slow_reader, &end[0]);
	d = dump_new(&g.m);
	KTAP_EQ(dump_start(d, end[1], RAM + 3, ALL, &err), 0);
	run(d, 20000);
	KTAP_EQ(phase(d), DUMP_COMPLETED);
	pthread_join(thread, NULL);
	close(end[0]);
	dump_free(d);
	g_free(core.bytes);
	KTAP_ASSERT(g_file_get_contents(file, (char **)&core.bytes, &core.len, NULL));
	KTAP_EQ(core.len, segment(1)->p_offset + MEMORY - 3);
	KTAP_TRUE(!memcmp(core.bytes + segment(1)->p_offset, g.m.mem.region[0].host + 3,
			  MEMORY - 3));
	g_free(core.bytes);
	core.bytes = NULL;
	unlink(file);
}

static void test_prepare(void)
{
	close(mkstemp(file));
	/* It has a descriptor, which would get the number of a file that was closed. */
	g_main_context_default();
}

KTAP_MAIN(KTAP_CASE(test_prepare), KTAP_CASE(test_head), KTAP_CASE(test_memory),
	  KTAP_CASE(test_part), KTAP_CASE(test_old_file), KTAP_CASE(test_gdb),
	  KTAP_CASE(test_refused), KTAP_CASE(test_fails), KTAP_CASE(test_close),
	  KTAP_CASE(test_pipe))
