#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
}

hex() { od -An -v -tx1 | tr -d ' \n'; }

@test "encode: each line is a frame, also an empty one and one without a line end" {
	assert_equal "$(printf 'a\nbb\n\nccc' | gn-frame encode | hex)" 01610262620003636363
}

@test "encode: empty input gives no frame" {
	assert_equal "$(gn-frame encode </dev/null | hex)" ""
	assert_equal "$(printf '\n' | gn-frame encode | hex)" 00
	assert_equal "$(gn-frame encode --whole </dev/null | hex)" 00
}

@test "encode: a length of 128 or more takes two bytes" {
	printf '%200s\n' x | gn-frame encode >f
	assert_equal "$(head -c 2 f | hex)" c801
	assert_equal "$(wc -c <f)" 202
}

@test "encode reads the formats of -0, -n, -b and -w" {
	assert_equal "$(printf 'a\nb\0c' | gn-frame encode -0 | hex)" 03610a620163
	assert_equal "$(printf '3:a\nb,0:,1:c,' | gn-frame encode -n | hex)" 03610a62000163
	assert_equal "$(printf 'abcdefg' | gn-frame encode -b 3 | hex)" 036162630364656601"67"
	assert_equal "$(printf 'a\nb\n' | gn-frame encode -w | hex)" 04610a620a
}

@test "decode reverses encode in each format" {
	seq 1 100000 >lines
	gn-frame encode <lines | gn-frame decode >back
	cmp lines back
	tr '\n' '\0' <lines >nuls
	gn-frame encode -0 <nuls | gn-frame decode -0 >back
	cmp nuls back
	head -c 3000000 /dev/urandom >bytes
	gn-frame encode -b 70001 <bytes | gn-frame decode -r >back
	cmp bytes back
	gn-frame encode -b 70001 <bytes | gn-frame decode -n | gn-frame encode -n | gn-frame decode --raw >back
	cmp bytes back
}

@test "a frame is written as soon as it is complete" {
	mkfifo in
	gn-frame encode <in 3>&- | gn-frame decode >out 3>&- &
	exec 7>in
	echo one >&7
	until_true 10 test -s out
	assert_equal "$(cat out)" one
	exec 7>&-
	wait
}

@test "decode: frames of sizes around those of the buffers are unchanged" {
	for n in 0 1 127 128 16383 16384 65535 65536 262143 262144 262145 1048576; do
		head -c $n /dev/zero | tr '\0' x >"$(printf 'f%08d' $n)"
	done
	gn-frame join f* >frames
	assert_equal "$(gn-frame count <frames)" "12 1999102"
	gn-frame split -p back- <frames
	i=0
	for f in f0*; do
		cmp "$f" "$(printf 'back-%06d' $i)"
		i=$((i + 1))
	done
}

@test "a truncated frame is exit code 9, and only the frames before it are written" {
	printf 'one\ntwo\n' | gn-frame encode | head -c 6 >short
	run -9 --separate-stderr gn-frame decode <short
	assert_output one
	assert_equal "$stderr" "gn-frame: frame 2, at byte 4: the input ends in the middle of it"
	printf '\x80' >head
	run -9 gn-frame decode <head
	run -9 --separate-stderr gn-frame count <short
	assert_output ""
}

@test "an oversized frame is exit code 9 before it is received" {
	mkfifo in
	gn-frame decode <in >out 2>err 3>&- &
	pid=$!
	exec 7>in
	printf '\x01a\x81\x80\x40' >&7 # 1 MiB and 1 byte
	ends_with 9 $pid
	exec 7>&-
	assert_equal "$(cat out)" a
	assert_equal "$(cat err)" "gn-frame: frame 2, at byte 2: longer than 1048576 bytes (--max-frame)"
	printf '12345\n' >line
	run -9 gn-frame encode --max-frame 4 <line
	run -0 gn-frame encode --max-frame 5 <line
	run -9 gn-frame encode -w --max-frame 5 <line
	run -0 gn-frame encode -w --max-frame 6 <line
}

@test "an overlong length and a malformed netstring are exit code 9" {
	printf '\x81\x00a' >overlong
	run -9 gn-frame decode <overlong
	assert_output --partial "frame 1, at byte 0: malformed"
	for bad in 'x' '1a' '1:ab' '01:a,' ':,' '3:abcd'; do
		printf %s "$bad" >n
		run -9 gn-frame encode -n <n
		assert_output --partial "netstring 1, at byte 0: malformed"
	done
	printf '3:ab' >n
	run -9 gn-frame encode -n <n
	assert_output --partial "the input ends in the middle of it"
	printf '99999999999999999999999999:' >n
	run -9 gn-frame encode -n <n
}

@test "a frame that contains a line end cannot be written as a line" {
	printf 'a\nb\0c\0' | gn-frame encode -0 >f
	run -9 --separate-stderr gn-frame decode <f
	assert_output ""
	assert_equal "$stderr" "gn-frame: frame 1, at byte 0: holds a line end, which a line cannot (-0 or -n can)"
	run -0 gn-frame decode -n <f
	assert_output $'3:a\nb,1:c,'
}

