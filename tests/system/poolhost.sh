# SPDX-License-Identifier: GPL-2.0-only
# poolhost.sh NAME FOLDER [CMD...]: makes this emulated host one of a pool of two, a (10.7.0.1) or b
# (10.7.0.2), with the root of scripts/pool-disk.sh. There it runs CMD in FOLDER of the tests, or waits
# until the other host has no more to do (poolboard.sh).
name=$1
root=/mnt
case $name in
a) address=10.7.0.1 ;;
*) address=10.7.0.2 ;;
esac
modprobe -a virtio_blk virtio_net crc32c_generic ext4 2>/dev/null
# A driver looks for its devices in its own time.
n=0
until [ -b /dev/vda ] && [ -d /sys/class/net/eth0 ]; do
	n=$((n + 1))
	[ $n -lt 300 ] || break
	usleep 100000
done
mount -t ext4 /dev/vda $root || exit 1
for d in proc sys dev dev/pts dev/shm tmp run; do
	mount --bind /$d $root/$d || exit 1
done
mount --bind /tests $root/tests
for p in armvmm-run armvmm-ctl armvmm-stat qemu-system-arm; do
	[ ! -e /usr/bin/$p ] || [ -L /usr/bin/$p ] || cp /usr/bin/$p $root/usr/bin/
done
cp /bin/busybox $root/usr/bin/
# The NFS server takes hosts of the same name for one that has started anew.
hostname "$name"
ip addr add $address/24 dev eth0 && ip link set eth0 up || exit 1
exec chroot $root /usr/bin/busybox sh /tests/system/poolboard.sh "$@"
