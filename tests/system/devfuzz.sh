# SPDX-License-Identifier: GPL-2.0-only
# A guest that writes nonsense to every device register: armvmm-run goes on, and the guest can still
# power off (docs/hazards.md 26). The seeds are printed; give one as an argument to repeat a run.
. ./common.sh
truncate -s 1M "$work/disk" "$work/disk2"
cp "$work/disk2" "$work/ro"
seeds=${1:-1 2 $(date +%s)}
for seed in $seeds; do
	# The terminal's input goes to the virtio console: the monitor has its orders as an initrd.
	printf 'cmd:f%x 1000 p' "$seed" >"$work/orders"
	fuzz() {
		guest_start g --kernel monitor --initrd "$work/orders" --cpus 2 --memory 64M \
			--disk "$work/disk" --disk "$work/disk2,ro" --net user --console virtio --rng
		guest_expect g 20 ready
		guest_end g 60
		cat "$work/g.out"
		tail -n 3 "$work/g.err"
		same "$status" 0 && grep -aq fuzzed "$work/g.out"
	}
	check "nonsense of seed $seed in every device's registers" fuzz
done
check 'a read-only disk is as it was' cmp "$work/disk2" "$work/ro"
finish
