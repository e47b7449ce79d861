#!/usr/bin/env bash
# Makes throw-away roots with openssl alone: some that `type: provided` takes, and one for each reason that it does not.
#
#   pki/throw-away/make.sh DIRECTORY            the root `ec-p256`, ready to be brought
#   pki/throw-away/make.sh DIRECTORY NAME…      those, each as NAME.pem and NAME.key
#   pki/throw-away/make.sh --list good|bad      their names
#
# Everything is made anew each time, and nothing of it belongs in a repository or before real traffic.
set -euo pipefail

good=(ec-p256 ec-p384 rsa-2048 rsa-3072 rsa-4096 path-length-1 serial-1 serial-20-octets with-uri constrained
    both-purposes own-authority-identifier key-sec1 key-sec1-parameters key-pkcs1 key-with-text)
bad=(leaf self-signed-leaf not-self-signed foreign-signature foreign-authority-identifier empty-subject no-ca-flag path-length-0
    no-key-usage no-cert-sign key-agreement unknown-critical expired not-yet-valid ec-p521 ed25519 rsa-1024 rsa-exponent-3
    md5 sha1 ecdsa-sha1 no-subject-key-identifier workload-uri shut-out excluded constrained-directory one-purpose any-purpose key-encrypted
    key-encrypted-traditional key-of-another key-public key-certificate key-empty key-twice key-openssh
    everything)

fail() {
    echo "make.sh: $*" >&2
    exit 2
}

if [[ "${1:-}" == --list ]]; then
    case "${2:-}" in
    good) printf '%s\n' "${good[@]}" ;;
    bad) printf '%s\n' "${bad[@]}" ;;
    *) fail "--list takes 'good' or 'bad'" ;;
    esac
    exit
fi
[[ $# -ge 1 ]] || fail "usage: make.sh DIRECTORY [NAME…]"
command -v openssl >/dev/null || fail "openssl is missing: apt-get install openssl"
directory=$1
shift
mkdir -p "$directory"
umask 077

# new_key FILE KIND
new_key() {
    case "$2" in
    EC:*) openssl genpkey -quiet -algorithm EC -pkeyopt "ec_paramgen_curve:${2#EC:}" -out "$1" ;;
    RSA:*) openssl genpkey -quiet -algorithm RSA -pkeyopt "rsa_keygen_bits:${2#RSA:}" -out "$1" ;;
    RSA-3:*)
        openssl genpkey -quiet -algorithm RSA -pkeyopt "rsa_keygen_bits:${2#RSA-3:}" -pkeyopt rsa_keygen_pubexp:3 -out "$1"
        ;;
    *) openssl genpkey -quiet -algorithm "$2" -out "$1" ;;
    esac
}

