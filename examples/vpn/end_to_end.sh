#!/bin/sh
# From photons to a VPN, and what an attack does to it: everything on this machine, in about a minute and a half.
#
#   end_to_end.sh [FOLDER]            as root; the files of the key servers and of the run go to FOLDER (a new one without it)
#
# 1. `qfabric kme`: two key servers, their stores empty
# 2. two network namespaces joined by a cable, a WireGuard tunnel between them, closed
# 3. keep_fresh.sh at both ends: each new key at once, over ETSI GS QKD 014; closed when none has come for LIFETIME
# 4. a web server at bob, and somebody at alice who looks at it all the time
# 5. `qfabric run`: pairs of photons, measured; two days of network time, at PACE for each second; every key goes to both key servers.
#    After a day somebody listens in for twelve hours.
#
# Needs qfabric with the extra `server`, and curl jq iproute2 wireguard-tools wireguard-go python3. Nothing here is secret: the photons are
# simulated, and the certificates are throw-aways.
set -eu
umask 077

here=$(dirname "$0")
folder=${1:-$(mktemp -d)}
pace=${PACE:-1 h} seed=${SEED:-1} port=${PORT:-18443} qfabric=${QFABRIC:-qfabric}
# of the tunnel, in seconds: keys are taken a bit faster than photons make them, so that few are in stock when the attack begins; a key is
# used for five hours of network time at most
EVERY=${EVERY:-0.3} LIFETIME=${LIFETIME:-5}
export EVERY LIFETIME
id=$$ begun=$(date +%s%N) running=''

for program in "$qfabric" curl jq ip wg wireguard-go python3; do
    command -v "$program" >/dev/null || { echo "needs $program" >&2; exit 2; }
done
[ "$(id -u)" = 0 ] || { echo "needs root, for network namespaces" >&2; exit 2; }

told() { # told WHO: puts the time and WHO before each line
    while IFS= read -r line; do
        at=$((($(date +%s%N) - begun) / 100000000))
        printf '%3d.%d s  %-7s %s\n' $((at / 10)) $((at % 10)) "$1" "$line"
    done
}
keep() { running="$! $running"; }
tidy() {
    trap '' EXIT INT TERM
    for one in $running; do kill "$one" 2>/dev/null || true; done
    for site in a b; do ip netns del "qfe$id$site" 2>/dev/null || true; done
    wait
}
trap tidy EXIT
trap 'exit 1' INT TERM
until_so() { # until_so WHAT COMMAND...: waits for it, 30 s at most
    what=$1 left=300
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || { echo "$what did not come" >&2; exit 1; }
        sleep 0.1
    done
}

# 1. key servers; without `test_supply` a trial has no keys but those that it is fed
"$qfabric" kme init "$folder/kme" --kme kme-a=alice --kme kme-b=bob --port "$port" >/dev/null
for site in a b; do
    sed -i '/^test_supply:/,/^[^ ]/ { /^test_supply:/d; /^ /d }' "$folder/kme/kme-$site.yaml"
    "$qfabric" kme serve "$folder/kme/kme-$site.yaml" >"$folder/kme-$site.log" 2>&1 &
    keep
done
for site in a b; do until_so "kme-$site" grep -q "serves SAEs" "$folder/kme-$site.log"; done

# 2. two sites
ip netns add "qfe${id}a"
ip netns add "qfe${id}b"
ip link add "qfc${id}a" netns "qfe${id}a" type veth peer name "qfc${id}b" netns "qfe${id}b"
for site in a b; do
    [ "$site" = a ] && number=1 || number=2
    inside="ip netns exec qfe$id$site"
    $inside ip link set lo up
    $inside ip address add "10.95.1.$number/24" dev "qfc$id$site"
    $inside ip link set "qfc$id$site" up
    $inside wireguard-go -f "qfw$id$site" >"$folder/wireguard-$site.log" 2>&1 &
    keep
    until_so "WireGuard at $site" wg show "qfw$id$site"
    wg genkey >"$folder/$site.private"
    wg set "qfw$id$site" private-key "$folder/$site.private" listen-port 51820
    $inside ip address add "10.95.2.$number/24" dev "qfw$id$site"
    $inside ip link set "qfw$id$site" up
done
alice=$(wg pubkey <"$folder/a.private") bob=$(wg pubkey <"$folder/b.private")

# 3. what keeps the tunnel under fresh keys, at each site with its own key server and its own certificate
mkfifo "$folder/key_ids" "$folder/alice.says" "$folder/bob.says" "$folder/user.says" "$folder/fabric.says"
KME_CA=$folder/kme/trial-ca-of-kmes.pem
export KME_CA
(
    KME=https://localhost:$port SAE_CERT=$folder/kme/sae-alice.pem SAE_KEY=$folder/kme/sae-alice.key
    ALLOWED_IPS=10.95.2.2/32 ENDPOINT=10.95.1.2:51820
    export KME SAE_CERT SAE_KEY ALLOWED_IPS ENDPOINT
    exec "$here/keep_fresh.sh" master bob "qfw${id}a" "$bob" >"$folder/key_ids" 2>"$folder/alice.says"
) &
keep
(
    KME=https://localhost:$((port + 2)) SAE_CERT=$folder/kme/sae-bob.pem SAE_KEY=$folder/kme/sae-bob.key
    ALLOWED_IPS=10.95.2.1/32 ENDPOINT=10.95.1.1:51820
    export KME SAE_CERT SAE_KEY ALLOWED_IPS ENDPOINT
    exec "$here/keep_fresh.sh" slave alice "qfw${id}b" "$alice" <"$folder/key_ids" 2>"$folder/bob.says"
) &
keep
told alice <"$folder/alice.says" &
told bob <"$folder/bob.says" &

# 4. somebody who uses the tunnel; a packet may get lost where one key follows another, so closed means: nothing for two seconds
mkdir "$folder/pages"
ip netns exec "qfe${id}b" python3 -m http.server --directory "$folder/pages" --bind 10.95.2.2 8000 >"$folder/pages.log" 2>&1 &
keep
(
    seen=closed missed=0
    while :; do
        if ip netns exec "qfe${id}a" curl --silent --output /dev/null --max-time 0.5 http://10.95.2.2:8000/; then
            [ "$seen" = open ] || echo "the other site answers"
            seen=open missed=0
        else
            missed=$((missed + 1))
            [ "$missed" != 3 ] || [ "$seen" = closed ] || { echo "the other site does not answer" && seen=closed; }
        fi
        sleep 0.2
    done
) >"$folder/user.says" &
keep
told user <"$folder/user.says" &

# 5. photons
echo "files in $folder; $pace of network time is a second here"
told fabric <"$folder/fabric.says" &
COLUMNS=120 "$qfabric" run vienna-bratislava --feed "St_Poelten=$folder/kme/kme-a.yaml" --feed "Bratislava=$folder/kme/kme-b.yaml" \
    --pace "$pace" --seed "$seed" --out "$folder/run" >"$folder/fabric.says" 2>&1
sleep "${AFTERWARDS:-2}"
for site in a b; do "$qfabric" kme status "$folder/kme/kme-$site.yaml" | told "kme-$site"; done
