#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
	new_key a
	a=$id
	new_key b
	b=$id
	seal=(gn-seal -k a -r "$b")
	open=(gn-open -k b --from "$a")
}

teardown() {
	exec 6>&- 7>&-
	kill_all
}

hex() { od -An -v -tx1 | tr -d ' \n'; }

# sequence PREFIX LINES: makes files PREFIX000000 and so on, each with a sealed line, and one with the end
sequence() { seq "$2" | "${seal[@]}" -F line | gn-frame split -p "$1"; }
opens() { gn-frame join "$@" | "${open[@]}" -F line; }

# flip FILE OFFSET: inverts the lowest bit of that byte
flip() {
	local was
	was=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf "$(printf '\\x%02x' $((was ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# ---- keys -----------------------------------------------------------------------

@test "--from accepts one sender, several senders, or any" {
	new_key c
	echo hello | "${seal[@]}" -F line >sealed
	for from in "--from=$a" "--from=$id --from=$a" "-f $a" "--from=any"; do
		# shellcheck disable=SC2086
		run -0 gn-open -k b $from -F line <sealed
		assert_output hello
	done
	run -4 --separate-stderr gn-open -k b --from "$id" -F line <sealed
	assert_output ""
	assert_equal "$stderr" "gn-open: frame 1, at byte 0: its sender is none of those that --from names"
	echo hello | "${seal[@]}" -F raw >stream
	run -4 --separate-stderr gn-open -k b --from "$id" -F raw <stream
	assert_output ""
}

@test "a message for another key is exit code 9" {
	echo hello | "${seal[@]}" -F line >sealed
	run -9 --separate-stderr gn-open -k a --from "$a" <sealed
	assert_output ""
	assert_equal "$stderr" "gn-open: frame 1, at byte 0: not sealed for this key, or damaged"
}

@test "a different context is exit code 9" {
	for form in raw line; do
		echo hello | "${seal[@]}" -F $form --context here >with
		echo hello | "${seal[@]}" -F $form >without
		run -0 "${open[@]}" -F $form --context here <with
		assert_output hello
		run -0 "${open[@]}" -F $form <without
		for c in "--context there" "--context her" "--context heree" ""; do
			# shellcheck disable=SC2086
			run -9 --separate-stderr "${open[@]}" -F $form $c <with
			assert_output ""
			assert_regex "$stderr" "sealed for another context"
		done
		run -9 "${open[@]}" -F $form --context here <without
	done
}

@test "a recipient that seals a message again is another sender and cannot forge ours" {
	new_key c
	echo hello | "${seal[@]}" -F raw | "${open[@]}" -F raw | gn-seal -k b -r "$id" -F raw >again
	run -4 gn-open -k c --from "$a" -F raw <again
	run -0 gn-open -k c --from "$b" -F raw <again
}

# ---- damage ---------------------------------------------------------------------

@test "a flipped bit anywhere in a stream is exit code 9" {
	printf 'some words' | "${seal[@]}" -F raw --type t >good
	size=$(wc -c <good)
	for at in $(seq 0 $((GN_SLOW == 1 ? 5 : 50)) $((size - 1))) 1 2 3 4 $((size - 27)) $((size - 17)) $((size - 1)); do
		cp good bad
		flip bad "$at"
		rc=0
		"${open[@]}" -F raw <bad >out 2>err || rc=$?
		assert_equal "byte $at: $rc $(cat out)" "byte $at: 9 "
	done
}

@test "a truncated stream is exit code 9, and the complete chunks before are written" {
	head -c 2500000 /dev/urandom >f
	"${seal[@]}" -F raw <f >good
	size=$(wc -c <good)
	for n in 0 1 2 100 152 153 154 157 300 400 500 1000 1048576 1048999 1049100 2097500 2097800 2400000 $((size - 1)); do
		head -c $n good >bad
		rc=0
		"${open[@]}" -F raw <bad >out 2>err || rc=$?
		assert_equal "$n: $rc $(cat err)" "$n: 9 gn-open: the stream: its end is missing"
		head -c "$(wc -c <out)" f | cmp - out
		assert [ $(($(wc -c <out) % 1048576)) -eq 0 ]
	done
	run -0 "${open[@]}" -F raw -o back <good
	cmp f back
}

@test "dropped, swapped, repeated and foreign chunks are exit code 9" {
	head -c 4M /dev/urandom >f # a file, because a pipe that pauses would make shorter chunks
	"${seal[@]}" -F raw <f >one
	head -c 4M /dev/urandom >f
	"${seal[@]}" -F raw <f >two
	chunk=$((1048576 + 84)) front=$(($(wc -c <one) - 4 * chunk - 84))
	assert_equal "$(wc -c <two)" "$(wc -c <one)"
	piece() { tail -c +$((front + $2 * chunk + 1)) "$1" | head -c $chunk; } # FILE NUMBER
	{ head -c $front one; piece one 0; piece one 1; piece one 2; piece one 3; tail -c 84 one; } | cmp - one
	try() {
		{ head -c $front one; cat; tail -c 84 one; } >bad
		run -9 bash -c '"$@" <bad >out' - "${open[@]}" -F raw
		assert_output --partial "damaged or forged"
	}
	try < <(piece one 0; piece one 2; piece one 3)
	try < <(piece one 0; piece one 2; piece one 1; piece one 3)
	try < <(piece one 0; piece one 1; piece one 1; piece one 2; piece one 3)
	try < <(piece one 0; piece one 1; piece two 2; piece one 3)
	try < <(piece one 0; piece one 1; piece one 2)
	{ head -c $front two; tail -c +$((front + 1)) one; } >bad
	run -9 bash -c '"$@" <bad' - "${open[@]}" -F raw
}

@test "data after the end of a stream is exit code 9" {
	echo hello | "${seal[@]}" -F raw >good
	for more in x '\0'; do
		{ cat good; printf "$more"; } >bad
		run -9 "${open[@]}" -F raw -o none <bad
		assert [ ! -e none ]
	done
	cat good good >bad
	run -9 "${open[@]}" -F raw <bad
}

@test "input that is not a sealed message is exit code 9" {
	for form in raw line; do
		head -c 100000 /dev/urandom >noise
		run -9 "${open[@]}" -F $form <noise
		run -9 "${open[@]}" -F $form </dev/null
		head -c 2000 /dev/zero >noise
		run -9 "${open[@]}" -F $form <noise
	done
	for size in 1 100000 3000000; do
		head -c $size /dev/zero >f
		"${seal[@]}" -F raw <f >stream
		for form in varint line; do
			run -9 --separate-stderr "${open[@]}" -F $form <stream
			assert_output ""
			assert_equal "$stderr" "gn-open: frame 1, at byte 0: is not a frame but part of a sealed stream (-F raw opens it)"
		done
		gn-frame encode -w --max-frame 4M <f | "${seal[@]}" --max-frame 4M >frames
		run -9 --separate-stderr "${open[@]}" -F raw <frames
		assert_output ""
		assert_equal "$stderr" "gn-open: the input is frames with sealed messages, not a stream; open it without -F raw"
	done
}

# ---- sequences ------------------------------------------------------------------

@test "a complete sequence is opened" {
	sequence s 4
	run -0 opens s00*
	assert_output $'1\n2\n3\n4'
}

@test "a message dropped at the beginning, in the middle or at the end is exit code 9" {
	sequence s 4
	run -9 --separate-stderr opens s000001 s000002 s000003 s000004
	assert_output ""
	assert_regex "$stderr" "frame 1, at byte 0: has number 1, and 0 is due"
	run -9 --separate-stderr opens s000000 s000001 s000003 s000004
	assert_output $'1\n2'
	assert_regex "$stderr" "has number 3, and 2 is due"
	run -9 --separate-stderr opens s000000 s000001 s000002 s000004
	assert_output $'1\n2\n3'
	run -9 --separate-stderr opens s000000 s000001 s000002 s000003
	assert_output $'1\n2\n3\n4'
	assert_equal "$stderr" "gn-open: the end of the sequence is missing; other messages may be missing, too"
	run -9 "${open[@]}" </dev/null
}

@test "repeated and swapped messages, and messages after the end, are exit code 9" {
	sequence s 4
	run -9 --separate-stderr opens s000000 s000001 s000001 s000002 s000003 s000004
	assert_output $'1\n2'
	run -9 --separate-stderr opens s000000 s000002 s000001 s000003 s000004
	assert_output 1
	run -9 --separate-stderr opens s00* s000004
	assert_output $'1\n2\n3\n4'
	assert_regex "$stderr" "frame 6, .*: follows the end of the sequence"
}

@test "messages of another sequence or another sender are exit code 9" {
	sequence s 3
	sequence t 3
	run -9 --separate-stderr opens s000000 t000001 s000002 s000003
	assert_output 1
	assert_regex "$stderr" "frame 2, .*: is of another sequence"
	run -9 opens s000000 s000001 s000002 t000003
	run -9 opens s00* t00*
	seq 3 | gn-seal -k b -r "$b" -F line | gn-frame split -p u
	gn-frame join s000000 u000001 s000002 s000003 >mixed
	run -9 gn-open -k b --from any -F line <mixed
}

@test "a damaged, truncated or empty frame is exit code 9, and the ones before are written" {
	sequence s 3
	flip s000001 200
	run -9 --separate-stderr opens s00*
	assert_output 1
	assert_regex "$stderr" "^gn-open: frame 2, at byte [0-9]*: "
	sequence t 3
	head -c 300 t000001 >cut
	run -9 --separate-stderr opens t000000 cut t000002 t000003
	assert_output 1
	assert_regex "$stderr" "frame 2, at byte [0-9]*: its end is missing"
	: >empty
	run -9 --separate-stderr opens t000000 empty t000001
	assert_output 1
	gn-frame join t00* | head -c 1000 >short
	run -9 --separate-stderr "${open[@]}" -F line <short
	assert_output $'1\n2'
	assert_regex "$stderr" "frame 3, at byte [0-9]*: the input ends in the middle of it"
}

@test "--any-order accepts messages in any order, of any sequence or none, without an end" {
	sequence s 3
	sequence t 2
	run -0 bash -c 'gn-frame join s000002 t000000 s000000 s000000 t000002 | "$@"' - "${open[@]}" -F line --any-order
	assert_output $'3\n1\n1\n1'
	run -0 "${open[@]}" --any-order </dev/null
	echo stream | "${seal[@]}" -F raw >alone
	run -9 opens alone
	assert_output --partial "is not one of a sequence (--any-order opens it)"
	run -0 bash -c 'gn-frame join alone | "$@"' - "${open[@]}" --any-order -F varint
	flip s000001 200
	run -9 bash -c 'gn-frame join s000000 s000001 | "$@"' - "${open[@]}" --any-order
}

@test "one message of a sequence is not a stream, unless with --any-order" {
	sequence s 2
	run -9 --separate-stderr "${open[@]}" -F raw <s000001
	assert_output ""
	assert_equal "$stderr" "gn-open: the stream: is number 1 of a sequence, no stream (--any-order opens it)"
	run -0 "${open[@]}" -F raw --any-order <s000001
	assert_output 2
}

@test "a message that contains a line end is exit code 9 with -F line" {
	printf 'a\nb' | gn-frame encode -w | "${seal[@]}" >sealed
	run -9 --separate-stderr "${open[@]}" -F line <sealed
	assert_output ""
	assert_equal "$stderr" "gn-open: frame 1, at byte 0: holds a line end, which a line cannot (-F varint can)"
	run -0 "${open[@]}" <sealed
}

# ---- -o -------------------------------------------------------------------------

nothing_left() {
	run -1 compgen -G '.gn-open-*'
	run -1 compgen -G 'dir/.gn-open-*'
}

@test "-o: the file exists when everything was accepted" {
	head -c 3000000 /dev/urandom >f
	(umask 022 && "${seal[@]}" -F raw <f | "${open[@]}" -F raw -o out)
	cmp f out
	assert_equal "$(stat -c %a out)" 644
	(umask 077 && seq 3 | "${seal[@]}" -F line | "${open[@]}" -F line --output lines)
	assert_equal "$(cat lines)" $'1\n2\n3'
	assert_equal "$(stat -c %a lines)" 600
	nothing_left
}

@test "-o: the file does not exist, or is unchanged, after any error" {
	mkdir dir
	echo old >dir/old
	head -c 3000000 /dev/urandom | "${seal[@]}" -F raw >good
	head -c 2900000 good >bad
	for to in new dir/new dir/old; do
		run -9 "${open[@]}" -F raw -o $to <bad
		run -4 gn-open -k b --from "$b" -F raw -o $to <good
		run -9 gn-open -k a --from "$a" -F raw -o $to <good
		run -9 "${open[@]}" -F raw --context c -o $to <good
	done
	sequence s 3
	gn-frame join s000000 s000001 >short
	run -9 "${open[@]}" -F line -o dir/old <short
	assert_equal "$(cat dir/old)" old
	assert [ ! -e new ]
	assert [ ! -e dir/new ]
	nothing_left
	run -0 "${open[@]}" -F raw -o dir/old <good
	assert_equal "$(wc -c <dir/old)" 3000000
}

@test "-o: follows a link, and refuses devices and missing directories" {
	echo hello | "${seal[@]}" -F raw >good
	mkdir dir
	echo old >dir/target
	ln -s dir/target link
	run -0 "${open[@]}" -F raw -o link <good
	assert_equal "$(readlink link) $(cat dir/target)" "dir/target hello"
	mkfifo pipe
	for to in pipe dir /dev/null; do
		run -4 "${open[@]}" -F raw -o $to <good
		assert_output "gn-open: $to: is there, and is not a regular file"
	done
	assert [ -c /dev/null ]
	assert [ -p pipe ]
	run -1 "${open[@]}" -F raw -o none/out <good
	assert_output "gn-open: none/out: No such file or directory"
	nothing_left
}

@test "-o: a full disk is exit code 1, and nothing is left behind" {
	head -c 3000000 /dev/urandom | "${seal[@]}" -F raw >good
	run -1 bash -c 'ulimit -f 1000; "$@" <good' - "${open[@]}" -F raw -o out
	assert_output "gn-open: out: File too large"
	assert [ ! -e out ]
	nothing_left
}

# opened_file PID: the process has its output file open, with a name or without
opened_file() { [ -n "$(find "/proc/$1/fd" -lname "$PWD/*#*" -o -lname "$PWD/.gn-open-*" 2>/dev/null)" ]; }

@test "-o: a signal leaves nothing behind" {
	mkfifo in
	head -c 3000000 /dev/urandom | "${seal[@]}" -F raw >good
	for sig in TERM INT HUP QUIT USR1 ALRM XCPU VTALRM ABRT KILL; do
		[ "$GN_SLOW" = 1 ] || [ $sig != ABRT ] || continue # valgrind takes long to report an abort
		env --default-signal=INT,QUIT "${open[@]}" -F raw -o out <in 3>&- 6>&- 7>&- &
		pid=$!
		pids+=("$pid")
		exec 7>in
		head -c 2500000 good >&7
		until_true 10 opened_file "$pid"
		kill -$sig "$pid"
		ends_with $((128 + $(kill -l $sig))) "$pid"
		exec 7>&-
		assert [ ! -e out ]
		nothing_left
	done
}

@test "-o: others cannot read the file before it is verified, and a replaced file keeps its mode" {
	mkfifo in
	head -c 3000000 /dev/urandom >f
	"${seal[@]}" -F raw <f >good
	for mode in 600 640 644 666 new; do
		rm -f out
		[ $mode = new ] || install -m $mode /dev/null out
		(umask 022 && exec "${open[@]}" -F raw -o out <in 3>&- 6>&- 7>&-) &
		pid=$!
		pids+=("$pid")
		exec 7>in
		head -c 2500000 good >&7
		until_true 10 opened_file "$pid"
		found=$(find "/proc/$pid/fd" -lname "$PWD/*#*" -o -lname "$PWD/.gn-open-*")
		assert_equal "$(stat -Lc %a "$found")" 600
		tail -c +2500001 good >&7
		exec 7>&-
		ends_with 0 "$pid"
		cmp f out
		if [ $mode = new ]; then assert_equal "$(stat -c %a out)" 644; else assert_equal "$(stat -c %a out)" $mode; fi
	done
	for mask in 000 077 027; do
		rm -f out
		(umask $mask && "${open[@]}" -F raw -o out <good)
		assert_equal "$(stat -c %a out)" "$(printf '%o' $((0666 & ~mask)))"
		nothing_left
	done
}

@test "-o: the output may be the input file" {
	head -c 3000000 /dev/urandom >f
	"${seal[@]}" -F raw <f >here
	run -0 "${open[@]}" -F raw -o here <here
	cmp f here
}

@test "-o: the target of a dangling link is created" {
	echo hello | "${seal[@]}" -F raw >good
	mkdir dir
	ln -s dir/target link
	run -0 "${open[@]}" -F raw -o link <good
	assert_equal "$(readlink link) $(cat dir/target)" "dir/target hello"
	ln -s loop loop
	run -1 "${open[@]}" -F raw -o loop <good
	assert_output "gn-open: loop: Too many levels of symbolic links"
}

@test "-o: a read-only file or directory is exit code 4, and is unchanged" {
	[ "$GN_SLOW" = 1 ] || return 0 # another user cannot use valgrind's files
	[ "$MODE" != cov ] || skip "another user cannot write the files of gcov"
	mkdir dir
	echo old >dir/file
	echo hello | "${seal[@]}" -F raw >good
	as=("${open[@]}")
	if [ "$(id -u)" = 0 ]; then # root may do everything, so another user runs it
		chmod 755 . .. ../..
		cp "$(command -v gn-open)" .
		chown 65534:65534 b dir dir/file
		as=(setpriv --reuid 65534 --regid 65534 --clear-groups ./gn-open -k b --from "$a")
	fi
	chmod 555 dir
	run -4 "${as[@]}" -F raw -o dir/file <good
	assert_output "gn-open: dir/file: no file can be made in its directory: Permission denied"
	run -4 "${as[@]}" -F raw -o dir/new <good
	chmod 755 dir
	chmod 444 dir/file
	run -4 "${as[@]}" -F raw -o dir/file <good
	assert_output "gn-open: dir/file: Permission denied"
	assert_equal "$(cat dir/file) $(ls dir)" "old file"
	[ "$(id -u)" = 0 ] || return 0
	chmod 640 dir/file # root keeps the file's owner
	run -0 "${open[@]}" -F raw -o dir/file <good
	assert_equal "$(stat -c '%u %g %a' dir/file)" "65534 65534 640"
	chown 0:0 dir/file # another user cannot set the file's group
	chmod 662 dir/file
	run -0 "${as[@]}" -F raw -o dir/file <good
	assert_equal "$(stat -c '%u %g %a' dir/file)" "65534 65534 622"
}

@test "-o: a full disk is exit code 1, and an existing file is unchanged" {
	head -c 3000000 /dev/urandom | "${seal[@]}" -F raw >good
	unshare -rm true 2>/dev/null || skip "no mount namespaces here"
	run -0 unshare -rm bash -euc '
		mkdir disk
		mount -t tmpfs -o size=1m none disk
		echo old >disk/out
		rc=0
		"$@" -o disk/out <good 2>err || rc=$?
		[ $rc = 1 ] && [ "$(cat err)" = "gn-open: disk/out: No space left on device" ]
		[ "$(cat disk/out)" = old ] && [ "$(ls -A disk)" = out ]' - "${open[@]}" -F raw
}

@test "-o: works with closed standard descriptors" {
	echo hello | "${seal[@]}" -F raw >good
	run -0 bash -c '"$@" <good >&- 2>&-' - "${open[@]}" -F raw -o out
	assert_equal "$(cat out)" hello
	[ "$GN_SLOW" = 1 ] || return 0 # valgrind's own files reuse the closed descriptors
	run -9 bash -c '"$@" <&-' - "${open[@]}" -F raw -o none
	assert [ ! -e none ]
}

# ---- --info-fd ------------------------------------------------------------------

@test "--info-fd writes sender, time, type and id, one line per message" {
	before=$(date +%s)
	seq 3 | "${seal[@]}" -F line --type note/1 >sealed
	run -0 --separate-stderr "${open[@]}" -F line --info-fd 5 5>info <sealed
	assert_output $'1\n2\n3'
	assert_equal "$(wc -l <info)" 3
	while IFS=$'\t' read -r sender time type id more; do
		assert_equal "$sender $type $more" "$a note/1 "
		assert_regex "$time" '^[0-9]+\.[0-9]{9}$'
		assert [ "${time%.*}" -ge "$before" ]
		assert [ "${time%.*}" -le "$(date +%s)" ]
		assert_regex "$id" '^[0-9a-f]{32}$'
	done <info
	assert_equal "$(cut -f 4 info | sort -u | wc -l)" 3
}

@test "--info-fd -j writes JSON, with the fields of a sequence" {
	seq 2 | "${seal[@]}" -F line --type note --context c >sealed
	run -0 --separate-stderr "${open[@]}" -F line --context c --info-fd 2 -j <sealed
	assert_equal "${#stderr_lines[@]}" 2
	assert_equal "$(jq -c '[.sender, .type, .context, .to, .number]' <<<"${stderr_lines[1]}")" \
		"[\"$a\",\"note\",\"c\",[\"$b\"],1]"
	assert_equal "$(jq -r .sequence <<<"$stderr" | sort -u | wc -l)" 1
	assert_equal "$(jq '.time | floor > 1600000000' <<<"${stderr_lines[0]}")" true
	echo x | "${seal[@]}" -F raw >stream
	run -0 --separate-stderr "${open[@]}" -F raw --info-fd 2 -j <stream
	assert_equal "$(jq -c '[.type, .context, has("sequence"), has("number")]' <<<"$stderr")" '["","",false,false]'
}

@test "--info-fd writes nothing about a refused message, nor about the end" {
	new_key c
	seq 2 | "${seal[@]}" -F line >sealed
	run -4 gn-open -k b --from "$id" --info-fd 5 5>info <sealed
	assert_equal "$(cat info)" ""
	"${seal[@]}" </dev/null | "${open[@]}" --info-fd 5 5>info
	assert_equal "$(cat info)" ""
	run -2 "${open[@]}" --info-fd 77 <sealed
	assert_output --partial "descriptor 77 is not open"
	run -2 "${open[@]}" -j <sealed
	run -1 bash -c '"$@" <sealed 5>/dev/full' - "${open[@]}" --info-fd 5
	assert_output "gn-open: --info-fd 5: No space left on device"
}

# ---- in general ------------------------------------------------------------------

@test "usage errors and missing keys are exit code 2" {
	run -2 gn-open -k b </dev/null
	assert_output --partial "--from ID is missing"
	run -2 gn-open --from "$a" </dev/null
	assert_output --partial "no key given (-k, GN_KEY_FILE)"
	run -2 gn-open -k b --from nobody </dev/null
	assert_output --partial "--from: 'nobody' is not a peer id"
	run -2 gn-open -k b --from any --from "$a" </dev/null
	run -2 "${open[@]}" file </dev/null
	run -2 "${open[@]}" -F raw --max-frame 10 </dev/null
	run -2 "${open[@]}" -F nul </dev/null
	run -2 "${open[@]}" -o "" </dev/null
	run -2 "${open[@]}" -o - </dev/null
	chmod 640 b
	run -4 "${open[@]}" </dev/null
	run -0 gn-open --help
	assert_line --partial "usage: gn-open"
	assert_equal "$(grep -c '^       gn-open' <<<"$output")" 0 # there is only one usage line
}

@test "a full disk is exit code 1 with a message, a closed pipe without" {
	for i in $(seq 30); do
		head -c 100000 /dev/zero | tr '\0' x # more than the capacity of a pipe
		echo
	done >lines
	for form in raw line; do
		"${seal[@]}" -F $form <lines >sealed
		run -1 bash -c '"$@" <sealed >/dev/full' - "${open[@]}" -F $form
		assert_output "gn-open: standard output: No space left on device"
		run -0 bash -c '{ "$@" <sealed; echo $? >code; } | head -c 1 >/dev/null' - "${open[@]}" -F $form
		assert_output ""
		assert_equal "$(cat code)" 1
		run -1 "${open[@]}" -F $form <.
	done
}

@test "non-blocking pipes are read and written completely" {
	head -c 3000000 /dev/urandom >f
	"${seal[@]}" -F raw <f >sealed
	command -v python3 >/dev/null || skip "python3 makes them"
	python3 - "$PWD" "$a" <<-'END'
		import os, subprocess, sys
		os.chdir(sys.argv[1])
		r, w = os.pipe()
		r2, w2 = os.pipe()
		for fd in (r, w, r2, w2): os.set_blocking(fd, False)
		p = subprocess.Popen(["gn-open", "-k", "b", "--from", sys.argv[2], "-F", "raw"], stdin=r, stdout=w2)
		os.close(r); os.close(w2)
		data, got, at = open("sealed", "rb").read(), b"", 0
		while True:
		    if at < len(data):
		        try: at += os.write(w, data[at:at + 70001])
		        except BlockingIOError: pass
		        if at == len(data): os.close(w)
		    try: piece = os.read(r2, 1 << 16)
		    except BlockingIOError: continue
		    if not piece: break
		    got += piece
		sys.exit(p.wait() or got != open("f", "rb").read())
	END
}
