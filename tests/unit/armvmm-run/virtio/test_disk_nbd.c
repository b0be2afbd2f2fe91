// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/disk.c userspace/armvmm-run/virtio/disk_file.c userspace/armvmm-run/virtio/disk_format.c
// sources: userspace/armvmm-run/virtio/disk_nbd.c userspace/armvmm-run/virtio/nbd_address.c
// sources: userspace/armvmm-run/virtio/nbd_process.c userspace/armvmm-run/virtio/nbd_library.c
// sources: userspace/armvmm-run/core/process.c userspace/armvmm-run/core/userns.c
// sources: userspace/armvmm-run/core/message.c userspace/armvmm-run/core/iov.c
// sources: userspace/armvmm-run/core/filelock.c
// sources: userspace/armvmm-run/core/identity.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/rate.c userspace/armvmm-run/core/parse.c
// cflags: -Iuserspace/armvmm-run -Itests/unit/armvmm-run -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DNBD_PATIENCE_MS=1000
// cflags: -DNBD_SLOWEST=2097152
// pkgs: glib-2.0
// libs: -lpthread -ldl
//
// A disk that an NBD server has: all that a disk does, with a server that keeps to the protocol,
// one that refuses, ones that lie, and ones that go away.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include "core/machine.h"
#include "virtio/disk.h"
#include "virtio/nbd_address.h"
#include "virtio/nbd_process.h"
#include "ktap.h"
#include "nbd_server.h"
#include "process_self.h"
#include "scratch.h"

#define MIB	(1u << 20)
#define SIZE	(8 * MIB)

static struct machine machine;
static unsigned int nr_warnings;
static char warning[256];
static struct nbd_server *server; /* shared with its process */
static pid_t server_pid;
static char name[160];
static uint8_t data[2 * MIB], got[2 * MIB];

void machine_warn(struct machine *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(warning, sizeof(warning), fmt, ap);
	va_end(ap);
	nr_warnings++;
}

static void serve_on(int listener)
{
	int fd;

	server_pid = fork();
	if (server_pid)
		return;
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		nbd_server_serve(server, fd);
		close(fd);
		__atomic_fetch_add(&server->ends, 1, __ATOMIC_SEQ_CST);
	}
	_exit(0);
}

