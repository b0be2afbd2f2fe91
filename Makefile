# SPDX-License-Identifier: GPL-2.0-only
# armvmm: builds, runs and tests everything. `make help` lists the targets.
#
# On a board the module is built for the running kernel, with KDIR= for that kernel, and otherwise
# for the emulated host HOST. On a board the programs are built for it; elsewhere they are
# cross-built for armhf.

SHELL := /bin/bash
.DEFAULT_GOAL := all
MAKEFLAGS += --no-print-directory

# The build folder: O, or build/, or a folder of the cache if the tree's path has a blank. On
# failure the error message.
B := $(shell ARMVMM_BUILD='$(if $(O),$(abspath $(O)))' scripts/build-folder 2>&1)
$(if $(filter-out 1,$(words $(B))),$(error $(B)))
export ARMVMM_BUILD := $(B)
RELEASE := $(shell cat VERSION)

on_board := $(filter arm%,$(shell uname -m))
HOSTS := 5.10 5.10-lpae 6.1 6.1-lpae 6.1-rt 6.12 6.12-lpae 6.12-rt 7.2 7.2-lpae
# Checkers, of the kernel and of the module; and kernels like those of other distributions, built
# from Debian's sources.
CHECKERS := 6.1-debug 6.1-gcov 6.1-shadow 6.1-race
BOARDS := 6.12-armbian 6.12-openwrt 6.1-up 6.1-odd 7.2-thumb
HOST ?= 6.1
ifneq ($(on_board),)
CROSS_COMPILE ?=
KDIR ?= /lib/modules/$(shell uname -r)/build
else
CROSS_COMPILE ?= arm-linux-gnueabihf-
endif
export CROSS_COMPILE

unknown := $(filter-out $(HOSTS) $(CHECKERS) $(BOARDS),$(HOST))
# HOST picks a kernel where KDIR does not, and programs of a shell's own export it as another thing.
ifneq ($(if $(KDIR),,$(unknown)$(if $(HOST),,none)),)
from := $(if $(filter environment%,$(origin HOST)), (of the environment))
$(error HOST=$(HOST)$(from): there are $(HOSTS) $(CHECKERS) $(BOARDS))
endif

include scripts/ccache.mk

# The compiler of user space: Debian's cross compiler has its version in its name.
ifeq ($(origin CC),default)
# The name only: make's own $(shell) would find a path that is not ccache's.
CC := $(CROSS_COMPILE)gcc$(if $(CROSS_COMPILE),$(if $(shell command -v $(CROSS_COMPILE)gcc-12),-12))
endif

# Cross-built programs use the libraries of a private sysroot, unless PKG_CONFIG is given.
ifeq ($(on_board)$(PKG_CONFIG),)
sysroot = $(shell scripts/sysroot.sh)
user_vars = PKG_CONFIG=$(sysroot)/pkgbin/pkg-config SYSROOT=$(sysroot)
else
user_vars = PKG_CONFIG=$(or $(PKG_CONFIG),pkg-config)
endif

PREFIX ?= /usr/local
# Where /lib is a link to /usr/lib, and in a folder that is to be copied there, files of /lib go to
# /usr/lib: a folder /lib in an archive would take the link's place.
LIBROOT ?= $(shell [ -d '$(DESTDIR)/lib' ] && [ ! -L '$(DESTDIR)/lib' ] || echo /usr)/lib
UDEVDIR ?= $(LIBROOT)/udev/rules.d
UNITDIR ?= $(PREFIX)/lib/systemd/system
INSTALL ?= install

all: module user ## the module and the programs

ifeq ($(KDIR),)
module: setup ## the module for HOST (or for the kernel whose build folder is KDIR)
	@scripts/build-module.sh --host $(HOST)
uapi: setup
	@scripts/uapi-headers.sh
else
# Keep the kernel's own choice of compiler, which Debian's headers have in a file, or that of
# kbuild, if it is installed.
kmod_vars = ARCH=arm CROSS_COMPILE=$(CROSS_COMPILE) \
	$(if $(filter command% environment%,$(origin CC)),\
	CC="$(CC)",$(if $(kmod_has_cc),,CC="$(CC)"))
kmod_has_cc = $(wildcard $(KDIR)/.kernelvariables)$(shell command -v $(CROSS_COMPILE)gcc)
module:
	@scripts/build-module.sh --kdir $(KDIR) --out $(B)/module/native $(kmod_vars)
uapi:
	@scripts/uapi-headers.sh $(KDIR)
endif

modules-all: setup ## the module for every kernel that a mirror offers
	@scripts/modules-all.sh $(HOSTS)

# All processors, unless make was told how many.
jobs = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

