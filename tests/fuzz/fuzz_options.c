// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/options.c userspace/armvmm-run/options_file.c
// sources: userspace/armvmm-run/core/cpupart.c
// sources: userspace/armvmm-run/control/address.c userspace/armvmm-run/control/metrics_option.c userspace/armvmm-run/gdb/gdb_address.c
// sources: userspace/armvmm-run/core/endpoint.c userspace/armvmm-run/incoming_address.c
// sources: userspace/armvmm-run/boot/freebsd.c userspace/armvmm-run/hw/bvm_console.c
// sources: userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/device_type.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/fdt_builder.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/identity.c userspace/armvmm-run/core/iov.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/message.c
// sources: userspace/armvmm-run/core/parse.c userspace/armvmm-run/hw/pl011.c
// sources: userspace/armvmm-run/hw/pl031.c userspace/armvmm-run/hw/pl061.c
// sources: userspace/armvmm-run/hw/flash.c userspace/armvmm-run/hw/cfi.c userspace/armvmm-run/hw/fwcfg.c
// sources: userspace/armvmm-run/core/filelock.c
// sources: userspace/armvmm-run/net/net.c userspace/armvmm-run/net/net_slirp.c
// sources: userspace/armvmm-run/net/net_tap.c userspace/armvmm-run/net/net_stream.c
// sources: userspace/armvmm-run/net/slirp_config.c
// sources: userspace/armvmm-run/core/process.c userspace/armvmm-run/core/userns.c
// sources: userspace/armvmm-run/virtio/blk_request.c userspace/armvmm-run/virtio/disk.c userspace/armvmm-run/virtio/disk_file.c
// sources: userspace/armvmm-run/virtio/disk_format.c userspace/armvmm-run/virtio/virtio_blk.c
// sources: userspace/armvmm-run/virtio/vhost_user_blk.c userspace/armvmm-run/virtio/vhost_user.c
// sources: userspace/armvmm-run/virtio/vhost_wire.c userspace/armvmm-run/virtio/virtio_fs.c
// sources: userspace/armvmm-run/virtio/virtio_console.c userspace/armvmm-run/virtio/virtio_mmio.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/virtio/console_port.c userspace/armvmm-run/virtio/console_control.c
// sources: userspace/armvmm-run/chardev/backend.c userspace/armvmm-run/chardev/stdio.c userspace/armvmm-run/core/chardev_backend.c
// sources: userspace/armvmm-run/chardev/null.c userspace/armvmm-run/chardev/file.c userspace/armvmm-run/chardev/channel.c
// sources: userspace/armvmm-run/chardev/unix.c userspace/armvmm-run/chardev/pty.c userspace/armvmm-run/core/output.c
// sources: userspace/armvmm-run/virtio/virtio_net.c userspace/armvmm-run/virtio/virtio_rng.c
// sources: userspace/armvmm-run/virtio/virtio_balloon.c userspace/armvmm-run/virtio/virtio_vsock.c
// sources: userspace/armvmm-run/virtio/vhost.c userspace/armvmm-run/virtio/vhost_kernel.c
// sources: userspace/armvmm-run/net/vsock.c userspace/armvmm-run/net/vsock_dial.c
// sources: userspace/armvmm-run/net/vsock_conn.c userspace/armvmm-run/net/vsock_input.c userspace/armvmm-run/net/vsock_output.c
// sources: userspace/armvmm-run/core/named_socket.c
// sources: userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/rate.c
// sources: userspace/armvmm-run/core/thread.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c userspace/armvmm-run/machines/vexpress.c
// sources: userspace/armvmm-run/hw/ramoops.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Idriver -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wno-unused
// pkgs: glib-2.0
// libs: -lfdt -lpthread
/*
 * The command line, one word on each line of the input: it is accepted, or refused with one line,
 * and everything that was allocated for it can be freed.
 */
#include "options_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char text[4096], *argv[64] = { (char *)"armvmm-run" }, *at = text;
	struct error err = { "" };
	struct config config;
	int argc = 1;

	if (len >= sizeof(text))
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	/* @FILE and --config would read a file of this machine; some never end. */
	for (size_t i = 0; i < len; i++)
		if (text[i] == '@' || (text[i] == '/' && strstr(text, "--conf")))
			text[i] = 'a';
	while (argc < 63 && at) {
		char *word = strsep(&at, "\n");

		argv[argc++] = word;
	}
	argv[argc] = NULL;
	switch (options_parse(&config, argc, argv, &err)) {
	case OPTIONS_RUN:
		options_fuzz_check(&config);
		break;
	case OPTIONS_HELP:
	case OPTIONS_DEVICES:
	case OPTIONS_MACHINES:
	case OPTIONS_VERSION:
		break;
	default:
		FUZZ_MUST(err.text[0] && !strchr(err.text, '\n'));
	}
	options_free(&config);
	return 0;
}
