#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Limits per address, from which loopback addresses are exempt: two hosts, one of them with two addresses.

setup_file() {
	load helper
	lab_begin || return 0
	lab_switch sw
	lab_hosts a b c
	lab_plug sw a 10.9.0.1/24 fd09::1/64
	lab_plug sw b 10.9.0.2/24 fd09:0:0:1::2/64
	lab_plug sw c 10.9.0.3/24
	lab_ip a addr add fd09:0:0:1::1/64 dev eth0
}
teardown_file() {
	load helper
	lab_stop
}
setup() {
	load helper
	test_begin
	dir=$BATS_TEST_TMPDIR
}
teardown() { kill_all; }

# hold HOST NAME ADDR: starts a dialer that keeps its stream until it is killed; returns when it is connected
hold() {
	local AT
	at "$1"
	mkfifo "$dir/$2.in"
	"${AT[@]}" gn-cat -v -p /raw/1 "$3" <"$dir/$2.in" >"$dir/$2.out" 2>"$dir/$2.err" 3>&- &
	pids+=("$!")
	exec {fd}>"$dir/$2.in"
	echo "$2 is here" >&"$fd"
	until_true 10 grep -q "connected$" "$dir/$2.err"
}

@test "beyond conns-per-addr a dialer exits with 6, both ends name the limit, and others are served" {
	listen_on a a --open --keep -p /raw/1 --limit conns-per-addr=2 /ip4/10.9.0.1/tcp/0
	hold b one "${addrs[0]}"
	until_true 10 grep -q "one is here" "$dir/a.out"
	hold b two "${addrs[0]}"
	run dial_on b -p /raw/1 "${addrs[0]}" </dev/null
	assert_failure 6
	assert_output --partial "limit conns-per-addr"
	until_true 10 grep -q "^gn-cat: /ip4/10.9.0.2/.*refused.*limit conns-per-addr" "$dir/a.err"
	hold c three "${addrs[0]}"
	kill "${pids[1]}"
	until_true 10 grep -q "two is here" "$dir/a.out"
	kill "${pids[2]}"
	until_true 10 grep -q "three is here" "$dir/a.out"
}

@test "pending connections from the same address take no place of allowed peers" {
	listen_on a a --open --keep -p /raw/1 --limit conns-per-addr=2 --limit conns-pending=4 /ip4/10.9.0.1/tcp/0
	port=$(cut -d/ -f5 <<<"${addrs[0]}")
	on b bash -c "for i in {1..20}; do exec {fd}<>/dev/tcp/10.9.0.1/$port; done; echo; exec sleep 30" >"$dir/open" 2>&1 3>&- &
	pids+=("$!")
	until_true 10 test -s "$dir/open"
	hold b one "${addrs[0]}"
	until_true 10 grep -q "one is here" "$dir/a.out"
}
