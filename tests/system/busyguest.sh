# SPDX-License-Identifier: GPL-2.0-only
# Talking to the guest "monitor" that is busy on four CPUs, for tests that move it. Sourced.

# asks NAME COMMANDS TEXT: the guest's next line with TEXT is in $answer.
asks() {
	_nr=$(grep -c "$3" "$work/$1.out")
	guest_type "$1" "$2"
	wait_for 60 sh -c "[ \$(grep -c '$3 ........' '$work/$1.out') -gt $_nr ]" || {
		guest_stands "$1"
		guest_type "$1" '\n'
		sleep 2
		echo "after a byte on its terminal:"
		tail -n 1 "$work/$1.out"
		return 1
	}
	answer=$(sed -n "s/^.*$3 \([0-9a-f]*\).*/\1/p" "$work/$1.out" | tail -n 1)
}
# clock NAME: reads the guest's clock, in 1,024 ticks, into $clock.
clock() {
	asks "$1" c clock || return 1
	clock=$((0x$answer))
}
# How much of its memory is filled, in MiB, hexadecimal.
filled=8
# whole NAME: its memory is right, and its CPUs work and find nothing wrong.
whole() {
	asks "$1" "v$filled " wrong || return 1
	echo "wrong: $answer"
	[ "$answer" = 00000000 ] || return 1
	asks "$1" 'j3 5 ' bad || return 1
	echo "bad: $answer"
	[ "$answer" = 00000000 ]
}

# busy NAME: the guest that has just started fills its memory, and works; $before is its clock.
busy() {
	check 'a guest starts' guest_expect "$1" 60 ready
	guest_type "$1" "m$filled "
	check 'its memory is filled' guest_expect "$1" 60 filled
	guest_type "$1" 's3 '
	check 'it is busy' guest_expect "$1" 60 working
	check 'its clock' clock "$1"
	before=$clock
}

# no_rest FOLDER NAME: no half file is left in it.
no_rest() {
	ls "$1"
	! ls "$1" | grep -q "$2\."
}
# wrong_files VERB SIZE NAME: files to which `armvmm-ctl VERB` cannot write. What was there stays; SIZE is
# what a disk has that is too small.
wrong_files() {
	mkdir "$work/full"
	mount -t tmpfs -o size="$2" none "$work/full"
	echo before >"$work/full/$3"
	check 'a full disk' status_of 3 'No space left on device' ctl "$1" "$work/full/$3"
	check '... of which nothing is left' no_rest "$work/full" "$3"
	check '... and what was there is there' same "$(cat "$work/full/$3")" before
	check 'a folder that is not there' status_of 3 'No such file or directory' ctl "$1" "$work/no/$3"
	check 'no regular file' status_of 3 'is there already, and is no regular file' ctl "$1" /dev/null
}
