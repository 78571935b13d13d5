#!/bin/sh
# A WireGuard preshared key from QKD.
#
#   wireguard.sh master SLAVE_SAE INTERFACE PEER_PUBLIC_KEY             takes a new key, prints its key_ID for the other site
#   wireguard.sh slave MASTER_SAE INTERFACE PEER_PUBLIC_KEY KEY_ID      takes the same one
#
# Run the slave first with what the master printed, or the other way round: WireGuard asks for the key at its next handshake, at
# most two minutes later, and a handshake that fails in between is tried again every five seconds. What `keys.sh` needs must be in
# the environment.
. "$(dirname "$0")/keys.sh"

role=$1 sae=$2 interface=$3 peer=$4
case $role in
master) found=$(new_key "$sae") ;;
slave) found=$(same_key "$sae" "$5") ;;
*) echo "master or slave" >&2; exit 2 ;;
esac
key_id=${found%% *} key=${found#* }

# 256 bits in base64 are what WireGuard calls a preshared key; printf is a part of the shell, so no process shows it
printf '%s\n' "$key" | wg set "$interface" peer "$peer" preshared-key /dev/stdin
[ "$role" = slave ] || echo "$key_id"
