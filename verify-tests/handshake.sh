#!/usr/bin/env bash
# A mutual-TLS handshake on the loopback interface: handshake.sh DIRECTORY ROOT NAME
# Both sides present DIRECTORY/fullchain.pem with DIRECTORY/key.pem and trust ROOT alone; the client expects NAME.
set -euo pipefail

directory=$1 root=$2 name=$3
log=$(mktemp)
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -f "$log"
}
trap cleanup EXIT

identity=(-cert "$directory/cert.pem" -key "$directory/key.pem" -CAfile "$root" -verify_return_error)
if [ -e "$directory/chain.pem" ]; then
    identity+=(-cert_chain "$directory/chain.pem")
fi

# Port 0 lets the system choose; the server prints the one it got. Its standard input stays open on
# descriptor 3: at end of input it would hang up.
exec 3> >(exec openssl s_server -accept 127.0.0.1:0 -naccept 1 -Verify 5 "${identity[@]}" >"$log" 2>&1)
server=$!
port=
for _ in $(seq 200); do
    port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$log")
    [ -n "$port" ] && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
done
if [ -z "$port" ]; then
    echo "handshake: openssl s_server did not start:" >&2
    cat "$log" >&2
    exit 1
fi

answer=$(echo Q | openssl s_client -connect "127.0.0.1:$port" -servername "$name" -verify_hostname "$name" \
    -verify 5 -brief "${identity[@]}" 2>&1) || { echo "$answer" >&2; cat "$log" >&2; exit 1; }
echo "$answer"
grep -q '^Verification: OK' <<<"$answer" || { echo "handshake: the client did not verify the server" >&2; exit 1; }
wait "$server" || { cat "$log" >&2; exit 1; }
server=
grep -q 'Client certificate' "$log" || { echo "handshake: the server saw no client certificate" >&2; cat "$log" >&2; exit 1; }
