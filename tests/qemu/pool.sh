# SPDX-License-Identifier: GPL-2.0-only
# libvirt on two hosts, with QEMU and the module: a busy guest, whose disk is on NFS, migrates there and
# back. Runs on host a (../system/poolhost.sh).
. ./common.sh
. ../system/poollib.sh
. ../system/busylinux.sh
cp zImage "$work/g.initrd" /shared/
truncate -s 16M /shared/g.disk
cat >"$work/g.xml" <<'XML'
<domain type='kvm'>
  <name>g</name>
  <memory unit='MiB'>96</memory>
  <vcpu>2</vcpu>
  <os>
    <type arch='armv7l' machine='virt'>hvm</type>
    <kernel>/shared/zImage</kernel>
    <initrd>/shared/g.initrd</initrd>
    <cmdline>console=ttyAMA0 quiet panic=-1</cmdline>
  </os>
  <features><gic version='2'/></features>
  <cpu mode='host-passthrough'/>
  <devices>
    <emulator>/usr/bin/qemu-system-arm</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' cache='none'/>
      <source file='/shared/g.disk'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <serial type='pipe'><source path='/run/g'/></serial>
  </devices>
</domain>
XML

# host_ready HOST: libvirtd runs there, and what the guest prints there goes to $work/HOST.out here.
host_ready() {
	: >"$work/$1.out"
	on "$1" mkfifo /run/g.in /run/g.out && on "$1" libvirtd -d -l || return 1
	on "$1" sh -c 'while :; do cat /run/g.out; done' >>"$work/$1.out" 2>/dev/null &
	guests="$guests $!"
	wait_for 60 on "$1" virsh list
	on "$1" virsh version
}
# domain HOST: the state that its libvirt has for the guest, or "none".
domain() { on "$1" virsh domstate g 2>/dev/null | head -n 1 | grep . || echo none; }
domains() { echo "$(domain a), $(domain b)"; }
stuck() {
	echo "stuck: $(domains), $1 was $2, is $(last "$1")"
	tail -n 5 "$work/$g.out"
	on $g tail -n 20 /var/log/libvirt/qemu/g.log
}
# migrate FROM TO [OPTION]...
migrate() {
	_from=$1 _at=$2
	shift 2
	on "$_from" virsh migrate --live --p2p --auto-converge --persistent --undefinesource "$@" \
		g "qemu+tcp://$_at/system"
}
# migrates TO WANTED: it does, while it works, and then the domains' states are WANTED.
migrates() {
	_to=$1 _wanted=$2 _old=$g
	: >"$work/$_to.out"
	migrate "$_old" "$_to" || {
		on "$_to" tail -n 20 /var/log/libvirt/qemu/g.log
		return 1
	}
	on "$_to" virsh domjobinfo --completed --keep-completed g | grep 'Total downtime'
	cat "$work/$_old.out" >>"$work/g.all"
	g=$_to
	remember
	same "$(domains)" "$_wanted" && further
}

check 'libvirt here' host_ready a
check 'libvirt there' host_ready b
check 'it knows the domain' virsh define "$work/g.xml"
g=a
check 'the guest starts' virsh start g
check '... and boots' guest_expect a 240 '@@ busy'
check '... and works' guest_expect a 240 '@@ block '
check 'it runs here' same "$(domains)" 'running, none'
# moves NAME CMD...: a case that tells how long the guest stood still.
moves() {
	check "$@"
	sed -n 's/^Total downtime: */# it stood still for /p' "$work/check"
}
for i in 1 2; do
	moves "it migrates to the other host, $i" migrates b 'none, running'
	moves "... and back, $i" migrates a 'running, none'
done

# The cable is pulled out while it migrates.
migrate a b --bandwidth 1 >"$work/cut" 2>&1 &
cut=$!
moving() { virsh domjobinfo g | grep -q 'Data processed: *[1-9]'; }
check 'it migrates slowly' wait_for 240 moving
ip link set eth0 down
fails() {
	wait_end 200 $cut || return 1
	wait $cut
	_is=$?
	cat "$work/cut"
	[ $_is != 0 ]
}
remember
check 'no network: the migration fails' fails
check '... and the guest goes on here' further
ip link set eth0 up
only_here() { wait_for 200 eval '[ "$(domains)" = "running, none" ]' || same "$(domains)" 'running, none'; }
check '... and nowhere else' only_here
moves 'with the network it migrates again' migrates b 'none, running'

on b sh -c 'echo end >/run/g.in'
check 'it ends' guest_expect b 120 '@@ done'
cat "$work/b.out" >>"$work/g.all"
check 'nothing was wrong' nothing_wrong
check 'it saw no lockup' grep -qa '@@ lockups 0' "$work/g.all"
ended_there() { wait_for 60 eval '[ "$(domains)" = "none, shut off" ]' || same "$(domains)" 'none, shut off'; }
check 'libvirt sees that' ended_there
for h in a b; do on $h sh -c 'kill $(cat /run/libvirtd.pid)'; done
finish