# A line that runs one of these begins with +: make does not see that it is a make, and would not
# share its jobs.
userspace = $(MAKE) $(jobs) -C userspace O=$(B) CC="$(CC)" CROSS_COMPILE=$(CROSS_COMPILE) uapi=$(B)/uapi \
	PREFIX=$(PREFIX) $(user_vars)

user: uapi ## libarmvmm, armvmm-run, armvmm-stat, armvmm-exits and armvmm-report
	+@$(userspace)
	+@$(board)

# For tests/coverage-user.
user-counted: uapi
	+@$(userspace) O=$(COUNTED) CFLAGS="$(COUNTED_CFLAGS)" LDFLAGS="$(COUNTED_LDFLAGS)" \
		$(COUNTED_PROGRAMS)

# armvmm-report, and the programs that it runs.
board = $(MAKE) $(jobs) -C tests/board O=$(B)/tests/board CC="$(CC)" CROSS_COMPILE=$(CROSS_COMPILE) \
	uapi=$(B)/uapi PREFIX=$(PREFIX)

# Builds all areas of tests that run on a host.
tests: uapi ## build the tests that run on a host
	@for d in $(or $(AREAS),kselftest guest system); do \
		[ ! -e tests/$$d/Makefile ] || $(MAKE) $(jobs) -C tests/$$d O=$(B)/tests/$$d CC="$(CC)" \
			CROSS_COMPILE=$(CROSS_COMPILE) uapi=$(B)/uapi userspace=$(B)/userspace \
			system=$(B)/tests/system $(user_vars) || exit 1; \
	done

setup: ## install the Debian packages that building and testing need
	@scripts/setup.sh

fetch: setup ## fetch the kernel of HOST, or a newer release of it
	@scripts/fetch-kernel.sh --update $(HOST)

run: ## boot the host, and in it a Debian guest: a shell, or CMD='...'
	@scripts/run --host '$(HOST)' $(if $(value CMD),--cmd '$(subst ','\'',$(value CMD))')

check: ## unit tests, and all tests on the 6.1, 6.1-lpae and 6.12-armbian hosts
	@tests/run unit scripts 6.1 6.1-lpae 6.12-armbian

check-all: ## unit tests, and all tests on every host
	@SLOW=1 tests/run unit scripts fuzz $(HOSTS) $(CHECKERS) $(BOARDS) qemu coherency hyp \
		userspace

check-unit: ## unit tests on the build machine, and those of the scripts
	@tests/run unit scripts

check-fresh: ## does all work on a new machine: a bare Debian 12 with git and make
	@scripts/check-fresh

check-fuzz: ## libFuzzer on pure code and on armvmm-run, FUZZ_UNIT_SECONDS (5) for each target
	@tests/run fuzz

fuzz-long: ## libFuzzer for HOURS=N of a CPU; the cache keeps the corpus for the next time
	@scripts/setup.sh fuzz
	@tests/fuzz/long '$(HOURS)'

check-models: ## check the models of what several CPUs do at once with spin
	@scripts/setup.sh models
	@tests/models/run

check-host: ## all tests on HOST; TESTS='name ...' for some
	@tests/run $(HOST)

check-boards: ## the module on emulated boards with Debian's device trees for them
	@TESTS='system/board-*' tests/run 6.1

check-deb: ## the Debian packages on an emulated Debian 12: install, upgrade, purge
	@TESTS='system/deb system/deb-*' tests/run 6.1

check-debug: ## the tests on a kernel with KASAN, UBSAN, lockdep and kmemleak
	@tests/run 6.1-debug

check-coverage: ## what the tests run: 85 % of the lines of module and programs, 95 % in HYP mode
	@tests/run 6.1-gcov hyp userspace

check-coherency: ## rules for caches, TLBs and pipeline, which the emulator lacks: docs/coherency.md
	@tests/run coherency

check-mutants: setup ## do the tests find the faults of tests/mutants
	@tests/mutants/run

qemu: ## qemu-system-arm with -accel armvmm: docs/qemu.md
	@mkdir -p $(B)
	@userspace/qemu/build >$(B)/qemu.folder

check-qemu: ## the tests of -accel armvmm
	@tests/run qemu

bench: all ## the cost of single operations, in instructions
	@tests/bench/run

profile: ## where an operation's instructions go: OP=NAME (without it: the names)
	@tests/bench/profile

style: ## formatting, static checks and the rules of the house
	@scripts/setup.sh style
	@scripts/style.sh

clean: ## remove everything that was built (the cache stays)
	rm -rf $(B)
	@[ ! -L build ] || rm build

install: install-user install-module ## install everything (DESTDIR, PREFIX=/usr/local)

# Cross-built programs are for a board's root, not for this machine.
installable:
ifeq ($(on_board)$(DESTDIR),)
	@echo "this machine is no Arm board: say DESTDIR=, the folder of the board's root" >&2; exit 1
endif

