# SPDX-License-Identifier: GPL-2.0-only
# boardinitrd.sh: Debian's initramfs-tools make an initrd for all machines, which is their default and
# what an installed board has. Run on a Debian 12 (scripts/guest/next.service), where /mnt is the folder
# of outside/board; `initrd` there gets it, `out` what came of it.
cd /mnt || exit 1
exec >>out 2>&1
. ./cases.sh
# The image's own is for its own machine.
make_initrd() {
	cp -r /etc/initramfs-tools /var/tmp/conf && echo 'MODULES=most' >/var/tmp/conf/conf.d/modules &&
		mkinitramfs -d /var/tmp/conf -o /var/tmp/initrd && cp /var/tmp/initrd /mnt/initrd &&
		lsinitramfs /var/tmp/initrd | grep sunxi-mmc
}
check "initramfs-tools make an initrd for boards, too" make_initrd
echo '# end'
sync
poweroff
