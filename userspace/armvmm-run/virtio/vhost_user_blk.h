/* SPDX-License-Identifier: GPL-2.0-only */
/* A disk whose requests go to another process, by vhost-user. */
#ifndef ARMVMM_RUN_VHOST_USER_BLK_H
#define ARMVMM_RUN_VHOST_USER_BLK_H

#include "core/error.h"

struct disk_config;
struct machine;

/* As in struct device_type; the config's path is VHOST_USER_WORD and the socket's. */
int vhost_user_blk_create(struct machine *m, const struct disk_config *config, struct error *err);

#endif /* ARMVMM_RUN_VHOST_USER_BLK_H */
