/* SPDX-License-Identifier: GPL-2.0-only */
/* A register of the CPU that a plugin is called on, as QEMU's plugins read it. */
#ifndef TESTS_COHERENCY_REGISTER_H
#define TESTS_COHERENCY_REGISTER_H

#include <glib.h>
#include <stdint.h>
#include <string.h>

#include <qemu-plugin.h>

static inline uint64_t register_read(struct qemu_plugin_register *reg)
{
	static __thread GByteArray *buf;
	uint64_t val = 0;
	int n;

	if (!buf)
		buf = g_byte_array_new();
	g_byte_array_set_size(buf, 0);
	n = qemu_plugin_read_register(reg, buf);
	if (n > 0)
		memcpy(&val, buf->data, n > 8 ? 8 : n);
	return val;
}

#endif
