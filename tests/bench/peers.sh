# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
#
# The rows: how each program listens and dials.  See common.sh.

ALL_ROWS="gn-cat gn-static ceiling noisepipe socat socat-tls ncat openssl spiped ssh ssh-aes js go rust"

describe() {
	case $1 in
	gn-cat) echo "Noise, ChaCha20-Poly1305" ;;
	gn-static) echo "the same, linked statically" ;;
	ceiling) echo "ChaCha20-Poly1305, bare" ;;
	noisepipe) echo "our Noise alone, no yamux" ;;
	socat) echo "nothing, 128 KiB blocks" ;;
	socat-tls) echo "TLS 1.3, 128 KiB blocks" ;;
	ncat | openssl) echo "TLS 1.3" ;;
	spiped) echo "AES-256-CTR, HMAC" ;;
	ssh) echo "its own choice of cipher" ;;
	ssh-aes) echo "AES-128-GCM" ;;
	js | rust) echo "Noise (libp2p)" ;;
	go) echo "TLS 1.3 (libp2p)" ;;
	esac
}

has() { command -v "$1" >/dev/null || { echo "$1 is not installed"; return 1; }; }

# Makes the certificate and the keys that several programs need.
make_keys() {
	mkdir -p "$D/keys"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$D/keys/tls.key" \
		-out "$D/keys/tls.crt" -days 2 -subj /CN=bench 2>/dev/null
	cat "$D/keys/tls.key" "$D/keys/tls.crt" >"$D/keys/tls.pem" 2>/dev/null
	head -c 32 /dev/urandom >"$D/keys/spiped"
	mkfifo "$D/never"
	exec 7<>"$D/never" # an input without data and without an end
}

can_gn-cat() { has "$BIN/gn-cat"; }
listen_gn-cat() {
	serve "$BIN/gn-cat" -l --ready-fd 9 "/ip4/$HOST/tcp/0"
	read_ready ADDR
}
dial_gn-cat() { CMD=("$BIN/gn-cat" "$ADDR"); }

# Made by `make static`.
STATIC=$B-static/bin/gn-cat
can_gn-static() { has "$STATIC"; }
listen_gn-static() {
	serve "$STATIC" -l --ready-fd 9 "/ip4/$HOST/tcp/0"
	read_ready ADDR
}
dial_gn-static() { CMD=("$STATIC" "$ADDR"); }

can_ceiling() { has "$AID/ceiling"; }
listen_ceiling() {
	serve "$AID/ceiling" listen "$HOST" 0
	read_ready _ PORT
}
dial_ceiling() { CMD=("$AID/ceiling" dial "$HOST" "$PORT"); }

can_noisepipe() { has "$AID/noisepipe"; }
listen_noisepipe() {
	serve "$AID/noisepipe" listen "/ip4/$HOST/tcp/0"
	read_ready ADDR
}
dial_noisepipe() { CMD=("$AID/noisepipe" dial "$ADDR"); }

can_socat() { has socat; }
listen_socat() {
	free_port
	serve socat -b131072 -u "TCP4-LISTEN:$PORT,bind=$HOST,reuseaddr" STDOUT
	within 5 listening "$PORT"
}
dial_socat() { CMD=(socat -b131072 -u STDIN "TCP4:$HOST:$PORT"); }

can_socat-tls() { has socat && has openssl; }
listen_socat-tls() {
	free_port
	serve socat -b131072 -u "OPENSSL-LISTEN:$PORT,bind=$HOST,reuseaddr,cert=$D/keys/tls.pem,verify=0" STDOUT
	within 5 listening "$PORT"
}
dial_socat-tls() { CMD=(socat -b131072 -u STDIN "OPENSSL:$HOST:$PORT,verify=0"); }

can_ncat() { has ncat && has openssl; }
listen_ncat() {
	free_port
	serve ncat --ssl --ssl-cert "$D/keys/tls.crt" --ssl-key "$D/keys/tls.key" --recv-only -l "$HOST" "$PORT"
	within 5 listening "$PORT"
}
dial_ncat() { CMD=(ncat --ssl --send-only "$HOST" "$PORT"); }

