# SPDX-License-Identifier: GPL-2.0-only
# A guest that writes nonsense to every device register: armvmm-run lives, and the guest can still
# power off. The seeds are printed; give one as argument to see a run again.
. ./common.sh
truncate -s 1M "$work/disk" "$work/disk2"
cp "$work/disk2" "$work/ro"
seeds=${1:-1 2 $(date +%s)}
for seed in $seeds; do
	hex=$(printf %x "$seed")
	fuzz() {
		guest_start g --kernel monitor --cpus 2 --memory 64M --disk "$work/disk" \
			--disk "$work/disk2,ro" --net user --console virtio --rng
		guest_expect g 20 ready && guest_type g "f$hex 800 " && guest_expect g 60 fuzzed || {
			guest_end g 0
			return 1
		}
		guest_type g p
		guest_end g 20
		tail -n 3 "$work/g.err"
		same "$status" 0
	}
	check "nonsense of seed $seed in every device's registers" fuzz
done
check 'a read-only disk is as it was' cmp "$work/disk2" "$work/ro"
finish
