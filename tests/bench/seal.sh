# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Sealing and opening a file: gn-seal and gn-open, age together with minisign (age encrypts, minisign signs
# the output of age and verifies it before age decrypts), and gpg, which signs and encrypts.  Input and output are files in
# memory, so that no pipe is measured; each program runs once per round, in turn.

: "${SEAL_ROWS:=gn age gpg}"

seal_describe() {
	case $1 in
	gn) echo "gn-seal, gn-open" ;;
	age) echo "age, minisign" ;;
	gpg) echo "gpg: sign and encrypt" ;;
	esac
}

seal_can_gn() { has "$BIN/gn-seal" && has "$BIN/gn-open"; }
seal_keys_gn() {
	ANN=$("$BIN/gn-key" new "$D/keys/ann") && BOB=$("$BIN/gn-key" new "$D/keys/bob") && export ANN BOB
}
seal_gn() { "$BIN/gn-seal" -F raw -k "$D/keys/ann" -r "$BOB"; }
open_gn() { "$BIN/gn-open" -F raw -k "$D/keys/bob" --from "$ANN"; }

seal_can_age() { has age && has age-keygen && has minisign; }
seal_keys_age() {
	age-keygen -o "$D/keys/age" 2>/dev/null && AGE_TO=$(age-keygen -y "$D/keys/age") && export AGE_TO &&
		minisign -G -W -f -p "$D/keys/minisign.pub" -s "$D/keys/minisign" >/dev/null
}
# minisign reads a file, so age's output goes to one; minisign's messages go to stderr.
seal_age() { age -r "$AGE_TO" && minisign -S -s "$D/keys/minisign" -x "$SHM/sealed.minisig" -m "$SHM/sealed" >&2; }
open_age() { minisign -V -q -p "$D/keys/minisign.pub" -x "$SHM/sealed.minisig" -m "$SHM/sealed" >&2 && age -d -i "$D/keys/age"; }

seal_can_gpg() { has gpg; }
seal_keys_gpg() {
	local who
	export GNUPGHOME=$D/gnupg
	mkdir -m 700 "$GNUPGHOME"
	for who in ann bob; do
		gpg --batch -q --passphrase '' --quick-gen-key "$who@bench" ed25519 sign never &&
			gpg --batch -q --passphrase '' --quick-add-key \
				"$(gpg --batch --with-colons -k "$who@bench" | awk -F: '$1 == "fpr" { print $10; exit }')" cv25519 encr never || return 1
	done 2>"$D/why"
}
# Without compression, like the others; --status-fd would report the signer.
seal_gpg() { gpg --batch -q --trust-model always -z 0 -u ann@bench -r bob@bench -s -e -o -; }
open_gpg() { gpg --batch -q --trust-model always -d; }

export -f seal_gn open_gn seal_age open_age seal_gpg open_gpg

# seal_measure seal|open ROW FROM TO: adds the figures to the results
seal_measure() {
	local start end cpu kib code
	"$AID/timed" -t "$LIMIT" "$D/cost" bash -c "$1_$2" <"$3" >"$4" 2>"$D/seal.err" || {
		put "$2" "$1_failed" "$(tail -n 1 "$D/seal.err")"
		note "    $2 $1: $(tail -n 1 "$D/seal.err")"
		return 1
	}
	read -r start end cpu kib code <"$D/cost"
	[ "$code" -eq 0 ] || return 1
	put "$2" "$1_rate" "$(awk -v n="$BYTES" -v t=$((end - start)) 'BEGIN { printf "%.1f", n * 1e3 / t }')"
	put "$2" "$1_cpu" "$(awk -v c="$cpu" -v n="$BYTES" 'BEGIN { printf "%.3f", c / 1e9 * 1073741824 / n }')"
	put "$2" "$1_rss" "$kib"
}

part_seal() {
	local row i good=''
	seal_rows=''
	for row in $SEAL_ROWS; do
		if "seal_can_$row" >"$D/why" 2>&1 && "seal_keys_$row"; then
			seal_rows+=" $row"
		else
			not_sealed+="  not run: $row: $(tail -n 1 "$D/why")"$'\n'
		fi
	done
	for ((i = 0; i <= RUNS; i++)); do
		note "  sealing, round $i of $RUNS"
		for row in $seal_rows; do
			rm -f "$SHM/sealed.minisig"
			seal_measure seal "$row" "$INPUT" "$SHM/sealed" && seal_measure open "$row" "$SHM/sealed" "$SHM/opened" || continue
			# Round 0 is not timed; it checks that the bytes are unchanged.
			[ $i -eq 0 ] || continue
			if cmp -s "$INPUT" "$SHM/opened"; then good+=" $row"; else not_sealed+="  not run: $row: other bytes came out"$'\n'; fi
		done
		[ $i -gt 0 ] || {
			: >"$RESULTS.seal" && grep -Ev ' (seal|open)_(rate|cpu|rss) ' "$RESULTS" >"$RESULTS.seal"
			mv "$RESULTS.seal" "$RESULTS"
			seal_rows=$good
		}
	done
	[ -z "${GNUPGHOME-}" ] || gpgconf --kill all 2>/dev/null
	rm -f "$SHM/sealed" "$SHM/sealed.minisig" "$SHM/opened"
}
not_sealed='' seal_rows=''

# fastest_other METRIC: prints the value of the fastest other program
fastest_other() {
	local row
	for row in $seal_rows; do [ "$row" = gn ] || median "$row" "$1"; done | sort -n | tail -n 1
}

show_seal() {
	local row of m
	echo
	pad -24 "sealed and opened by" && pad 12 "seal MB/s" && pad 9 "of ours" && pad 9 CPU/GiB && pad 12 "open MB/s" && pad 9 "of ours" &&
		pad 9 CPU/GiB && pad 14 "MiB peak s/o" && echo
	for row in $seal_rows; do
		pad -24 "$(seal_describe "$row")"
		for of in seal open; do
			pad 12 "$(number "$(median "$row" ${of}_rate)" %.0f)"
			pad 9 "$(ratio "$(median "$row" ${of}_rate)" "$(median gn ${of}_rate)")"
			pad 9 "$(number "$(median "$row" ${of}_cpu)" %.2f)"
		done
		pad 14 "$(number "$(highest "$row" seal_rss)" %.0f 0.0009765625) / $(number "$(highest "$row" open_rss)" %.0f 0.0009765625)"
		echo
	done
	[ -z "$not_sealed" ] || printf '%s' "$not_sealed"
	case " $seal_rows " in *" gn "*) ;; *) return ;; esac
	m=$({ highest gn seal_rss; highest gn open_rss; } | sort -n | tail -n 1)
	for of in seal open; do
		row=$(ratio "$(median gn ${of}_rate)" "$(fastest_other ${of}_rate)")
		echo "  ours at $of, of the fastest other's rate  $row   (1.00)  $(verdict "$row" '>=' 1)"
	done
	echo "  our peak memory                          $(number "$m" %.1f 0.0009765625) MiB  (16)    $(verdict "$(number "$m" %.1f 0.0009765625)" '<=' 16)"
}
