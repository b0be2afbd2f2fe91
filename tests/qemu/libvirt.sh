# SPDX-License-Identifier: GPL-2.0-only
# The steps of libvirt for a domain of type kvm: it needs /dev/kvm, which the module provides with
# kvm=1, and uses QMP, first with a machine without CPUs, then with the guest's.
. ./lib.sh
insmod /armvmm.ko kvm=1 || fail 'the module loads with kvm=1'
check 'there is /dev/kvm' [ -c /dev/kvm ]

# This is how libvirt probes (src/qemu/qemu_process.c: qemuProcessQMPInit).
board="-S -no-user-config -nodefaults -nographic -machine none,accel=kvm:tcg" accel=
qemu_start probe
check 'capabilities: KVM is enabled' says '"enabled": true' qmp probe query-kvm
check '... and present' says '"present": true' qmp probe query-kvm
check '... the target is arm' says '"arch": "arm"' qmp probe query-target
check '... the machine virt' says '"name": "virt-7.2"' qmp probe query-machines
for c in host cortex-a15 cortex-a7; do
	check "... a CPU $c" says "\"name\": \"$c\"" qmp probe query-cpu-definitions
done
check '... a GICv2 in the kernel' \
	says '"version": 2[^}]*"kernel": true|"kernel": true[^}]*"version": 2' qmp probe query-gic-capabilities
check '... the CPU of the host' qmp probe query-cpu-model-expansion '{"type":"full","model":{"name":"host"}}'
qmp probe quit >/dev/null
guest_end probe 20
check '... and it ends well' same "$status" 0

# Disk and network card behind PCI Express ports, as libvirt places them, and no option highmem.
guest_initrd dom <<'SCRIPT'
wait_disk /dev/vda
say "disk $(head -c 6 /dev/vda)"
say "card $(ls /sys/class/net | tr '\n' ' ')"
say up
read -r what
say "told $what"
SCRIPT
board="-machine virt-7.2,accel=kvm,usb=off,dump-guest-core=off,gic-version=2 -cpu host
	-overcommit mem-lock=off -no-user-config -nodefaults -nographic -S -boot strict=on"
truncate -s 1M "$work/disk"
printf libvrt | dd of="$work/disk" conv=notrunc 2>/dev/null
linux_qemu dom -m 128 -smp 2,sockets=2,cores=1,threads=1 \
	-device '{"driver":"pcie-root-port","port":8,"chassis":1,"id":"pci.1","bus":"pcie.0","multifunction":true,"addr":"0x1"}' \
	-device '{"driver":"pcie-root-port","port":9,"chassis":2,"id":"pci.2","bus":"pcie.0","addr":"0x1.0x1"}' \
	-blockdev "{\"driver\":\"file\",\"filename\":\"$work/disk\",\"node-name\":\"storage\"}" \
	-blockdev '{"node-name":"format","driver":"raw","file":"storage"}' \
	-device '{"driver":"virtio-blk-pci","bus":"pci.1","addr":"0x0","drive":"format","id":"virtio-disk0","bootindex":1}' \
	-netdev '{"type":"user","id":"hostnet0"}' \
	-device '{"driver":"virtio-net-pci","netdev":"hostnet0","id":"net0","mac":"52:54:00:8c:d5:4e","bus":"pci.2","addr":"0x0","romfile":""}'
check 'a domain starts stopped' says '"status": "prelaunch"' qmp dom query-status
check '... has two CPUs, each a thread' says 'thread-id.*thread-id' qmp dom query-cpus-fast
check '... is started' qmp dom cont
check '... comes up' guest_expect dom 120 '@@ up'
check '... with its disk' grep -q '^@@ disk libvrt' "$work/dom.out"
check '... and its card' grep -q '^@@ card .*eth0' "$work/dom.out"
check '... is asked for its migration' qmp dom query-migrate
check '... and for its memory' qmp dom query-memory-size-summary
check '... is stopped' qmp dom stop
check '... and stands' says '"status": "paused"' qmp dom query-status
check '... is resumed' qmp dom cont
guest_type dom 'x\n'
check '... and goes on' guest_expect dom 60 '@@ told x'
check '... its end is told' qmp_event dom 60 SHUTDOWN
guest_end dom 60
check '... status 0' same "$status" 0
rmmod armvmm
qemu_finish