@test "split writes a file per frame and overwrites none" {
	printf 'a\nbb\n' | gn-frame encode >f
	run -0 gn-frame split <f
	assert_equal "$(cat frame-000000)/$(cat frame-000001)" a/bb
	run -4 gn-frame split <f
	assert_output "gn-frame: frame-000000 is there already and is not overwritten"
}

@test "split: a file exists only when its frame is complete" {
	head -c 3000000 /dev/zero | gn-frame encode -b 1M >f
	mkdir dir
	run -1 bash -c 'ulimit -f 512; gn-frame split -p dir/x <f'
	assert_output "gn-frame: dir/x000000: File too large"
	assert_equal "$(ls -A dir)" ""
	(umask 027 && gn-frame split -p dir/x <f)
	assert_equal "$(ls -A dir | tr '\n' ' ')" "x000000 x000001 x000002 "
	assert_equal "$(stat -c '%a %s' dir/*)" $'640 1048576\n640 1048576\n640 902848'
	ln -s nowhere link000000
	run -4 gn-frame split -p link <f
}

@test "split runs a program per frame until one fails" {
	printf 'a\nbb\nccc\n' | gn-frame encode >f
	run -0 gn-frame split -- sh -c 'echo "$GNFRAME:$(cat)"' <f
	assert_output $'0:a\n1:bb\n2:ccc'
	run -3 --separate-stderr gn-frame split -- sh -c 'cat; echo; [ "$GNFRAME" = 0 ] || exit 3' <f
	assert_output $'a\nbb'
	run -127 gn-frame split -- ./no-such-program <f
	touch plain
	# valgrind implements posix_spawn by fork, which loses the error
	[ "$GN_SLOW" != 1 ] || run -126 gn-frame split -- ./plain <f
	# a program that reads nothing of a frame that is larger than a pipe
	head -c 1000000 /dev/zero | gn-frame encode -w >large
	run -0 gn-frame split -- true <large
}

@test "split: a program gets a complete frame even if gn-frame is killed" {
	local pid signal
	head -c 900000 /dev/urandom >data
	gn-frame encode -w <data >f
	for signal in TERM KILL; do
		rm -f up go got whole
		gn-frame split -- sh -c ': >up; until [ -e go ]; do sleep .02; done; cat >got && mv got whole' <f 3>&- &
		pid=$!
		until_true 10 test -e up
		kill "-$signal" "$pid"
		until_true 10 is_gone "$pid"
		: >go
		until_true 10 test -e whole
		cmp data whole
	done
}

@test "a size of 0 is refused" {
	run -2 gn-frame encode -b 0
	assert_output --partial "-b: '0' is not a size"
	run -2 gn-frame encode --max-frame 0
	assert_output --partial "--max-frame: '0' is not a size"
}

@test "join reads files, and - is stdin" {
	printf aa >1
	: >2
	assert_equal "$(echo x | gn-frame join 1 - 2 | hex)" "02616102780a00"
	run -1 gn-frame join 1 none
	assert_output --partial "none: No such file or directory"
	run -9 gn-frame join --max-frame 1 1
	assert_output --partial "1: longer than 1 bytes"
}

@test "count prints the numbers of frames and bytes" {
	printf 'a\nbb\n' | gn-frame encode >f
	run -0 gn-frame count <f
	assert_output "2 3"
	run -0 gn-frame count -j <f
	assert_equal "$(jq -c . <<<"$output")" '{"frames":2,"bytes":3,"largest":2}'
}

@test "memory is bounded by the length of the longest frame" {
	head -c 100000000 /dev/zero | gn-frame encode -b 1000000 >f
	[ "$GN_SLOW" = 1 ] || skip "limits on memory do not go with a checker"
	[ "${MODE:-release}" != asan ] || skip "limits on memory do not go with a sanitizer"
	run -0 bash -c 'ulimit -v 20000; gn-frame decode -r <f | wc -c'
	assert_output 100000000
}

@test "usage errors are exit code 2" {
	run -2 gn-frame
	run -2 gn-frame explode
	run -2 gn-frame encode -0 -n
	run -2 gn-frame encode -r
	run -2 gn-frame decode -b 10
	run -2 gn-frame decode file
	run -2 gn-frame join
	run -2 gn-frame count -0
	run -2 gn-frame split -p x -- cat
	run -2 gn-frame split --
	run -2 gn-frame encode -b
	assert_output --partial "-b: SIZE is missing"
	run -2 gn-frame encode -b 1x
	assert_output --partial "-b: '1x' is not a size; write 512"
	run -2 gn-frame encode -b 1k --max-frame 1000
}

@test "a full disk is exit code 1 with a message, a closed pipe without" {
	run -1 bash -c 'seq 100 | gn-frame encode >/dev/full'
	assert_output "gn-frame: standard output: No space left on device"
	run -0 bash -c 'seq 1000000 | { gn-frame encode; echo $? >code; } | head -c 1 >/dev/null'
	assert_output ""
	assert_equal "$(cat code)" 1
	run -1 bash -c 'gn-frame encode <.'
	assert_output --partial "standard input: Is a directory"
}
