#!/usr/bin/env bash
# Installs the Debian packages that a purpose needs and that this machine lacks.
# Usage: Scripts/prepare.sh run|test|chaos|bench|python|generate
#
# It asks for what a package gives, not for the package: a PostgreSQL or OpenSSL from elsewhere is as good.
set -euo pipefail

purpose=${1:?usage: Scripts/prepare.sh run|test|chaos|bench|python|generate}
missing=()

# need PACKAGE COMMAND…: the package is missing if the command fails.
need() {
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

has_postgres() {
    compgen -G '/usr/lib/postgresql/*/bin/initdb' || { command -v initdb && command -v pg_ctl; }
}

has_library() { command -v pkg-config && pkg-config --exists "$1"; }

command -v swift >/dev/null || {
    echo "prepare: there is no 'swift' in PATH: install Swift 6.3 from https://swift.org/install" >&2
    exit 1
}

if [ "$purpose" = python ]; then
    need python3-venv python3 -c 'import ensurepip, venv'
else
    need pkg-config command -v pkg-config
    need libssl-dev has_library 'libcrypto >= 3.0'
    need libpq-dev has_library libpq
    need postgresql has_postgres
fi
case $purpose in
test)
    need openssl command -v openssl
    need softhsm2 command -v softhsm2-util
    need util-linux command -v setpriv
    ;;
chaos)
    need openssl command -v openssl
    need util-linux command -v setpriv
    ;;
bench)
    # The peers that issue the same certificates, and the clients that ask for them.
    need golang-cfssl command -v cfssl
    need nghttp2-client command -v h2load
    need openssl command -v openssl
    need postgresql-client command -v psql
    ;;
generate) need protobuf-compiler command -v protoc ;;
esac

[ ${#missing[@]} -eq 0 ] && exit 0
echo "prepare: installing ${missing[*]}"

command -v apt-get >/dev/null || {
    echo "prepare: no apt-get here: install what Debian calls ${missing[*]}, then try again" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    elif command -v sudo >/dev/null; then
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    else
        echo "prepare: installing ${missing[*]} needs root or sudo: run as root: apt-get install ${missing[*]}" >&2
        exit 1
    fi
}

install() { as_root apt-get install -y --no-install-recommends "$@"; }

# Lists that are absent or name files that are gone: fetch them and try once more.
install_fresh() {
    compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null || as_root apt-get update
    install "$@" || {
        as_root apt-get update
        install "$@"
    }
}

# Debian starts a server of its own with the package. Signet brings up a private one and leaves that one alone: it is not made.
settings=/etc/postgresql-common/createcluster.conf
if [[ " ${missing[*]} " == *" postgresql "* && ! -e $settings ]]; then
    install_fresh postgresql-common
    as_root sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' "$settings"
fi

install_fresh "${missing[@]}"
