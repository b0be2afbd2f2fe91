/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_MODULE_H
#define FAKE_LINUX_MODULE_H
/* A test may write a parameter, as its file's writer does. */
#define module_param(name, type, mode)	__typeof__(name) *const fake_param_##name = &name
#define MODULE_PARM_DESC(name, text)	_Static_assert(1, "")
#endif
