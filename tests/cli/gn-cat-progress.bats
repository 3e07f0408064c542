#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The progress line on terminals of several widths.

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
	new_key srv
	new_key cli
	lo=/ip4/127.0.0.1/tcp/0
	truncate -s 900000000 f
	mkfifo out
	# a slow reader
	(while head -c 200000 >/dev/null; do read -rt 0.05 <> <(:) || :; done) <out 3>&- &
	pids+=($!)
}

teardown() {
	kill_all
}

# shown COLUMNS NARROWER: sends a file on a terminal of COLUMNS that becomes NARROWER.  Sets $before and $after to the length
# of the longest line before and after that; the text is in the file shown.
shown() {
	start gn-cat -l -k srv $lo
	python3 "$BATS_TEST_DIRNAME/columns.py" "$1" "$2" "exec gn-cat -k cli --progress '$addr' <f >/dev/null" >shown
	before=$(sed -n 1p shown)
	after=$(sed -n 2p shown)
	[ "$before" -gt 0 ] && [ "$after" -gt 0 ]
}

@test "the progress line shows bytes, total, percent, rate and time left, and never wraps" {
	shown 80 80
	grep -Eq '^[0-9.]+[KM]/858M [0-9]+% [0-9.]+[KMG]/s [0-9:]+' shown
	assert [ "$before" -lt 80 ]
}

@test "the progress line fits into 30 columns" {
	shown 30 30
	assert [ "$before" -lt 30 ]
	assert [ "$after" -lt 30 ]
}

@test "the progress line fits into 20 columns, and into 8" {
	shown 20 8
	assert [ "$before" -lt 20 ]
	assert [ "$after" -lt 8 ]
}

@test "on a terminal that becomes narrower, later lines fit the new width" {
	shown 80 20
	assert [ "$before" -le 30 ]
	assert [ "$after" -lt 20 ]
}

@test "the progress line is erased at the end, and the last line shows whether the path was direct" {
	kill_all
	rm out
	head -c 3000000 /dev/urandom >f
	start gn-cat -l -k srv $lo
	python3 "$BATS_TEST_DIRNAME/columns.py" 60 60 "exec gn-cat -k cli '$addr' <f >/dev/null" >shown
	grep . shown | tail -n 1 | grep -Eq '^2\.86M [0-9.]+[KMG]/s [0-9:]+ direct$'
	cmp f out
	# no last line is printed after an interruption
	rm -f out
	mkfifo never
	exec 6<>never
	start gn-cat -l -k srv $lo
	script -qfec "timeout -s INT 1.5 gn-cat -k cli '$addr' <never >/dev/null" tty </dev/null >/dev/null || :
	grep -q "0B" tty
	refute grep -q direct tty
	# nor one with the bytes that were queued for a peer that has refused the token
	start gn-cat -l -k srv $lo
	python3 "$BATS_TEST_DIRNAME/columns.py" 60 60 "exec gn-cat -k cli --progress '${addr%????}' <f >/dev/null" >shown || :
	grep -q "the token is wrong" shown
	refute grep -q direct shown
}

@test "a message that is printed meanwhile has a line of its own" {
	kill_all
	rm out
	mkfifo never
	exec 6<>never
	start gn-cat -l -k srv $lo
	script -qfec "timeout 20 gn-cat -l -k srv --progress --keep $lo <f >/dev/null" tty </dev/null >/dev/null 3>&- &
	pids+=($!)
	until_true 10 grep -q listening tty
	there=$(sed -n 's/.*listening on //p' tty | tr -d '\r' | head -n 1)
	gn-cat -k cli "$there" <never >/dev/null 2>&1 3>&- &
	pids+=($!)
	until_true 10 grep -q "/s" tty
	gn-cat -k cli "${there%#*}" </dev/null >/dev/null 2>&1 || :
	until_true 10 grep -q "had no token" tty
	# the progress line is erased before the message
	tr '\r' '\n' <tty | grep "had no token" | grep -Eq "^.\[Kgn-cat: a caller|^gn-cat: a caller"
}
