#!/bin/sh
# A post-quantum preshared key (PPK, RFC 8784) for strongSwan from QKD.
#
#   strongswan.sh master SLAVE_SAE             takes a new key, prints its key_ID for the other site
#   strongswan.sh slave MASTER_SAE KEY_ID      takes the same one
#   strongswan.sh connect KEY_ID               the master again, when the slave has it: a new IKE SA under the new PPK
#
# Needs what `keys.sh` needs, SWANCTL_DIR (where swanctl.conf is, which includes ppk.conf) and VICI (unix://SOCKET of charon).
# IKE SAs take a PPK in when they are made, so a new key means a new IKE SA; it replaces the old one when it stands.
. "$(dirname "$0")/keys.sh"

ask() { swanctl "$@" --uri "$VICI" >/dev/null; }

case $1 in
master) found=$(new_key "$2") ;;
slave) found=$(same_key "$2" "$3") ;;
connect)
    # the name of the connection is new, so charon makes a new IKE SA and does not use the one that stands
    sed "s/@KEY_ID@/$2/g" "$SWANCTL_DIR/initiator.conf" >"$SWANCTL_DIR/conf.d/initiator.conf"
    ask --load-conns
    ask --initiate --ike "site-$2" --child net --timeout 20
    exit
    ;;
*) echo "master, slave or connect" >&2; exit 2 ;;
esac
key_id=${found%% *} key=${found#* }

# swanctl reads secrets from files only: this one is for its owner's eyes, and is gone when charon has the key
trap 'rm -f "$SWANCTL_DIR/conf.d/ppk.conf"' EXIT
printf 'secrets {\n  ppk-qkd {\n    id = %s\n    secret = 0s%s\n  }\n}\n' "$key_id" "$key" >"$SWANCTL_DIR/conf.d/ppk.conf"
ask --load-creds --noprompt
[ "$1" = slave ] || echo "$key_id"
