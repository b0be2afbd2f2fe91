/* SPDX-License-Identifier: GPL-2.0-only */
/* A test defines what eventfds do. */
#ifndef FAKE_LINUX_EVENTFD_H
#define FAKE_LINUX_EVENTFD_H

struct eventfd_ctx;

struct eventfd_ctx *eventfd_ctx_fdget(int fd);
void eventfd_ctx_put(struct eventfd_ctx *ctx);
void eventfd_signal(struct eventfd_ctx *ctx);

#endif
