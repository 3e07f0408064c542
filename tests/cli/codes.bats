#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Exit codes that all tools have in common, see gn-exit(7).

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
	new_key srv
	peer=/p2p/$id
}

teardown() {
	kill_all
}

# cannot_listen PATTERN ADDR...: asserts that gn-listen and gn-cat -l end with 1 and one line.
cannot_listen() {
	local a args=() pattern=$1
	shift
	for a in "$@"; do args+=(-a "$a"); done
	run -1 --separate-stderr timeout 10 gn-listen -k srv "${args[@]}" /e/1 -- cat
	one_line "gn-listen: $pattern"
	run -1 --separate-stderr timeout 10 gn-cat -l -k srv "$@"
	one_line "gn-cat: $pattern"
}

one_line() {
	assert_equal "${#stderr_lines[@]}" 1
	assert_regex "$stderr" "^$1"
	refute_output
}

@test "an address that cannot be listened on is exit code 1 and one line that names it" {
	start gn-listen -k srv -a /ip4/127.0.0.1/tcp/0 /e/1
	taken=${addr%/p2p/*}
	cannot_listen "cannot listen on $taken: Address already in use" "$taken"
	cannot_listen "cannot listen on /ip4/192.0.2.99/tcp/0: Cannot assign" /ip4/192.0.2.99/tcp/0
	cannot_listen "cannot listen on /ip6/2001:db8::99/tcp/0: Cannot assign" /ip6/2001:db8::99/tcp/0
	cannot_listen "cannot listen on /ip4/127.0.0.1/udp/9/quic-v1: no transport" /ip4/127.0.0.1/udp/9/quic-v1
	cannot_listen "cannot listen on /dns4/localhost/tcp/0: no transport" /dns4/localhost/tcp/0
	cannot_listen "cannot listen on /ip6/fe80::1/tcp/0: .*needs a zone.*/ip6zone/eth0/ip6/fe80::1/tcp/0" /ip6/fe80::1/tcp/0
	cannot_listen "cannot listen on /ip6zone/nosuchif/.*: this host has no interface 'nosuchif'" \
		/ip6zone/nosuchif/ip6/fe80::1/tcp/0
}

@test "if one of several addresses cannot be listened on, none is, and the line names it" {
	start gn-listen -k srv -a /ip4/127.0.0.1/tcp/0 /e/1
	taken=${addr%/p2p/*}
	cannot_listen "cannot listen on $taken: Address already in use" /ip4/127.0.0.1/tcp/0 "$taken" /ip4/127.0.0.2/tcp/0
}

@test "a missing permission to listen is exit code 1" {
	[ "$(id -u)" -eq 0 ] || skip "only root can give the right away"
	[ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 81 ] || skip "every port is free to everybody"
	chmod 755 . && cp "$GN_BIN/gn-listen" "$GN_BIN/gn-cat" . && chmod 644 srv
	run -1 --separate-stderr setpriv --reuid 65534 --clear-groups timeout 10 ./gn-listen -a /ip4/127.0.0.1/tcp/81 /e/1
	assert_regex "$stderr" "cannot listen on /ip4/127.0.0.1/tcp/81: Permission denied"
	run -1 --separate-stderr setpriv --reuid 65534 --clear-groups timeout 10 ./gn-cat -l /ip4/127.0.0.1/tcp/81
	assert_regex "$stderr" "cannot listen on /ip4/127.0.0.1/tcp/81: Permission denied"
}

# unreachable PATTERN ADDR: asserts that every tool that dials ends with 3 and a line that matches.
unreachable() {
	local tool
	for tool in "gn-dial --ping=1 -k srv" "gn-dial --identify -k srv" "gn-cat --recv-only -k srv" "gn-cat --send-only -p /e/1 -k srv"; do
		run -3 --separate-stderr timeout $((20 * GN_SLOW)) $tool -w 4 "$2" </dev/null
		assert_regex "$stderr" "$1"
		refute_regex "$stderr" $'\n'
	done
	run -3 --separate-stderr timeout $((20 * GN_SLOW)) gn-dial -k srv -w 4 "$2" /e/1 </dev/null
	assert_regex "$stderr" "$1"
	run -3 --separate-stderr timeout $((20 * GN_SLOW)) gn-dial -j -k srv -w 4 "$2" /e/1 </dev/null
	assert_equal "$(jq -r .code <<<"$stderr")" 3
}

@test "a link-local address without a zone is exit code 3, and the message shows where the zone goes" {
	unreachable "needs a zone.*/ip6zone/eth0/ip6/fe80::1/tcp/1/p2p/" "/ip6/fe80::1/tcp/1$peer"
	unreachable "needs a zone" "/ip6/febf::1/tcp/1$peer"
}

@test "an unknown zone is exit code 3, and the message names it" {
	unreachable "no interface 'nosuchif'" "/ip6zone/nosuchif/ip6/fe80::1/tcp/1$peer"
	unreachable "no interface '4000000'" "/ip6zone/4000000/ip6/fe80::1/tcp/1$peer"
}

@test "an address that the system does not allow to dial is unreachable, exit code 3" {
	unreachable "/tcp/1$peer: " "/ip4/127.255.255.255/tcp/1$peer" # a broadcast address: EACCES
	unreachable ": no transport" "/ip4/127.0.0.1/udp/1/quic-v1$peer"
}

@test "every tool has -h, --help, -V and --version, and prints them to stdout" {
	for tool in "$GN_BIN"/gn-*; do
		for o in -h --help; do
			run -0 --separate-stderr "$tool" $o </dev/null
			assert_regex "$output" '^usage: gn-'
			assert_regex "$output" '-h, --help .*-V, --version '
		done
		for o in -V --version; do
			run -0 --separate-stderr "$tool" $o </dev/null
			assert_regex "$output" "^${tool##*/} [0-9.]+$"
		done
	done
}

@test "every option with a time accepts ms, s, m and h, and reports a bad value with an example" {
	for o in "gn-dial -w" "gn-dial --interval" "gn-cat -w" "gn-cat -i" "gn-listen --drain"; do
		for bad in 1x 1d '' 1m30s 900000h; do
			run -2 --separate-stderr $o "$bad"
			assert_regex "$stderr" "^${o% *}: ${o#* }: '$bad' is (not a time; write 500ms, 2s|longer than)"
		done
		for good in 1 0.5s 500ms 1.5m 1h; do # the value is accepted, so a later error is reported
			run -2 --separate-stderr $o $good --nonsense
			assert_regex "$stderr" 'there is no such option'
		done
	done
}

@test "every option with a size accepts K, M and G, and reports a bad value with an example" {
	for o in "gn-dial --max-frame" "gn-listen --max-frame" "gn-frame -b" "gn-frame --max-frame" "gn-seal --max-frame" "gn-open --max-frame"; do
		for bad in 1T 1KB '' 1.5K 99999999999G; do
			run -2 --separate-stderr $o "$bad"
			assert_regex "$stderr" "^${o% *}: ${o#* }: '$bad' is (not a size; write 512, 64K|too large)"
		done
		for good in 1 64K 3M 1G; do
			run -2 --separate-stderr $o $good --nonsense
			assert_regex "$stderr" 'there is no such option'
		done
	done
}
