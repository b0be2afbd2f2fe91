// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/net/slirp_stack.c userspace/armvmm-run/net/fragments.c userspace/armvmm-run/core/error.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
// pkgs: glib-2.0 slirp
// max_len: 2048
/*
 * A guest's frames to libslirp: raw ones, and ones with valid headers, which get past the first
 * checks. Nothing leaves this machine: libslirp calls this program's send(), sendto() and
 * connect(). libslirp itself is not instrumented: of its errors only those on the heap are found.
 */
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>

#include "armvmm-run/inet_checksum.h"
#include "fuzz.h"
#include "net/slirp_stack.h"

/* A host without a network. A namespace would do too, but a plain user may not get one. */
static int unreachable(void)
{
	errno = ENETUNREACH;
	return -1;
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	return unreachable();
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
	return unreachable();
}

ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to,
	       socklen_t to_len)
{
	return unreachable();
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	/*
	 * The guest's packets must not reach the Internet: libslirp must bind to these functions.
	 */
	FUZZ_MUST(dlsym(RTLD_DEFAULT, "connect") == (void *)connect);
	FUZZ_MUST(dlsym(RTLD_DEFAULT, "send") == (void *)send);
	FUZZ_MUST(dlsym(RTLD_DEFAULT, "sendto") == (void *)sendto);
	return 0;
}

static void output(void *opaque, const void *frame, size_t len)
{
	static uint8_t sink[SLIRP_FRAME_MAX];

	FUZZ_MUST(len <= SLIRP_FRAME_MAX);
	memcpy(sink, frame, len);
}

static void note(void *opaque, const char *text)
{
	FUZZ_MUST(*text);
}

static const struct slirp_stack_ops ops = { .output = output, .note = note };

/* Writes Ethernet and IPv4 headers; the input gives protocol, address, length and fragment. */
static size_t ipv4(uint8_t *frame, struct fuzz *f, size_t payload)
{
	uint8_t *ip = frame + 14, how = fuzz_u8(f);
	uint16_t sum;

	memcpy(frame, (uint8_t[]){ 0x52, 0x55, 10, 0, 2, 2, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 8, 0 },
	       14);
	memset(ip, 0, 20);
	ip[0] = 0x45;
	ip[2] = (20 + payload) >> 8;
	ip[3] = 20 + payload;
	ip[5] = how >> 6;
	ip[6] = how & 8 ? fuzz_u8(f) & 0x3f : 0;
	ip[7] = how & 8 ? fuzz_u8(f) : 0;
	ip[8] = 64;
	ip[9] = (uint8_t[]){ 1, 6, 17, 17, 6, 1, 2, 41 }[how & 7];
	memcpy(ip + 12, (uint8_t[]){ 10, 0, 2, 15, 10, 0, 2, (how >> 4 & 3) + 2 }, 8);
	sum = inet_checksum(ip, 20);
	ip[10] = sum >> 8;
	ip[11] = sum;
	return 34;
}

static void turn(struct slirp_stack *s)
{
	unsigned int nr;
	int timeout;
	struct pollfd *fds = slirp_stack_prepare(s, false, &nr, &timeout);

	FUZZ_MUST(nr >= 1);
	fds[0] = (struct pollfd){ .fd = -1 };
	poll(fds, nr, 0);
	slirp_stack_dispatch(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct slirp_config config = { .mask = 0 };
	struct fuzz f = { data, len };
	uint8_t how = fuzz_u8(&f), frame[SLIRP_FRAME_MAX + 8];
	struct error err = { "" };
	struct slirp_stack *s;
	int ret;

	config.restrict_ = how & 1;
	config.loopback = how & 2;
	config.no_ipv6 = how & 4;
	s = slirp_stack_new(&config, &ops, NULL, &ret, &err);
	FUZZ_MUST(s);
	while (f.len) {
		uint8_t what = fuzz_u8(&f);
		size_t payload = what & 1 ? fuzz_u8(&f) : fuzz_u16(&f) % sizeof(frame), at = 0;

		if (what & 2) {
			if (payload > SLIRP_FRAME_MAX - 34)
				payload = SLIRP_FRAME_MAX - 34;
			at = ipv4(frame, &f, payload);
		}
		fuzz_bytes(&f, frame + at, payload);
		slirp_stack_input(s, frame, at + payload);
		if (what & 4)
			turn(s);
	}
	slirp_stack_free(s);
	return 0;
}
