# SPDX-License-Identifier: GPL-2.0-only
# Compilers that remember what they made of the same text (ccache), where they are installed. What they
# know is kept beside what was fetched; scripts/lib.sh has the same for scripts. CCACHE_DISABLE=1 in
# the environment does without. What a file includes ccache learns from the compiler's own list (-MMD):
# to preprocess each file first cost a fifth of a build of which nothing was known.
ifneq ($(and $(wildcard /usr/lib/ccache/.),$(or $(ARMVMM_CACHE),$(XDG_CACHE_HOME),$(HOME))),)
export PATH := /usr/lib/ccache:$(PATH)
export CCACHE_DIR ?= $(or $(ARMVMM_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/armvmm)/ccache
export CCACHE_MAXSIZE ?= 2G
export CCACHE_DEPEND ?= 1
endif
