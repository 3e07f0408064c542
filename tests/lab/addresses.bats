#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The order of the addresses that a listener shows, on hosts with several interfaces.

setup_file() {
	load helper
	lab_begin || return 0
	lab_hosts server
	lab_switch lan
	# A bridge for containers, as container engines make it, with the lowest number and a private address.
	lab_ip server link add docker0 type bridge
	lab_ip server addr add 172.17.0.1/16 dev docker0
	lab_ip server link set docker0 up
	lab_plug lan server 192.168.7.2/24
	# A bridge with the default route is how hosts of virtual machines reach their network.
	lab_ip server link add br9 type bridge
	lab_ip server addr add 10.9.0.2/24 dev br9
	lab_ip server link set br9 up
	lab_ip server route add default via 10.9.0.1
}
teardown_file() {
	load helper
	lab_stop
}
setup() {
	load helper
	test_begin
}
teardown() { kill_all; }

@test "addresses of the default route's interface come first, those of a bridge for containers last" {
	listen_on server order /ip4/0.0.0.0/tcp/0
	printf '%s\n' "${addrs[@]}" | sed 's|/tcp.*||' | grep ip4 >"$BATS_TEST_TMPDIR/order"
	diff "$BATS_TEST_TMPDIR/order" - <<-'EOF'
		/ip4/10.9.0.2
		/ip4/192.168.7.2
		/ip4/172.17.0.1
		/ip4/127.0.0.1
	EOF
}

@test "a change of the host's addresses is noticed by a listener on a wildcard, and not by one on an address" {
	listen_on server wildcard -j --keep /ip4/0.0.0.0/tcp/0
	listen_on server single -j --keep /ip4/192.168.7.2/tcp/0
	lab_ip server addr add 192.168.7.99/24 dev br9
	until_true 10 grep -q '"addr-new".*/ip4/192.168.7.99/' "$dir/wildcard.err"
	lab_ip server addr del 192.168.7.99/24 dev br9
	until_true 10 grep -q '"addr-lost".*/ip4/192.168.7.99/' "$dir/wildcard.err"
	refute grep -q 192.168.7.99 "$dir/single.err"
}
