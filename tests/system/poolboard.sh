# SPDX-License-Identifier: GPL-2.0-only
# poolboard.sh NAME FOLDER [CMD...]: the services of a host of a pool. a has the NFS server; both have
# its folder at /shared, so that a disk has the same path on both, and locks that hold between them.
name=$1 folder=$2
shift 2
export PATH=/usr/sbin:/usr/bin HOME=/root
busybox --install -s /usr/bin 2>/dev/null
failed() {
	echo "poolboard: $*"
	dmesg | tail -n 5
	exit 1
}
# tries SECONDS CMD...
tries() {
	_left=$(($1 * 5))
	shift
	until "$@" >/tmp/tries 2>&1; do
		_left=$((_left - 1))
		[ $_left -gt 0 ] || { cat /tmp/tries; return 1; }
		usleep 200000
	done
}

mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/host_key && /usr/sbin/sshd || failed 'sshd does not start'
modprobe nfsv4 || failed 'no NFS'
if [ "$name" = a ]; then
	modprobe nfsd && mount -t tmpfs tmpfs /export && mount -t nfsd nfsd /proc/fs/nfsd &&
		exportfs -a && rpc.nfsd -N 3 4 && rpc.mountd -N 3 || failed 'the NFS server does not start'
	# There are no locks of before that somebody could claim.
	echo Y >/proc/fs/nfsd/v4_end_grace
fi
tries 60 mount.nfs4 a:/ /shared || failed 'a:/ cannot be mounted'
if [ $# = 0 ]; then
	: >/run/ready
	while [ ! -e /run/end ]; do
		[ "$(cat /sys/class/net/eth0/carrier)" = 1 ] || failed 'the other host is gone'
		sleep 1
	done
	! grep -q ' /shared ' /proc/mounts || failed '/shared is in use'
	exit
fi
tries 60 ssh -fNM b || failed 'no connection to b'
tries 60 ssh b test -e /run/ready || failed 'b is not ready'
cd "/tests/$folder" || exit 1
"$@"
status=$?
# While there is a server: without it, b would wait for it.
tries 20 ssh b umount /shared
ssh b touch /run/end
tries 20 umount /shared
# The module is unloaded only when nobody has its node.
exportfs -ua
rpc.nfsd 0
exit $status