overlays = $(patsubst dts/host/%.dtso,$(B)/dts/host/%.dtbo,$(wildcard dts/host/*.dtso))
dts: $(overlays) ## the device tree overlays for boards whose tree lacks something

$(B)/dts/host/%.dtbo: dts/host/%.dtso
	@mkdir -p $(@D)
	@command -v dtc >/dev/null || { echo "dtc is missing: install device-tree-compiler" >&2; exit 1; }
	dtc -@ -q -I dts -O dtb -o $@ $<

# DESTDIR for a make in another folder: absolute.
dest = $(if $(DESTDIR),$(if $(filter /%,$(firstword $(DESTDIR))),,$(CURDIR)/)$(DESTDIR))
install-user: installable dts
	@test -x $(B)/userspace/armvmm-run || { echo "armvmm-run is not built: run make first" >&2; exit 1; }
	+@$(userspace) install DESTDIR="$(dest)"
	+@$(board) install DESTDIR="$(dest)"
	$(INSTALL) -d "$(DESTDIR)$(PREFIX)"/include/armvmm/linux "$(DESTDIR)$(PREFIX)"/include/armvmm/asm
	$(INSTALL) -m 644 $(B)/uapi/linux/*.h "$(DESTDIR)$(PREFIX)"/include/armvmm/linux/
	$(INSTALL) -m 644 $(B)/uapi/asm/*.h "$(DESTDIR)$(PREFIX)"/include/armvmm/asm/
	$(INSTALL) -d "$(DESTDIR)$(UNITDIR)"
	sed 's|@BINDIR@|$(PREFIX)/bin|' scripts/install/armvmm@.service.in >"$(DESTDIR)$(UNITDIR)"/armvmm@.service
	$(INSTALL) -d "$(DESTDIR)$(PREFIX)"/share/armvmm/dts/host
	$(INSTALL) -m 644 $(overlays) dts/host/*.dtso "$(DESTDIR)$(PREFIX)"/share/armvmm/dts/host/
	$(INSTALL) -d "$(DESTDIR)$(PREFIX)"/share/bash-completion/completions
	$(INSTALL) -m 644 scripts/install/completion/* \
		"$(DESTDIR)$(PREFIX)"/share/bash-completion/completions/

ko := $(B)/module/$(if $(KDIR),native,$(HOST))/armvmm.ko
install-module: installable
	@test -e $(ko) || { echo "$(ko) is not built: run make first" >&2; exit 1; }
	@LIBROOT=$(LIBROOT) scripts/install/module.sh $(ko) "$(DESTDIR)" "$(KDIR)"
	+@$(MAKE) install-node

# Goes with the module, however that is built: who may open its node, and that it is loaded at boot.
install-node:
	$(INSTALL) -D -m 644 scripts/install/60-armvmm.rules "$(DESTDIR)$(UDEVDIR)"/60-armvmm.rules
	$(INSTALL) -D -m 644 scripts/install/armvmm.conf "$(DESTDIR)$(UNITDIR)"/sysinit.target.d/armvmm.conf

install-qemu: installable ## install only QEMU, which `make qemu` built
	@test -x "$$(cat $(B)/qemu.folder 2>/dev/null)/qemu-system-arm" || \
		{ echo "QEMU is not built: run make qemu first" >&2; exit 1; }
	$(INSTALL) -D -m 755 "$$(cat $(B)/qemu.folder)/qemu-system-arm" \
		"$(DESTDIR)$(PREFIX)"/bin/qemu-system-arm

dkms: ## install the module's sources for DKMS, which builds it for each installed kernel
	@scripts/install/dkms.sh "$(DESTDIR)"
	+@$(MAKE) install-node

deb: ## the Debian packages for armhf, cross-built, in build/deb; QEMU=7.2: also its own
	@scripts/deb.sh

release: ## the tarball of a release and its SHA-256, in build/release
	@scripts/release.sh

help: ## this list
	@echo "armvmm $(RELEASE): virtual machines on 32-bit Arm. Targets:"
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1|\2/p' Makefile | while IFS='|' read -r t d; do \
		printf '  make %-14s %s\n' "$$t" "$$d"; done
	@echo "Variables: HOST ($(HOST); or one of $(HOSTS) $(CHECKERS) $(BOARDS)), CMD, OP,"
	@echo "  KDIR, CROSS_COMPILE, O (build), TESTS, V=1. What was fetched is kept in \$${XDG_CACHE_HOME:-~/.cache}/armvmm."

.PHONY: all module uapi modules-all user user-counted setup fetch run check check-all check-unit \
	check-models check-boards check-deb check-fresh check-fuzz fuzz-long check-host \
	check-debug check-coverage check-coherency \
	check-mutants qemu check-qemu bench profile style \
	clean install install-user install-module install-node install-qemu installable \
	help tests dkms deb release dts
