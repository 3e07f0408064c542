# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A network of hosts on one machine: namespaces that are connected by cables and switches.  It needs no root if the system
# allows every user to make user namespaces.  The lab's tests and the bench source this file.
#
#   lab_start                       makes an empty lab; if that is not possible it prints the reason and fails
#   lab_hosts NAME...               hosts: network namespaces with a loopback
#   lab_switch NAME                 a switch to plug hosts into
#   lab_plug SWITCH HOST ADDR...    a cable from the switch to the interface eth0 of the host, with its addresses
#   lab_pull SWITCH HOST            unplugs the cable at the switch, so that the host loses its carrier
#   lab_put_back SWITCH HOST        plugs it in again
#   lab_wire HOST1 ADDR1 HOST2 ADDR2 [OPTIONS]         a cable with delay, loss, ... between two hosts (wire.c)
#   on HOST COMMAND...              runs it there
#   at HOST                         sets AT to the words that run a command there when put before it; for commands in the background,
#                                   whose pid is then $! (a function in the background would run in a subshell)
#   lab_ip HOST ARGS...             ip(8) on that host
#   lab_rules HOST                  nft(8) on that host, rules from stdin
#   lab_stop                        ends the lab's own process; the lab disappears with the last process in it
#
# The kernels that are used have no netem; nft can drop packets at random (numgen) but not delay them; bridges and veths exist.
# A lab consists of a user namespace (unless it runs as root), a mount namespace with its own /run for the names of hosts, and the
# network namespaces.  There is no pid namespace.  LAB_PID is the process that keeps the lab alive.

PATH=$PATH:/usr/sbin:/sbin
LAB_LIFE=600 # seconds after which a lab that was not stopped ends by itself

lab_say_why() {
	local f why=''
	for f in /proc/sys/user/max_user_namespaces:0 /proc/sys/kernel/unprivileged_userns_clone:0 \
		/proc/sys/kernel/apparmor_restrict_unprivileged_userns:1; do
		[ "$(cat "${f%:*}" 2>/dev/null)" != "${f##*:}" ] || why="$why ${f%:*} is ${f##*:}"
	done
	echo "no network lab here: ${1:-no user namespaces, and not root}${why:+ ($why )}"
}

# Sets LAB_FLAGS to the flags of unshare that work on this system.
lab_flags() {
	local try='mount -t tmpfs lab /run && ip link add v0 type veth peer name v1 && ip link add b0 type bridge'
	command -v unshare >/dev/null && command -v nsenter >/dev/null && command -v ip >/dev/null ||
		{ lab_say_why "unshare, nsenter or ip is not installed"; return 1; }
	LAB_FLAGS=(--net --mount)
	[ "$(id -u)" = 0 ] && unshare "${LAB_FLAGS[@]}" sh -c "$try" 2>/dev/null && return
	LAB_FLAGS=(--user --map-root-user --net --mount)
	unshare "${LAB_FLAGS[@]}" sh -c "$try" 2>/dev/null && return
	lab_say_why
	return 1
}

lab_start() {
	local i
	lab_flags || return 1
	# The namespaces exist as long as this process.
	unshare "${LAB_FLAGS[@]}" sh -c 'mount -t tmpfs lab /run && mkdir /run/netns && ip link set lo up && : >/run/ready &&
		exec sleep '$LAB_LIFE </dev/null >/dev/null 2>&1 3>&- &
	LAB_PID=$!
	LAB_ENTER=(nsenter -t "$LAB_PID" -m)
	[[ " ${LAB_FLAGS[*]} " != *" --user "* ]] || LAB_ENTER+=(-U --preserve-credentials)
	export LAB_PID LAB_ENTER_WITH="${LAB_ENTER[*]}"
	for i in {1..200}; do
		[ ! -e "/proc/$LAB_PID/root/run/ready" ] || return 0
		kill -0 "$LAB_PID" 2>/dev/null || break
		read -rt 0.02 <> <(:) || :
	done
	lab_say_why "it did not start"
	return 1
}

lab_stop() {
	[ -z "${LAB_PID-}" ] || kill "$LAB_PID" 2>/dev/null || :
}

# Runs a command in the lab's own network namespace, which is not a host.
lab_inside() { $LAB_ENTER_WITH -n -- "$@"; }
# shellcheck disable=SC2206
at() { AT=($LAB_ENTER_WITH "--net=/proc/$LAB_PID/root/run/netns/$1" --); }
on() {
	local AT
	at "$1"
	shift
	"${AT[@]}" "$@"
}
lab_ip() {
	local host=$1
	shift
	on "$host" ip "$@"
}
lab_rules() { on "$1" nft -f -; }

lab_hosts() {
	local h
	for h; do
		lab_inside ip netns add "$h"
		# Addresses can be used at once, because duplicate address detection is off.
		on "$h" sh -c 'ip link set lo up; cd /proc/sys/net/ipv6/conf && for i in all default; do
			echo 0 >$i/accept_dad; echo 0 >$i/dad_transmits; echo 0 >$i/accept_ra; done'
	done
}

lab_switch() {
	lab_hosts "$1"
	lab_ip "$1" link add br0 type bridge forward_delay 0 mcast_snooping 0
	lab_ip "$1" link set br0 up
}

lab_addrs() {
	local host=$1 interface=$2 a
	shift 2
	for a; do lab_ip "$host" addr add "$a" dev "$interface" $(case $a in *:*) echo nodad ;; esac); done
}

lab_plug() {
	local switch=$1 host=$2
	shift 2
	lab_inside ip link add "p-$host" netns "$switch" type veth peer name eth0 netns "$host"
	lab_ip "$switch" link set "p-$host" master br0 up
	lab_ip "$host" link set eth0 up
	lab_addrs "$host" eth0 "$@"
}
lab_pull() { lab_ip "$1" link set "p-$2" down; }
lab_put_back() { lab_ip "$1" link set "p-$2" up; }

# Sets LAB_WIRE to the pid of the wire, which the caller has to end.  LAB_AID is the directory of the program `wire`.
lab_wire() {
	local h1=$1 a1=$2 h2=$3 a2=$4 h mid=wire-$1-$3 line AT
	shift 4
	lab_hosts "$mid"
	for h in "$h1" "$h2"; do
		lab_inside ip link add "w-$h" netns "$mid" type veth peer name wire0 netns "$h"
		lab_ip "$mid" link set "w-$h" arp off addrgenmode none up
		lab_ip "$h" link set wire0 up
		on "$h" "$LAB_AID/wire" plain wire0 # no segmentation offload: the wire carries complete packets
	done
	lab_addrs "$h1" wire0 "$a1"
	lab_addrs "$h2" wire0 "$a2"
	at "$mid"
	exec {LAB_WIRE_FD}< <(exec "${AT[@]}" "$LAB_AID/wire" "$@" "w-$h1" "w-$h2" 3>&-)
	LAB_WIRE=$!
	read -rt 5 line <&"$LAB_WIRE_FD" && [ "$line" = up ]
}
