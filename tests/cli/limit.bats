#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --limit in every tool that opens a node.

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
	at=(-a /ip4/127.0.0.1/tcp/0)
}

teardown() {
	kill_all
}

# hold ADDR PROTO: starts gn-dial with a stream that stays open; its events are in hold.err
hold() {
	[ -p hold.in ] || mkfifo hold.in
	exec 7<>hold.in
	gn-dial -j --wire raw "$1" "$2" <hold.in >hold.out 2>hold.err 3>&- 7>&- &
	pids+=("$!")
	echo hello >&7
	until_true 10 grep -q hello hold.out
}

@test "the names are the fields of struct gn_limits, and the page lists each with its default" {
	fields=$(sed -n '/^struct gn_limits {/,/^};/s/^\t[a-z_]* \([a-z_]*\);.*/\1/p' "$TOP/lib/gn.h" | tr _ -)
	[ "$(wc -l <<<"$fields")" -ge 15 ]
	for tool in gn-cat gn-dial gn-listen; do
		run -2 --separate-stderr "$tool" --limit help
		assert_equal "$(sed 's/.*NAME of: //; s/ (.*//; s/, /\n/g' <<<"$stderr")" "$fields"
	done
	assert_equal "$(sed -n 's/^\.It Cm \([a-z-]*\) Pq .*/\1/p' "$TOP/man/gn-limits.7" | sort)" "$(sort <<<"$fields")"
}

@test "an invalid value is exit code 2, and the message names it and the option" {
	for l in conns=0 conns= conns-per-addr=many memory=1 memory-per-peer=255K window=255K ping=0 accept=soon idle conns:3 =1 CONNS=1; do
		for tool in gn-cat gn-dial gn-listen; do
			run -2 --separate-stderr "$tool" --limit "$l"
			assert_regex "$stderr" '^gn-[a-z]*: --limit: '
			assert_equal "$(wc -l <<<"$stderr")" 1
			[[ $l != [a-z]*=* ]] || assert_regex "$stderr" "^gn-[a-z]*: --limit: ${l%=*}[: ]"
		done
	done
}

@test "the last value of a name counts, and a time of 0 means never where it is allowed" {
	start gn-listen --limit conns=1 --limit conns=5 --limit idle=0 --limit keepalive=0 "${at[@]}" /echo/1 -- cat
	hold "$addr" /echo/1
	run -0 gn-dial -w 10 --ping=1 "$addr"
}

@test "beyond conns a dialer exits with 6, and both ends name the limit without -v" {
	start gn-listen --limit conns=1 "${at[@]}" /echo/1 -- cat
	hold "$addr" /echo/1
	run -6 --separate-stderr gn-dial --wire raw "$addr" /echo/1 </dev/null
	assert_regex "$stderr" "limit conns"
	assert_equal "$(grep -v '^gn-dial: .*limit conns' <<<"$stderr" || :)" ""
	run -6 --separate-stderr gn-dial --ping=1 "$addr"
	run -6 --separate-stderr gn-dial --identify "$addr"
	assert_regex "$stderr" "limit conns"
	until_true 10 grep -q '^gn-listen: /ip4/127.0.0.1/.*/p2p/.*refused.*limit conns' err
	# The peer that has the place is not affected, and when it leaves another peer gets the place.
	echo again >&7
	until_true 10 grep -q again hold.out
	exec 7>&-
	until_true 10 gn-dial --ping=1 "$addr"
}

@test "gn-cat exits with 6 beyond conns, too" {
	start gn-cat -l --open --keep -p /raw/1 --limit conns=1 /ip4/127.0.0.1/tcp/0
	mkfifo held
	gn-cat -p /raw/1 "$addr" <held >/dev/null 2>&1 3>&- &
	pids+=("$!")
	exec 7>held
	echo hello >&7
	until_true 10 grep -q hello out
	run -6 --separate-stderr gn-cat -p /raw/1 "$addr" </dev/null
	assert_regex "$stderr" "limit conns"
	exec 7>&-
}

@test "the dialer's own limits apply, too" {
	start gn-listen "${at[@]}" /echo/1 -- cat
	run -5 --separate-stderr gn-dial --limit dial=0.000001 --ping=1 "$addr"
	run -0 --separate-stderr gn-dial --limit dial=9 --ping=1 "$addr"
}

@test "loopback addresses have no limit on connections per address" {
	start gn-listen --limit conns-per-addr=2 "${at[@]}" /echo/1 -- sh -c 'read -r x; echo "$x"; read -r x'
	for i in {1..6}; do
		mkfifo "in.$i"
		gn-dial --wire raw "$addr" /echo/1 -F raw <"in.$i" >"out.$i" 2>/dev/null 3>&- &
		pids+=("$!")
		exec {fd}>"in.$i"
		echo "hello" >&"$fd"
	done
	for i in {1..6}; do
		until_true 10 grep -q hello "out.$i"
	done
}