can_openssl() { has openssl; }
listen_openssl() {
	STDIN=$D/never # at the end of its input it would exit
	free_port
	serve openssl s_server -quiet -naccept 1 -accept "$HOST:$PORT" -cert "$D/keys/tls.crt" -key "$D/keys/tls.key"
	within 5 listening "$PORT"
}
dial_openssl() { CMD=(openssl s_client -quiet -nocommands -no_ign_eof -connect "$HOST:$PORT"); }

can_spiped() { has spiped && has spipe; }
listen_spiped() {
	STAYS=1 SINK_ARGS="$SINK_ARGS -u $D/sock"
	free_port
	serve spiped -F -d -s "[$HOST]:$PORT" -t "$D/sock" -k "$D/keys/spiped"
	within 5 listening "$PORT" && within 5 test -S "$D/sock"
}
dial_spiped() { CMD=(spipe -t "[$HOST]:$PORT" -k "$D/keys/spiped"); }

can_ssh() { has ssh && has sshd && has ssh-keygen && { [ "$(id -u)" != 0 ] || [ -d /run/sshd ] || mkdir /run/sshd 2>/dev/null && MADE_RUN_SSHD=1; } && check_ssh; }
check_ssh() {
	[ ! -e "$D/keys/ssh_ok" ] || return 0
	ssh-keygen -q -t ed25519 -N '' -f "$D/keys/ssh_host" && ssh-keygen -q -t ed25519 -N '' -f "$D/keys/ssh_user" || return 1
	cp "$D/keys/ssh_user.pub" "$D/keys/ssh_ok"
	"$(command -v sshd)" -t -f /dev/null -h "$D/keys/ssh_host" 2>&1
}
sshd_args() {
	SSHD=("$(command -v sshd)" -D -e -f /dev/null -h "$D/keys/ssh_host" -o "Port=$PORT" -o "ListenAddress=$HOST" -o PidFile=none
		-o StrictModes=no -o UsePAM=no -o "AuthorizedKeysFile=$D/keys/ssh_ok" -o PasswordAuthentication=no
		-o PermitRootLogin=prohibit-password -o MaxStartups=1000 -o MaxSessions=1000)
	SSH=(ssh -F none -T -p "$PORT" -i "$D/keys/ssh_user" -o BatchMode=yes -o StrictHostKeyChecking=no -o LogLevel=ERROR
		-o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes ${1:+-c "$1"} "$(id -un)@$HOST")
}
listen_ssh() {
	STAYS=1 SINK_IS_RUN=1 # sshd runs it as the command
	free_port
	sshd_args "$@"
	serve "${SSHD[@]}"
	exec {SINK_FD}<>"$D/pipe" # nothing else keeps it open
	within 5 listening "$PORT"
}
dial_ssh() {
	exec {SINK_FD}<&-
	CMD=("${SSH[@]}" "exec '$AID/sink' $SINK_ARGS '$D/sink'")
}

can_ssh-aes() { can_ssh; }
listen_ssh-aes() { listen_ssh aes128-gcm@openssh.com; }
dial_ssh-aes() { dial_ssh; }

# The libp2p peers of tests/interop.
can_peer() {
	local path
	path=$("$TESTS/interop/build" "$1" 2>&1) || { echo "${path##*$'\n'}"; return 1; }
	printf -v "PEER_$1" %s "${path##*$'\n'}"
}
listen_peer() {
	local peer=PEER_$1
	shift
	SINK_ARGS="$SINK_ARGS -l $D/line"
	serve "${!peer}" listen --once-out /bench/1.0.0 "$@"
	read_line ADDR
}
can_js() { can_peer js; }
can_go() { can_peer go; }
can_rust() { can_peer rust; }
listen_js() { listen_peer js; }
listen_go() { listen_peer go --at "/ip4/$HOST/tcp/0"; }
listen_rust() { listen_peer rust; }
dial_js() { CMD=("$PEER_js" dial "$ADDR" raw /bench/1.0.0); }
dial_go() { CMD=("$PEER_go" dial "$ADDR" raw /bench/1.0.0); }
dial_rust() { CMD=("$PEER_rust" dial "$ADDR" raw /bench/1.0.0); }
