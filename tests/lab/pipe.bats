#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# gn-cat between two hosts: IPv4, IPv6, zones, names, dead addresses, firewalls.

setup_file() {
	load helper
	lab_begin || return 0
	lab_switch sw
	lab_hosts a b dns
	lab_plug sw a 10.9.0.1/24 fd09::1/64
	lab_plug sw b 10.9.0.2/24 10.9.0.3/24 fd09::2/64 fd09::3/64
	lab_plug sw dns 10.9.0.53/24
	# Packets to .3 are dropped without a refusal.
	lab_rules b <<-END
		table inet t {
			chain c {
				type filter hook input priority 0;
				ip daddr 10.9.0.3 drop
				ip6 daddr fd09::3 drop
				tcp dport 7777 drop
			}
		}
	END
	head -c 8M /dev/urandom >"$BATS_FILE_TMPDIR/data"
	export DATA=$BATS_FILE_TMPDIR/data
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

# carried ADDR: asserts that b gets what a sends there
carried() {
	run dial_on a "$1" <"$DATA"
	assert_success
	finish "$pid"
	assert_equal "$(sum_of "$dir/b.out")" "$(sum_of "$DATA")"
}

@test "a pipe over IPv4 is complete" {
	listen_on b b /ip4/10.9.0.2/tcp/0
	carried "${addrs[0]}"
}

@test "a pipe over IPv6 is complete" {
	listen_on b b /ip6/fd09::2/tcp/0
	carried "${addrs[0]}"
}

@test "data goes both ways at once" {
	input=$DATA listen_on b b /ip4/10.9.0.2/tcp/0
	dial_on a "${addrs[0]}" <"$DATA" >"$dir/a.out"
	finish "$pid"
	assert_equal "$(sum_of "$dir/a.out")" "$(sum_of "$DATA")"
	assert_equal "$(sum_of "$dir/b.out")" "$(sum_of "$DATA")"
}

@test "without an address it listens on all interfaces and prints the reachable address first" {
	listen_on b b
	[[ ${addrs[0]} != */127.0.0.1/* && ${addrs[0]} != */::1/* ]]
	address_with /ip6/fd09::2/
	address_with /ip4/10.9.0.2/
	carried "$addr"
}

@test "a pipe over a link-local address with a zone is complete" {
	local own
	own=$(lab_ip b -6 -o addr show dev eth0 scope link | sed -n 's/.*inet6 \([^/]*\).*/\1/p')
	[ -n "$own" ]
	listen_on b b "/ip6zone/eth0/ip6/$own/tcp/0"
	address_with "/ip6zone/eth0/ip6/$own/"
	carried "$addr"
}

# answer RECORD...: starts a name server with these records
answer() {
	local fd line
	at dns
	exec {fd}< <(exec "${AT[@]}" "$LAB_AID/names" 10.9.0.53 "$@" 3>&-)
	pids+=("$!")
	read -rt 5 line <&"$fd"
	assert_equal "$line" up
	export GN_DNS_SERVER=10.9.0.53
}

# quick ADDR: like carried, and in much less than a second
quick() {
	local from took
	from=$(now_ms)
	carried "$1"
	took=$(($(now_ms) - from))
	[ "$took" -lt $((900 * GN_SLOW)) ] || {
		echo "took $took ms" >&2
		return 1
	}
}

@test "if one of a name's two addresses is dead the other is used at once" {
	listen_on b b /ip4/10.9.0.2/tcp/0
	answer two.lab AAAA fd09::3 two.lab A 10.9.0.2
	quick "${addrs[0]/ip4\/10.9.0.2/dns/two.lab}"
}

@test "if the first address of a /dnsaddr is dead the second is used at once" {
	listen_on b b /ip4/10.9.0.2/tcp/0
	local good=${addrs[0]%#*} token=${addrs[0]#*#}
	answer _dnsaddr.list.lab TXT "dnsaddr=${good/10.9.0.2/10.9.0.3}" _dnsaddr.list.lab TXT "dnsaddr=$good"
	quick "/dnsaddr/list.lab/p2p/${good##*/}#$token"
}

@test "a name that does not exist is exit code 3" {
	answer two.lab A 10.9.0.2
	run dial_on a -w 5 /dns/none.lab/tcp/4001/p2p/12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf </dev/null
	assert_failure 3
	assert_output --partial none.lab
}

@test "a firewall that drops packets is exit code 5 after -w" {
	local from took
	listen_on b b /ip4/10.9.0.2/tcp/7777
	from=$(now_ms)
	run dial_on a -w 1.5 "${addrs[0]}" </dev/null
	took=$(($(now_ms) - from))
	assert_failure 5
	[ "$took" -ge 1400 ]
	[ "$took" -lt $((1500 + 1000 * GN_SLOW)) ]
}

@test "a host that refuses the connection is exit code 3 at once" {
	local from
	from=$(now_ms)
	run dial_on a /ip4/10.9.0.2/tcp/9/p2p/12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf </dev/null
	assert_failure 3
	[ $(($(now_ms) - from)) -lt $((1000 * GN_SLOW)) ]
}

@test "a network without a route is exit code 3" {
	run dial_on a -w 5 /ip4/10.200.0.1/tcp/4001/p2p/12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf </dev/null
	assert_failure 3
}
