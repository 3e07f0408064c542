#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Listeners on addresses that come and go.

setup_file() {
	load helper
	lab_begin || return 0
	lab_hosts server
	lab_switch lan
	lab_plug lan server
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

has_lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }

@test "a listener goes up and down with its address" {
	local AT events=$BATS_TEST_TMPDIR/events address=192.168.7.2/24
	at server
	"${AT[@]}" "$LAB_AID/listener" /ip4/192.168.7.2/tcp/4040 >"$events" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	pids+=("$!")
	until_true 10 has_lines "$events" 1
	lab_ip server addr add $address dev eth0
	until_true 10 has_lines "$events" 2
	lab_ip server addr del $address dev eth0
	until_true 10 has_lines "$events" 3
	lab_ip server addr add $address dev eth0
	until_true 10 has_lines "$events" 4
	diff "$events" - <<-'EOF'
		listener-down /ip4/192.168.7.2/tcp/4040 EADDRNOTAVAIL
		listener-up /ip4/192.168.7.2/tcp/4040
		listener-down /ip4/192.168.7.2/tcp/4040 EADDRNOTAVAIL
		listener-up /ip4/192.168.7.2/tcp/4040
	EOF
}
