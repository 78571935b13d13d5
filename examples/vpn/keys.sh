#!/bin/sh
# Keys from a key server over ETSI GS QKD 014, with nothing but curl and jq. To be sourced by the other scripts here.
#
# Needs in the environment:
#   KME        address of this site's key server, such as https://localhost:8443
#   KME_CA     certificate of the CA of key servers
#   SAE_CERT   certificate of this application
#   SAE_KEY    its private key
#
# A key goes through pipes and shell variables: never through an argument, which every user of the machine can see, and never
# through a file. (The programs of two of the examples want one or the other; those scripts say what they do about it.)

set -eu
umask 077

kme() { # kme PATH: what the key server answers
    curl --silent --show-error --fail --max-time 20 --proto '=https' \
        --cacert "$KME_CA" --cert "$SAE_CERT" --key "$SAE_KEY" "$KME/api/v1/keys/$1"
}

one_key() { # reads an answer; prints "KEY_ID KEY_IN_BASE64", or fails: what it prints goes into settings of other programs
    one=$(jq --raw-output '.keys | select(length == 1) | .[0]
        | select((.key_ID | test("\\A[0-9a-fA-F-]{36}\\z")) and (.key | test("\\A[A-Za-z0-9+/]{43}=\\z")))
        | "\(.key_ID) \(.key)"')
    [ -n "$one" ] && printf '%s\n' "$one" # when curl failed, jq had nothing to read and nothing to complain about
}

new_key() { # new_key SLAVE_SAE: a key of 256 bits that nobody had before
    kme "$1/enc_keys?number=1&size=256" | one_key
}

same_key() { # same_key MASTER_SAE KEY_ID: the key that the other site took
    kme "$1/dec_keys?key_ID=$2" | one_key
}
