# SPDX-License-Identifier: GPL-2.0-only
# debnative.sh: builds the Debian packages on a Debian 12, and installs two of them. Run when the
# machine has started (scripts/guest/next.service), where /mnt is the folder of outside/deb-native:
# tree/ has the sources, debs/ what building needs, built/ gets the packages, `out` what came of it.
cd /mnt || exit 1
exec >>out 2>&1
. ./cases.sh

install_deps() {
	cp -r debs /var/tmp/debs && cd /var/tmp/debs && apt-get -q -y install ./*.deb
}
build() {
	cp -r /mnt/tree /var/tmp/armvmm && cd /var/tmp/armvmm && dpkg-checkbuilddeps &&
		dpkg-buildpackage -b -us -uc >/mnt/build.log 2>&1
}
install_built() {
	cp /var/tmp/*.deb built/ && cd /var/tmp && apt-get -q -y install ./armvmm_*.deb ./libarmvmm0_*.deb &&
		armvmm-run --version && dpkg -V armvmm libarmvmm0
}
check 'the machine gets what building needs' install_deps
check 'dpkg-buildpackage builds the packages' build
cd /mnt || exit 1
check 'apt installs them, and the program runs' install_built
echo '# end'
sync
poweroff
