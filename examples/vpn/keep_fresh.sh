#!/bin/sh
# Keeps a WireGuard tunnel under fresh keys from QKD, and closes it when none has come for too long.
#
#   keep_fresh.sh master SLAVE_SAE INTERFACE PEER_PUBLIC_KEY         takes a key whenever there is one; prints its key_ID
#   keep_fresh.sh slave MASTER_SAE INTERFACE PEER_PUBLIC_KEY         reads key_IDs, and takes the same ones
#
# The two are joined by any channel that carries lines: the key_ID is no secret.
#   keep_fresh.sh master bob wg0 KEY | ssh bob.example keep_fresh.sh slave alice wg0 KEY
#
# Needs in the environment what `keys.sh` needs, and
#   ALLOWED_IPS   what may go through the tunnel
#   ENDPOINT      ADDRESS:PORT of the other site
#   EVERY         seconds from one key to the next, for the master (default 120)
#   LIFETIME      seconds for which a key may be used (default 600); then the tunnel is closed until there is a new one
#
# Closed means that the peer is taken out of the interface: its session keys and its preshared key are gone, nothing goes through.
# So it is before the first key, after the last one's lifetime, and when this script ends. The end of a lifetime is watched by
# a process of its own, which also closes the tunnel when this script was killed. With each key the peer is put in anew, so the old
# session ends with the old key.
. "$(dirname "$0")/keys.sh"

role=$1 sae=$2 interface=$3 peer=$4
every=${EVERY:-120} lifetime=${LIFETIME:-600} guard=''
case $role in
master) alive='' ;;
slave) alive='persistent-keepalive 25' ;; # the second to have the key, and so the one who greets
*) echo "master or slave" >&2; exit 2 ;;
esac

say() { echo "$*" >&2; }
shut() { wg set "$interface" peer "$peer" remove; }
unwatch() {
    if [ -n "$guard" ]; then
        kill "$guard" 2>/dev/null || true
        wait "$guard" || true # one that is closing the tunnel right now does it before the new key, not after it
    fi
    guard=''
}

open() { # open KEY_ID KEY
    unwatch
    shut
    # shellcheck disable=SC2086  # two words, or none
    printf '%s\n' "$2" | wg set "$interface" peer "$peer" preshared-key /dev/stdin \
        allowed-ips "$ALLOWED_IPS" endpoint "$ENDPOINT" $alive
    (
        trap 'kill "$nap"; exit' TERM
        sleep "$lifetime" 2>/dev/null &
        nap=$!
        wait "$nap"
        trap '' TERM
        shut
        say "tunnel closed: no new key for $lifetime s"
    ) >/dev/null &
    guard=$!
    say "new key $1"
}

trap 'unwatch; shut 2>/dev/null || true' EXIT
trap 'exit 1' INT TERM
shut
if [ "$role" = slave ]; then
    while read -r key_id; do
        if found=$(same_key "$sae" "$key_id"); then
            open "${found%% *}" "${found#* }"
        else
            say "no key for $key_id: the old one goes on until its lifetime ends"
        fi
    done
    exit
fi
quiet=''
exec 3>&2
while :; do
    if found=$(new_key "$sae" 2>&3); then
        open "${found%% *}" "${found#* }"
        echo "${found%% *}"
        quiet=''
        exec 3>&2
    else # said once, not every time
        [ -n "$quiet" ] || say "no new key: a tunnel that stands goes on until the lifetime of its key ends"
        quiet=yes
        exec 3>/dev/null
    fi
    sleep "$every"
done
