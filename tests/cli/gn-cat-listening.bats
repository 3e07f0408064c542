#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The addresses that gn-cat -l and gn-listen listen on, and those that they refuse.

bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
	new_key srv
	srv=$id
	new_key other
	other=$id
	lo=/ip4/127.0.0.1/tcp/0
}

teardown() {
	kill_all
}

has_ip6() { [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6; }

@test "without ADDR one port serves IPv4 and IPv6" {
	has_ip6 || skip "this host has no IPv6"
	for t in "gn-cat -l" "gn-listen /x/1"; do
		start ${t%% *} -k srv ${t#* }
		until_true 10 grep -q "listening on /ip6/::1/tcp/" err
		assert_equal "$(grep -o '/tcp/[0-9]*' err | sort -u | wc -l)" 1
		kill_all
	done
}

@test "an address to listen on with another peer's id, or with a token, is exit code 2" {
	for t in "gn-cat -l -k srv" "gn-listen -k srv /x/1 -a"; do
		run -2 $t $lo/p2p/$other
		assert_output --partial "another peer's id, $other"
		assert_output --partial "$srv"
		assert_equal "${#lines[@]}" 1
		run -2 $t "$lo/p2p/$srv#gezdgnbvgy3tqojqgezdgnbvgy"
		assert_output --partial "an address to listen on has no token"
		refute_output --partial gezdgn
	done
	run -2 gn-cat -l $lo/p2p/$other
}

@test "an address to listen on may end in the listener's own id" {
	start gn-cat -l -k srv $lo/p2p/$srv
	echo hi | gn-cat "$addr"
	ends_with 0 "$pid"
	start gn-listen -k srv -a $lo/p2p/$srv /x/1
}

@test "an address that cannot be listened on is exit code 1 and one line" {
	start gn-cat -l -k srv --keep $lo
	port=${addr#*/tcp/}
	port=${port%%/*}
	for t in "gn-cat -l -k srv" "gn-listen -k srv /x/1 -a"; do
		for a in /ip4/127.0.0.1/tcp/"$port" /ip4/192.0.2.99/tcp/0 /ip4/127.0.0.1/udp/4001/quic-v1; do
			run -1 $t $a
			assert_output --partial "cannot listen on $a: "
			assert_equal "${#lines[@]}" 1
		done
	done
}

@test "an address of --announce is the first one to hand out; without -l the option is refused" {
	start gn-cat -l -k srv --open --announce /ip4/8.8.8.8/tcp/4001 /ip4/127.0.0.1/tcp/0
	assert_equal "$addr" "/ip4/8.8.8.8/tcp/4001/p2p/$srv"
	run -0 gn-dial -k other --identify "$(grep -o '/ip4/127.0.0.1/[^ ]*' err | head -n 1)"
	assert_output --partial /ip4/8.8.8.8/tcp/4001
	run -2 gn-cat --announce /ip4/8.8.8.8/tcp/4001 "$addr"
	assert_output --partial "--announce goes with -l only"
}
