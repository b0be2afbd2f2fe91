/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BOARD_LINUX_ATOMIC_H
#define BOARD_LINUX_ATOMIC_H
#endif
