// SPDX-License-Identifier: GPL-2.0-only
/*
 * kexecload ZIMAGE INITRD BOOTARGS: loads a kernel, which `kexecload --go` enters. It gets the
 * running kernel's device tree with these two in it. On 32-bit Arm the host finds the tree among
 * the segments, so that no purgatory is needed. Debian's kexec would need the libraries of Xen.
 */
#include <errno.h>
#include <fcntl.h>
#include <libfdt.h>
#include <linux/reboot.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE		4096u
#define KEXEC_ARCH_ARM	(40u << 16)
/* Offsets in RAM: behind the unpacked kernel, with room for each. */
#define AT_KERNEL	(48u << 20)
#define AT_DTB		(60u << 20)
#define AT_INITRD	(64u << 20)
#define DTB_ROOM	(1u << 20)

struct segment {
	void *buf;
	size_t size;
	unsigned long mem;
	size_t mem_size;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void *read_file(const char *path, size_t *size)
{
	size_t room = 1u << 20, len = 0;
	char *buf = malloc(room);
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0 || !buf)
		die(path);
	while ((n = read(fd, buf + len, room - len)) > 0) {
		len += n;
		if (len == room) {
			room *= 2;
			buf = realloc(buf, room);
			if (!buf)
				die(path);
		}
	}
	if (n < 0)
		die(path);
	close(fd);
	*size = len;
	return buf;
}

/* Gives /chosen a new command line and initrd. */
static void edit_dtb(void *fdt, const char *bootargs, uint32_t start, uint32_t end)
{
	int chosen = fdt_path_offset(fdt, "/chosen");

	if (chosen < 0 || fdt_setprop_string(fdt, chosen, "bootargs", bootargs) ||
	    fdt_setprop_u32(fdt, chosen, "linux,initrd-start", start) ||
	    fdt_setprop_u32(fdt, chosen, "linux,initrd-end", end) || fdt_pack(fdt)) {
		fprintf(stderr, "kexecload: the device tree cannot be edited\n");
		exit(1);
	}
}

/* The start of RAM, by the first memory node with one or two address cells. */
static uint32_t ram_base(const void *fdt)
{
	int node = fdt_node_offset_by_prop_value(fdt, -1, "device_type", "memory", 7), len;
	const fdt32_t *reg = node < 0 ? NULL : fdt_getprop(fdt, node, "reg", &len);

	if (!reg || len < 8) {
		fprintf(stderr, "kexecload: the device tree tells no memory\n");
		exit(1);
	}
	return fdt32_to_cpu(reg[fdt_address_cells(fdt, 0) - 1]);
}

static struct segment segment(void *buf, size_t size, uint32_t at)
{
	return (struct segment){ buf, size, at, (size + PAGE - 1) & ~(size_t)(PAGE - 1) };
}

int main(int argc, char **argv)
{
	size_t kernel_size, initrd_size, fdt_size;
	void *kernel, *initrd, *fdt, *old;
	struct segment segments[3];
	uint32_t ram;

	if (argc == 2 && !strcmp(argv[1], "--go")) {
		syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			LINUX_REBOOT_CMD_KEXEC, NULL);
		die("kexec");
	}
	if (argc != 4)
		return 2;
	kernel = read_file(argv[1], &kernel_size);
	initrd = read_file(argv[2], &initrd_size);
	old = read_file("/sys/firmware/fdt", &fdt_size);
	fdt = malloc(DTB_ROOM);
	if (!fdt || fdt_open_into(old, fdt, DTB_ROOM))
		die("/sys/firmware/fdt");
	ram = ram_base(fdt);
	edit_dtb(fdt, argv[3], ram + AT_INITRD, ram + AT_INITRD + initrd_size);
	segments[0] = segment(kernel, kernel_size, ram + AT_KERNEL);
	segments[1] = segment(fdt, fdt_totalsize(fdt), ram + AT_DTB);
	segments[2] = segment(initrd, initrd_size, ram + AT_INITRD);
	if (kernel_size > AT_DTB - AT_KERNEL) {
		fprintf(stderr, "kexecload: %s is too large\n", argv[1]);
		return 1;
	}
	if (syscall(SYS_kexec_load, ram + AT_KERNEL, 3, segments, KEXEC_ARCH_ARM))
		die("kexec_load");
	return 0;
}