# One root, by the variables below, each of which a name may change.
make() {
    local name=$1
    local key=EC:P-256 digest=sha256 subject="/O=Throw-away/CN=root $name" serial="" period=""
    local constraints="basicConstraints = critical, CA:TRUE" usage="keyUsage = critical, keyCertSign, cRLSign"
    local identifier="subjectKeyIdentifier = hash" more="" signer=""
    case "$name" in
    ec-p256) ;;
    ec-p384) key=EC:P-384 digest=sha384 ;;
    rsa-2048 | rsa-3072 | rsa-4096) key=RSA:${name#rsa-} ;;
    path-length-1) constraints+=", pathlen:1" ;;
    serial-1) serial=1 ;;
    serial-20-octets) serial=0x7fffffffffffffffffffffffffffffffffffffff ;;
    with-uri) more="subjectAltName = URI:spiffe://payments" ;;
    constrained) more="nameConstraints = critical, permitted;URI:payments, permitted;URI:orders, excluded;DNS:example.org" ;;
    both-purposes) more="extendedKeyUsage = serverAuth, clientAuth" ;;
    own-authority-identifier) more="authorityKeyIdentifier = keyid:always" ;;
    key-agreement) usage+=", keyAgreement" ;;
    key-pkcs1) key=RSA:2048 ;;
    key-*) ;;

    leaf)
        subject="/CN=api.example.org" signer=ca constraints="basicConstraints = critical, CA:FALSE"
        usage="keyUsage = critical, digitalSignature" more="subjectAltName = URI:spiffe://payments/api"
        ;;
    self-signed-leaf)
        subject="/CN=api.example.org" constraints="basicConstraints = critical, CA:FALSE"
        usage="keyUsage = critical, digitalSignature, keyAgreement" more="subjectAltName = DNS:api.example.org"
        ;;
    not-self-signed) signer=ca constraints+=", pathlen:1" ;;
    foreign-signature) signer=namesake more="authorityKeyIdentifier = none" ;;
    # Of a CA of the same name, whose identifier it therefore has.
    foreign-authority-identifier) signer=namesake more="authorityKeyIdentifier = keyid:always" ;;
    empty-subject) subject="/" ;;
    no-ca-flag) constraints="basicConstraints = critical, CA:FALSE" ;;
    path-length-0) constraints+=", pathlen:0" ;;
    no-key-usage) usage="" ;;
    no-cert-sign) usage="keyUsage = critical, cRLSign" ;;
    unknown-critical) more="1.2.3.4 = critical, ASN1:NULL" ;;
    expired) period="-startdate 20200101000000Z -enddate 20210101000000Z" ;;
    not-yet-valid) period="-startdate 20900101000000Z -enddate 20910101000000Z" ;;
    ec-p521) key=EC:P-521 ;;
    ed25519) key=ED25519 digest="" ;;
    rsa-1024) key=RSA:1024 ;;
    rsa-exponent-3) key=RSA-3:2048 ;;
    md5 | sha1) key=RSA:2048 digest=$name ;;
    ecdsa-sha1) digest=sha1 ;;
    no-subject-key-identifier) identifier="subjectKeyIdentifier = none" ;;
    workload-uri) more="subjectAltName = URI:spiffe://payments/api" ;;
    shut-out) more="nameConstraints = critical, permitted;URI:elsewhere" ;;
    excluded) more="nameConstraints = critical, excluded;URI:payments" ;;
    constrained-directory) more=$'nameConstraints = critical, permitted;dirName:dir\n[dir]\nO = Throw-away' ;;
    any-purpose) more="extendedKeyUsage = anyExtendedKeyUsage" ;;
    one-purpose) more="extendedKeyUsage = serverAuth" ;;
    everything)
        key=RSA:1024 digest=sha1 constraints+=", pathlen:0" usage="keyUsage = critical, keyAgreement" identifier="subjectKeyIdentifier = none"
        more=$'subjectAltName = URI:spiffe://payments/api\nnameConstraints = critical, permitted;URI:elsewhere\n'
        more+=$'extendedKeyUsage = clientAuth\n1.2.3.4 = critical, ASN1:NULL'
        period="-startdate 20200101000000Z -enddate 20210101000000Z"
        ;;
    *) fail "there is no root '$name': see make.sh --list good|bad" ;;
    esac

    local base="$directory/$name"
    new_key "$base.key" "$key"
    printf '[req]\ndistinguished_name = dn\n[dn]\n[own]\n%s\n%s\n%s\n%s\n' "$identifier" "$constraints" "$usage" "$more" \
        >"$base.cnf"
    local certificate=(-config "$base.cnf" -extensions own -subj "$subject" ${digest:+-$digest} ${serial:+-set_serial "$serial"})
    if [[ -n $signer ]]; then
        sign_by "$name" "$signer" "$subject"
    elif [[ -n $period ]]; then
        sign_for "$name" "$subject" "$period" "$digest"
    else
        openssl req -x509 -new -key "$base.key" "${certificate[@]}" -days 3650 -out "$base.pem"
    fi
    rm "$base.cnf"
    change_key "$name"
}