/* Starts a server of a file of SIZE bytes, and names it in @name. */
static void serve(struct nbd_server s)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	KTAP_TRUE(mkdtemp(strcpy(scratch_dir, "/tmp/armvmm-test.XXXXXX")));
	server = mmap(NULL, sizeof(*server), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	s.fd = memfd_create("served", MFD_CLOEXEC);
	if (!s.size)
		s.size = SIZE;
	KTAP_EQ(ftruncate(s.fd, SIZE), 0);
	*server = s;
	strcpy(sun.sun_path, path("nbd"));
	KTAP_EQ(bind(listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	KTAP_EQ(listen(listener, 4), 0);
	serve_on(listener);
	close(listener);
	snprintf(name, sizeof(name), "nbd:unix:%s", path("nbd"));
	nr_warnings = 0;
}

static void server_ends(void)
{
	if (server_pid > 0) {
		kill(server_pid, SIGKILL);
		waitpid(server_pid, NULL, 0);
	}
	server_pid = 0;
	close(server->fd);
	munmap(server, sizeof(*server));
	unlink(path("nbd"));
	rmdir(scratch_dir);
}

/* The same, at a port. */
static void serve_tcp(struct nbd_server s)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(in);

	serve(s);
	kill(server_pid, SIGKILL);
	waitpid(server_pid, NULL, 0);
	KTAP_EQ(bind(listener, (struct sockaddr *)&in, sizeof(in)), 0);
	KTAP_EQ(listen(listener, 4), 0);
	getsockname(listener, (struct sockaddr *)&in, &len);
	serve_on(listener);
	close(listener);
	snprintf(name, sizeof(name), "nbd://127.0.0.1:%u", ntohs(in.sin_port));
}

static int opens(struct disk *disk, bool readonly, struct error *err)
{
	struct disk_config config = { .path = name, .readonly = readonly };

	memset(err, 0, sizeof(*err));
	return disk_open(disk, &machine, &config, err);
}

static void opened(struct disk *disk)
{
	struct error err;

	if (opens(disk, false, &err)) {
		printf("# %s\n", err.text);
		exit(1);
	}
}

static int moves(struct disk *disk, bool write, uint8_t *at, size_t len, uint64_t offset)
{
	/* In three pieces of odd lengths. */
	struct iovec iov[] = { { at, len / 3 | 1 }, { at + (len / 3 | 1), 7 },
			       { at + (len / 3 | 1) + 7, len - (len / 3 | 1) - 7 } };

	return write ? disk_write(disk, iov, 3, offset) : disk_read(disk, iov, 3, offset);
}

static void fill(unsigned int seed)
{
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 5 + (i >> 8) + (i >> 16) + seed;
}

static bool served_is(const uint8_t *want, size_t len, off_t at)
{
	return pread(server->fd, got, len, at) == (ssize_t)len && !memcmp(got, want, len);
}

static void test_works(void)
{
	static const size_t lens[] = { 512, 4096, 256 << 10, (256 << 10) + 512, sizeof(data) };
	struct error err;
	struct disk disk;

	serve((struct nbd_server){ .name = NULL });
	opened(&disk);
	KTAP_EQ(disk_size(&disk), SIZE);
	KTAP_EQ(disk_allocated(&disk), SIZE);
	KTAP_EQ(disk.block, 512);
	KTAP_TRUE(disk.can_discard && !disk.readonly);
	KTAP_EQ(strlen(disk.serial), DISK_SERIAL_MAX);
	for (unsigned int i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		fill(i);
		KTAP_EQ(moves(&disk, true, data, lens[i], 512 * (i + 1)), 0);
		KTAP_TRUE(served_is(data, lens[i], 512 * (i + 1)));
		memset(got, 0xee, sizeof(got));
		KTAP_EQ(moves(&disk, false, got, lens[i], 512 * (i + 1)), 0);
		KTAP_MEMEQ(got, data, lens[i]);
	}
	/* Its last bytes; nothing is read without waiting. */
	KTAP_EQ(moves(&disk, true, data, 512, SIZE - 512), 0);
	KTAP_TRUE(served_is(data, 512, SIZE - 512));
	KTAP_EQ(disk_read_cached(&disk, &(struct iovec){ got, 512 }, 1, 512, 0), -EAGAIN);
	KTAP_EQ(server->flushes, 0);
	KTAP_EQ(disk_flush(&disk), 0);
	KTAP_EQ(server->flushes, 1);

	memset(data, 0, MIB);
	KTAP_EQ(disk_discard(&disk, 4096, MIB), 0);
	KTAP_TRUE(served_is(data, MIB, 4096));
	fill(9);
	KTAP_EQ(moves(&disk, true, data, MIB, 0), 0);
	KTAP_EQ(disk_zero(&disk, 512, 4096, true), 0);
	KTAP_EQ(disk_zero(&disk, 8192, 512, false), 0);
	KTAP_TRUE(served_is(data, 512, 0));
	memset(data, 0, 4096);
	KTAP_TRUE(served_is(data, 4096, 512) && served_is(data, 512, 8192));

	KTAP_TRUE(!disk_resized(&disk));
	KTAP_EQ(disk_resize(&disk, SIZE, &err), 0);
	KTAP_EQ(disk_resize(&disk, 2 * SIZE, &err), -ENOTSUP);
	KTAP_STREQ(err.text, "it has the size that its server gave it, 8388608 bytes");
	KTAP_EQ(disk_claim(&disk, &err), 0);
	KTAP_EQ(nr_warnings, 0);
	disk_close(&disk);
	server_ends();
}

/* More threads than slots, each with its own part of the disk. */
static void *thread_moves(void *opaque)
{
	static unsigned int next;
	unsigned int n = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
	uint8_t *bytes = malloc(MIB), *back = malloc(MIB);
	uintptr_t bad = 0;

	for (unsigned int i = 0; i < 8; i++) {
		memset(bytes, n * 16 + i, MIB);
		bad += moves(opaque, true, bytes, MIB, (uint64_t)n * MIB) != 0;
		bad += moves(opaque, false, back, MIB, (uint64_t)n * MIB) != 0;
		bad += memcmp(bytes, back, MIB) != 0;
		bad += disk_flush(opaque) != 0;
	}
	free(bytes);
	free(back);
	return (void *)bad;
}

static void test_threads(void)
{
	pthread_t thread[8];
	struct disk disk;
	void *bad;

	serve((struct nbd_server){ .name = NULL });
	opened(&disk);
	for (unsigned int i = 0; i < 8; i++)
		KTAP_EQ(pthread_create(&thread[i], NULL, thread_moves, &disk), 0);
	for (unsigned int i = 0; i < 8; i++) {
		KTAP_EQ(pthread_join(thread[i], &bad), 0);
		KTAP_TRUE(!bad);
	}
	KTAP_EQ(server->flushes, 64);
	disk_close(&disk);
	server_ends();
}

/* A server that can do little. */
static void test_plain_server(void)
{
	struct error err;
	struct disk disk;

	serve((struct nbd_server){ .no_flush = true, .no_trim = true, .no_zero = true,
				   .block = 4096, .name = "a/b" });
	KTAP_EQ(opens(&disk, false, &err), -EPROTO);
	KTAP_TRUE(strstr(err.text, "server has no export named ''"));
	strcat(name, ":exportname=a/b");
	opened(&disk);
	KTAP_EQ(disk.block, 4096);
	KTAP_TRUE(!disk.can_discard);
	fill(1);
	KTAP_EQ(moves(&disk, true, data, MIB, 0), 0);
	KTAP_EQ(disk_zero(&disk, 4096, 64 << 10, true), 0);
	KTAP_TRUE(served_is(data, 4096, 0));
	memset(data, 0, 64 << 10);
	KTAP_TRUE(served_is(data, 64 << 10, 4096));
	KTAP_EQ(disk_flush(&disk), 0);
	KTAP_EQ(server->flushes, 0);
	disk_close(&disk);
	server_ends();
}

static void test_readonly(void)
{
	struct error err;
	struct disk disk;

	serve((struct nbd_server){ .readonly = true });
	KTAP_EQ(opens(&disk, false, &err), -EROFS);
	KTAP_TRUE(strstr(err.text, ": may be used with ,ro only"));
	KTAP_EQ(opens(&disk, true, &err), 0);
	KTAP_TRUE(!disk.can_discard);
	KTAP_EQ(moves(&disk, false, got, 4096, 0), 0);
	disk_close(&disk);
	server_ends();
}

/* Errors are the request's alone, but for a flush. */
static void test_errors(void)
{
	struct disk disk;

	serve((struct nbd_server){ .error = 28 });
	opened(&disk);
	KTAP_EQ(moves(&disk, true, data, 4096, 8192), -ENOSPC);
	KTAP_EQ(nr_warnings, 1);
	KTAP_TRUE(strstr(warning, ": write at byte 8192: No space left on device"));
	server->error = 5;
	KTAP_EQ(moves(&disk, false, got, 4096, 0), -EIO);
	KTAP_EQ(disk_discard(&disk, 0, 4096), -EIO);
	KTAP_EQ(disk_zero(&disk, 0, 4096, true), -EIO);
	KTAP_EQ(nr_warnings, 4);
	server->error = 0;
	KTAP_EQ(moves(&disk, true, data, 4096, 0), 0);
	KTAP_EQ(disk_flush(&disk), 0);
	/* A server that takes the command, but cannot: the zeroes are written. */
	server->error = 95;
	KTAP_TRUE(disk_zero(&disk, 0, 4096, true) < 0);
	server->error = 5;
	KTAP_EQ(disk_flush(&disk), -EIO);
	server->error = 0;
	KTAP_EQ(disk_flush(&disk), -EIO);
	KTAP_EQ(moves(&disk, true, data, 4096, 0), 0);
	disk_close(&disk);
	server_ends();
}

/* A server that is gone, or lies, or hangs: errors, one message, and no waiting. */
static void test_lost(void)
{
	static const enum nbd_server_lie lies[] = { NBD_LEAVES, NBD_HALF, NBD_BAD_MAGIC,
						    NBD_BAD_COOKIE, NBD_HANGS };

	for (unsigned int i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct disk disk;
		gint64 start;

		serve((struct nbd_server){ .lie = lies[i] });
		opened(&disk);
		start = g_get_monotonic_time();
		KTAP_EQ(moves(&disk, false, got, 4096, 0), -EIO);
		KTAP_TRUE(g_get_monotonic_time() - start < 10 * G_USEC_PER_SEC);
		KTAP_EQ(nr_warnings, 1);
		KTAP_TRUE(strstr(warning, lies[i] == NBD_HANGS ? "the server does not answer" :
					  "its process has ended"));
		start = g_get_monotonic_time();
		for (unsigned int j = 0; j < 100; j++) {
			KTAP_EQ(moves(&disk, true, data, 4096, 0), -EIO);
			KTAP_EQ(disk_flush(&disk), -EIO);
		}
		KTAP_TRUE(g_get_monotonic_time() - start < G_USEC_PER_SEC / 2);
		/* One of the flush. */
		KTAP_EQ(nr_warnings, 2);
		/* The main loop finds what the process said, and no end. */
		for (unsigned int j = 0; j < 20; j++) {
			while (g_main_context_iteration(NULL, FALSE))
				;
			g_usleep(5000);
		}
		KTAP_TRUE(!g_main_context_pending(NULL));
		disk_close(&disk);
		server_ends();
	}
}

static bool served_ends(void)
{
	for (unsigned int i = 0; i < 2000; i++) {
		if (__atomic_load_n(&server->ends, __ATOMIC_SEQ_CST))
			return true;
		g_usleep(5000);
	}
	return false;
}

/*
 * What the guest is told has failed is not written when the server goes on: more than the server's
 * host has of it by then. Nor is what comes later, by the memory of the slot.
 */
static void check_not_written(void)
{
	static const uint8_t zeroes[NBD_SLOT_SIZE];
	struct disk disk;

	opened(&disk);
	fill(1);
	KTAP_EQ(moves(&disk, true, data, NBD_SLOT_SIZE, MIB), -EIO);
	KTAP_TRUE(strstr(warning, "the server does not answer in time: the guest gets errors from now on"));
	KTAP_TRUE(!strstr(warning, "may still be written"));
	fill(2);
	KTAP_EQ(moves(&disk, true, data, NBD_SLOT_SIZE, 0), -EIO);
	__atomic_store_n(&server->go, true, __ATOMIC_SEQ_CST);
	KTAP_TRUE(served_ends());
	KTAP_TRUE(served_is(zeroes, sizeof(zeroes), MIB));
	KTAP_TRUE(served_is(zeroes, sizeof(zeroes), 0));
	disk_close(&disk);
	server_ends();
}

static void test_not_written_later(void)
{
	serve((struct nbd_server){ .lie = NBD_STALLS });
	check_not_written();
	serve_tcp((struct nbd_server){ .lie = NBD_STALLS });
	check_not_written();
}

/* A farewell arrives. */
static void test_farewell(void)
{
	struct disk disk;

	serve_tcp((struct nbd_server){ .name = NULL });
	opened(&disk);
	KTAP_EQ(moves(&disk, true, data, 4096, 0), 0);
	disk_close(&disk);
	KTAP_TRUE(served_ends());
	KTAP_TRUE(server->farewell);
	server_ends();
}

/* A server that answers each piece in time, but not the whole request. */
static void test_just_in_time(void)
{
	struct disk disk;
	gint64 start;

	for (unsigned int i = 0; i < 3; i++) {
		/* literal: of this program's patience, and 2 MiB at its slowest */
		const gint64 most = 3500000;

		serve((struct nbd_server){ .delay_ms = 700, .no_zero = true });
		opened(&disk);
		start = g_get_monotonic_time();
		if (i == 2)
			KTAP_EQ(disk_zero(&disk, 0, sizeof(data), false), -EIO);
		else
			KTAP_EQ(moves(&disk, i, data, sizeof(data), 0), -EIO);
		KTAP_TRUE(g_get_monotonic_time() - start < most);
		KTAP_TRUE(strstr(warning, "the server does not answer in time"));
		disk_close(&disk);
		server_ends();
	}
	/* One that is slow all the time is not given up. */
	serve((struct nbd_server){ .delay_ms = 60 });
	opened(&disk);
	fill(5);
	KTAP_EQ(moves(&disk, true, data, sizeof(data), 0), 0);
	KTAP_TRUE(served_is(data, sizeof(data), 0));
	KTAP_EQ(nr_warnings, 0);
	disk_close(&disk);
	server_ends();
}

static bool gives_up;	/* atomic: the guest has reset its disk */

static bool is_given_up(const struct disk *disk)
{
	return __atomic_load_n(&gives_up, __ATOMIC_SEQ_CST);
}

static void *gives_up_soon(void *opaque)
{
	/* The server has begun. */
	while (!__atomic_load_n(&server->begun, __ATOMIC_SEQ_CST))
		g_usleep(1000);
	__atomic_store_n(&gives_up, true, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Begins something, which is given up. Returns its result at once. */
static int abandoned(struct disk *disk, int (*begins)(struct disk *disk))
{
	pthread_t thread;
	gint64 start;
	int ret;

	server->begun = 0;
	KTAP_EQ(pthread_create(&thread, NULL, gives_up_soon, NULL), 0);
	start = g_get_monotonic_time();
	ret = begins(disk);
	KTAP_TRUE(g_get_monotonic_time() - start < 500000);
	KTAP_EQ(pthread_join(thread, NULL), 0);
	/* And nothing new is begun. */
	KTAP_EQ(moves(disk, false, got, 4096, 0), -ECANCELED);
	__atomic_store_n(&gives_up, false, __ATOMIC_SEQ_CST);
	return ret;
}

static int writes_all(struct disk *disk)
{
	return moves(disk, true, data, sizeof(data), 0);
}

static int reads_all(struct disk *disk)
{
	return moves(disk, false, got, sizeof(got), 0);
}

/*
 * A guest that resets its disk waits for no server; and what was begun is not written over what it
 * writes next.
 */
static void test_abandoned(void)
{
	struct disk disk;

	serve((struct nbd_server){ .delay_ms = 800 });
	opened(&disk);
	disk.abandoned = is_given_up;
	fill(1);
	KTAP_EQ(abandoned(&disk, writes_all), -ECANCELED);
	fill(2);
	KTAP_EQ(moves(&disk, true, data, 4096, 0), 0);
	KTAP_TRUE(served_is(data, 4096, 0));
	/* It was not even asked for before. */
	KTAP_TRUE(!server->overtaken);
	/* The rest of the first piece, and no other. */
	fill(1);
	KTAP_TRUE(served_is(data + 4096, NBD_SLOT_SIZE - 4096, 4096));
	memset(data, 0, sizeof(data));
	KTAP_TRUE(served_is(data, MIB, NBD_SLOT_SIZE));
	/* A flush that nobody waits for is no failure, unless the server says so. */
	KTAP_EQ(abandoned(&disk, disk_flush), -ECANCELED);
	KTAP_EQ(disk_flush(&disk), 0);
	KTAP_EQ(server->flushes, 2);
	server->error = 5;
	KTAP_EQ(abandoned(&disk, disk_flush), -ECANCELED);
	for (unsigned int i = 0; i < 2000 && server->flushes < 3; i++)
		g_usleep(5000);
	server->error = 0;
	KTAP_EQ(nr_warnings, 0);
	KTAP_EQ(disk_flush(&disk), -EIO);
	/* All of that took no slot for good. */
	server->delay_ms = 0;
	for (unsigned int i = 0; i < 8; i++)
		KTAP_EQ(moves(&disk, true, data, 4096, 0), 0);
	disk_close(&disk);
	server_ends();
	/* One that never answers is given up by who comes next; at the end nobody waits. */
	for (unsigned int i = 0; i < 2; i++) {
		gint64 start;

		serve((struct nbd_server){ .lie = NBD_HANGS });
		opened(&disk);
		disk.abandoned = is_given_up;
		KTAP_EQ(abandoned(&disk, reads_all), -ECANCELED);
		KTAP_EQ(nr_warnings, 0);
		if (!i)
			KTAP_EQ(moves(&disk, false, got, 4096, 0), -EIO);
		start = g_get_monotonic_time();
		disk_close(&disk);
		KTAP_TRUE(g_get_monotonic_time() - start < 500000);
		server_ends();
	}
}

/* The server is killed while nobody asks it anything. */
static void test_killed(void)
{
	struct disk disk;

	serve((struct nbd_server){ .name = NULL });
	opened(&disk);
	kill(server_pid, SIGKILL);
	waitpid(server_pid, NULL, 0);
	server_pid = 0;
	for (unsigned int i = 0; i < 1000 && nr_warnings < 2; i++) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(5000);
	}
	KTAP_TRUE(strstr(warning, "its process has ended: the guest gets errors from now on"));
	KTAP_EQ(moves(&disk, false, got, 4096, 0), -EIO);
	disk_close(&disk);
	server_ends();
}

static void test_refused(void)
{
	static const struct {
		struct nbd_server server;
		const char *why;
	} cases[] = {
		{ { .lie = NBD_BAD_GREETING }, "magic" },
		{ { .lie = NBD_BAD_OPTION }, "nbd_connect_socket" },
		{ { .size = 1000 }, "its size, 1000 bytes, is not a multiple of 512" },
		{ { .size = 8192 + 512, .block = 4096 },
		  "its size, 8704 bytes, is not a multiple of 4096" },
	};
	struct error err;
	struct disk disk;

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		serve(cases[i].server);
		KTAP_TRUE(opens(&disk, false, &err) < 0);
		if (!strstr(err.text, cases[i].why))
			KTAP_FAIL("case %u: %s", i, err.text);
		server_ends();
	}
	snprintf(name, sizeof(name), "nbd:unix:/nowhere/s");
	KTAP_EQ(opens(&disk, false, &err), -ENOENT);
	KTAP_STREQ(err.text,
		   "nbd:unix:/nowhere/s: /nowhere/s: no connection: No such file or directory");
	snprintf(name, sizeof(name), "nbd://127.0.0.1:1");
	KTAP_EQ(opens(&disk, false, &err), -ECONNREFUSED);
	snprintf(name, sizeof(name), "nbds://127.0.0.1");
	KTAP_EQ(opens(&disk, false, &err), -EINVAL);
	KTAP_STREQ(err.text, "nbds://127.0.0.1: there is no TLS here: tunnel it");
}

static void test_tcp(void)
{
	struct disk disk;

	serve_tcp((struct nbd_server){ .name = "x y" });
	strcat(name, "/x%20y");
	opened(&disk);
	fill(3);
	KTAP_EQ(moves(&disk, true, data, MIB, 0), 0);
	KTAP_TRUE(served_is(data, MIB, 0));
	disk_close(&disk);
	server_ends();
}

static void is(const char *text, const char *path, const char *host, const char *port,
	       const char *export)
{
	struct nbd_address a;
	struct error err = { "" };

	if (nbd_address_parse(&a, text, &err)) {
		KTAP_FAIL("%s: %s", text, err.text);
		return;
	}
	KTAP_EQ(a.is_unix, path != NULL);
	KTAP_STREQ(a.path, path ? path : "");
	KTAP_STREQ(a.host, host ? host : "");
	KTAP_STREQ(a.port, port ? port : "");
	KTAP_STREQ(a.name, export);
}

static void test_address(void)
{
	static const char *const bad[] = {
		"nbd:", "nbd:unix:", "nbd:unix::exportname=a", "nbd:host", "nbd:host:", "nbd::1",
		"nbd:host:0", "nbd:host:65536", "nbd:a:b:1", "nbd:[::1:1", "nbd:]:1", "nbd:[:1",
		"nbd:[]:1", "nbd://", "nbd:///x", "nbd://host:0", "nbd://host:70000", "nbd://u@host",
		"nbd://host/x?socket=/a", "nbd://host/x#y", "nbd+unix:///x", "nbd+unix:///?socket=",
		"nbd+unix://host/?socket=/a", "nbd+unix:///?socket=/a&b=c", "nbd+unix:///?sock=/a",
		"nbd://ho st", "nbd://h/%00", "nbd+unix:///?socket=%00", "nbd://h/%zz",
	};
	char far[2100];
	struct nbd_address a;
	struct error err;

	is("nbd:unix:/run/s", "/run/s", NULL, NULL, "");
	is("nbd:unix:a:b:exportname=c:d", "a:b", NULL, NULL, "c:d");
	is("nbd:unix:a:exportname=", "a", NULL, NULL, "");
	is("nbd:host:10809", NULL, "host", "10809", "");
	is("nbd:[fe80::1]:9:exportname=e", NULL, "fe80::1", "9", "e");
	is("nbd://host", NULL, "host", "10809", "");
	is("nbd://host/", NULL, "host", "10809", "");
	is("nbd://host:123/a/b%20c", NULL, "host", "123", "a/b c");
	is("nbd://[::1]/x", NULL, "::1", "10809", "x");
	is("nbd+unix:///?socket=/run/s%2C1", "/run/s,1", NULL, NULL, "");
	is("nbd+unix:///name?socket=s", "s", NULL, NULL, "name");
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!nbd_address_parse(&a, bad[i], &err))
			KTAP_FAIL("%s is taken", bad[i]);
	memset(far, 'a', sizeof(far));
	far[sizeof(far) - 1] = '\0';
	memcpy(far, "nbd:unix:", 9);
	KTAP_EQ(nbd_address_parse(&a, far, &err), -EINVAL);
	memcpy(far, "nbd://h/a", 9);
	KTAP_EQ(nbd_address_parse(&a, far, &err), -EINVAL);
	far[8 + 1023] = '\0';
	KTAP_EQ(nbd_address_parse(&a, far, &err), 0);
}

__attribute__((constructor)) static void no_signals(void)
{
	signal(SIGPIPE, SIG_IGN);
}

KTAP_MAIN(KTAP_CASE(test_works), KTAP_CASE(test_threads), KTAP_CASE(test_plain_server),
	  KTAP_CASE(test_readonly), KTAP_CASE(test_errors), KTAP_CASE(test_lost),
	  KTAP_CASE(test_not_written_later), KTAP_CASE(test_farewell),
	  KTAP_CASE(test_just_in_time),
	  KTAP_CASE(test_abandoned), KTAP_CASE(test_killed), KTAP_CASE(test_refused),
	  KTAP_CASE(test_tcp),
	  KTAP_CASE(test_address))
