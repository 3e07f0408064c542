#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# One peer cannot keep gn-listen from serving others.

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
	new_key srv
	new_key hog
	hog=$id
	new_key cli
	at=(-k srv -a /ip4/127.0.0.1/tcp/0)
	dial=(timeout $((20 * GN_SLOW)) gn-dial -k cli --wire raw)
	mkfifo hold
	exec 7<>hold # an input that never ends
}

teardown() {
	exec 7>&-
	kill_all
}

lines_in() { [ "$(wc -l <"$2" 2>/dev/null || echo 0)" -ge "$1" ]; }

# idle N KEY: opens N streams of that identity that stay open and send nothing; sets $peer.
idle() {
	local n
	for ((n = 0; n < $1; n++)); do
		gn-dial -k "$2" --wire raw -v "$addr" /x/1 <hold >"idle.$2.$n" 2>"idle.$2.$n.err" 3>&- 7>&- &
		peer=$!
		pids+=("$peer")
		until_true 10 grep -q opened "idle.$2.$n.err"
	done
}

@test "idle streams of one peer leave places for others" {
	start gn-listen "${at[@]}" -c 8 /x/1 -- sh -c 'echo x >>started; cat'
	idle 9 hog
	until_true 10 lines_in 6 started
	run -0 --separate-stderr "${dial[@]}" "$addr" /x/1 <<<hello
	assert_output hello
	assert_equal "$(wc -l <started)" 7
}

@test "a single allowed peer may use all places" {
	start gn-listen "${at[@]}" --allow "$hog" -c 4 /x/1 -- sh -c 'echo x >>started; cat'
	idle 4 hog
	until_true 10 lines_in 4 started
}

@test "a place that becomes free goes to the peer that has none" {
	start gn-listen "${at[@]}" -c 1 /x/1 -- sh -c 'echo "$GNREMOTEPEER" >>started; cat'
	idle 1 hog
	first=$peer
	until_true 10 lines_in 1 started
	idle 3 hog
	idle 1 cli
	kill "$first"
	until_true 10 lines_in 2 started
	assert_equal "$(sed -n 2p started)" "$id"
}

@test "--idle ends an idle stream and its program, and no other" {
	start gn-listen "${at[@]}" -c 1 --idle 1 /x/1 -- sh -c 'echo $$ >>groups; trap "" HUP; cat'
	idle 1 hog
	until_true 10 grep -q 'no byte has moved for the time of --idle' err
	ends_with 8 "$peer"
	until_true 10 is_empty_group "$(cat groups)"
	# one line each 0.3 s counts as activity
	for n in 1 2 3 4 5 6; do
		echo $n
		read -rt 0.3 <> <(:) || :
	done | "${dial[@]}" "$addr" /x/1 >got
	assert_equal "$(tr '\n' ' ' <got)" "1 2 3 4 5 6 "
}

is_empty_group() { ! kill -0 -- "-$1" 2>/dev/null; }

@test "--idle on standard input and output lets the next stream be served" {
	start gn-listen "${at[@]}" --idle 0.5 --wire raw -F raw /x/1
	idle 1 hog
	finish "$peer" || :
	run -0 "${dial[@]}" "$addr" /x/1 <<<next
	until_true 10 lines_in 1 out
	assert_equal "$(cat out)" next
}
