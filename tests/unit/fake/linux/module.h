/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_MODULE_H
#define FAKE_LINUX_MODULE_H
#define module_param(name, type, mode)	_Static_assert(1, "")
#define MODULE_PARM_DESC(name, text)	_Static_assert(1, "")
#endif
