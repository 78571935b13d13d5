#!/bin/sh
# TLS 1.3 under an external preshared key from QKD, with OpenSSL's own programs.
#
#   tls_psk.sh server MASTER_SAE KEY_ID PORT       takes the key that the client took, and serves one connection
#   tls_psk.sh key SLAVE_SAE                       the client: takes a new key; prints "KEY_ID KEY_IN_HEXADECIMAL"
#   tls_psk.sh client HOST PORT                    reads that line from its standard input, connects, says what it said
#
# The identity of the PSK is the key_ID. `psk_dhe_ke`: the key exchange of TLS takes part as well, so whoever gets the key later
# cannot read what was said.
#
# openssl takes a PSK as an argument, which other users of the machine can see while it runs: good enough to show that both
# ends agree, not for a machine with other users. A program would use SSL_CTX_set_psk_use_session_callback.
. "$(dirname "$0")/keys.sh"

hexadecimal() { base64 -d | od -An -v -tx1 | tr -d ' \n'; }

case $1 in
key)
    found=$(new_key "$2")
    echo "${found%% *} $(printf '%s' "${found#* }" | hexadecimal)"
    ;;
server)
    found=$(same_key "$2" "$3")
    exec openssl s_server -accept "$4" -nocert -tls1_3 -ciphersuites TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256 \
        -psk_identity "${found%% *}" -psk "$(printf '%s' "${found#* }" | hexadecimal)" -naccept 1 -quiet
    ;;
client)
    read -r key_id key
    exec openssl s_client -connect "$2:$3" -tls1_3 -psk_identity "$key_id" -psk "$key" -no_ign_eof
    ;;
*) echo "key, server or client" >&2; exit 2 ;;
esac
