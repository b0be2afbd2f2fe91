# SPDX-License-Identifier: GPL-2.0-only
# Use ccache, if it is installed. Its cache lies in the project's cache folder; scripts/lib.sh does
# the same for scripts. CCACHE_DISABLE=1 in the environment turns it off. ccache learns from the
# compiler's own list (-MMD) what a file includes (CCACHE_DEPEND): when it preprocessed each file
# first, a build with an empty cache took a fifth longer.
ifneq ($(and $(wildcard /usr/lib/ccache/.),$(or $(ARMVMM_CACHE),$(XDG_CACHE_HOME),$(HOME))),)
export PATH := /usr/lib/ccache:$(PATH)
export CCACHE_DIR ?= $(or $(ARMVMM_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/armvmm)/ccache
export CCACHE_MAXSIZE ?= 2G
export CCACHE_DEPEND ?= 1
endif