# sign_by NAME SIGNER SUBJECT: by another CA; `namesake`: by one that has the same subject.
sign_by() {
    local base="$directory/$1" name="/O=Throw-away/CN=another root"
    [[ $2 != namesake ]] || name=$3
    new_key "$base.ca.key" EC:P-256
    printf '[req]\ndistinguished_name = dn\n[dn]\n[ca]\nsubjectKeyIdentifier = hash\nbasicConstraints = critical, CA:TRUE\n' \
        >"$base.ca.cnf"
    openssl req -x509 -new -key "$base.ca.key" -config "$base.ca.cnf" -extensions ca -subj "$name" -days 3650 -out "$base.ca.pem"
    openssl req -new -key "$base.key" -config "$base.cnf" -subj "$3" -out "$base.csr"
    openssl x509 -req -in "$base.csr" -CA "$base.ca.pem" -CAkey "$base.ca.key" -set_serial 2 -sha256 -days 3650 \
        -extfile "$base.cnf" -extensions own -out "$base.pem" 2>/dev/null
    rm "$base".ca.* "$base.csr"
}

# sign_for NAME SUBJECT PERIOD DIGEST: `openssl req` cannot set a beginning, `openssl ca` can.
sign_for() {
    local base="$directory/$1"
    : >"$base.db"
    printf '[ca]\ndefault_ca = own_ca\n[own_ca]\ndatabase = %s\nnew_certs_dir = %s\nrand_serial = yes\npolicy = any\n[any]\n' \
        "$base.db" "$directory" >>"$base.cnf"
    printf 'organizationName = optional\ncommonName = optional\n' >>"$base.cnf"
    openssl req -new -key "$base.key" -config "$base.cnf" -subj "$2" -out "$base.csr"
    # shellcheck disable=SC2086 # The period is several words.
    openssl ca -batch -notext -selfsign -config "$base.cnf" -extensions own -keyfile "$base.key" -md "$4" $3 -in "$base.csr" \
        -out "$base.pem" 2>"$base.log" || { cat "$base.log" >&2; exit 1; }
    local copy
    copy=$(openssl x509 -in "$base.pem" -noout -serial)
    rm -f "$base".db* "$base.csr" "$base.log" "$directory/${copy#serial=}.pem"
}

# change_key NAME: the other forms of a key, and what is none.
change_key() {
    local key="$directory/$1.key" pem="$directory/$1.pem"
    case "$1" in
    key-sec1) openssl ec -in "$key" -out "$key" 2>/dev/null ;;
    key-sec1-parameters)
        openssl ec -in "$key" -out "$key.ec" 2>/dev/null
        { openssl ecparam -name prime256v1; cat "$key.ec"; } >"$key"
        rm "$key.ec"
        ;;
    key-pkcs1) openssl rsa -in "$key" -traditional -out "$key" 2>/dev/null ;;
    key-with-text) { printf 'Bag Attributes\n    friendlyName: root\r\n'; sed 's/$/\r/' "$key"; } >"$key.text" && mv "$key.text" "$key" ;;
    key-encrypted) openssl pkcs8 -topk8 -in "$key" -passout pass:throw-away -out "$key.other" && mv "$key.other" "$key" ;;
    key-encrypted-traditional) openssl ec -in "$key" -aes256 -passout pass:throw-away -out "$key" 2>/dev/null ;;
    key-of-another) new_key "$key" EC:P-256 ;;
    key-public) openssl pkey -in "$key" -pubout -out "$key.other" && mv "$key.other" "$key" ;;
    key-certificate) cp "$pem" "$key" ;;
    key-empty) : >"$key" ;;
    key-twice) new_key "$key.other" EC:P-256 && cat "$key.other" >>"$key" && rm "$key.other" ;;
    key-openssh) printf -- '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n' >"$key" ;;
    everything) new_key "$key" EC:P-521 ;;
    esac
}

[[ $# -gt 0 ]] || set -- ec-p256
for name in "$@"; do make "$name"; done
