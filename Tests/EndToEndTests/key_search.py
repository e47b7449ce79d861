"""Searches files for private keys, in every encoding that a key could stand in. Exit 0: none; exit 1: found, one line each.

Usage: key_search.py --certificates PEM [--secret FILE]... FILE...

Three searches, each over the raw bytes, and over everything in them that reads as hexadecimal or base64 (twice, so that
base64 of PEM is found too):
1. the ASN.1 prefixes of PKCS#8, SEC1 and PKCS#1 private keys, PEM labels, and the private member of a JWK;
2. the known secrets (`--secret`, a PEM private key or any file): their bytes, and for a key the bare scalar;
3. for each 32-byte window, whether it is the private scalar of a P-256 public key in `--certificates` (a bare key).
   Tried in what the text of a file encodes; a big file (over 4 MiB) is searched by 1 and 2 alone.
"""

import argparse
import base64
import binascii
import re
import sys

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

PREFIXES = {
    "PKCS#8 EC P-256": bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420"),
    "PKCS#8 EC P-256, no public key": bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107042730250201010420"),
    "PKCS#8 EC P-384": bytes.fromhex("301006072a8648ce3d020106052b8104002204"),
    "PKCS#8 RSA": bytes.fromhex("300d06092a864886f70d010101050004"),
    "SEC1 EC P-256": bytes.fromhex("30770201010420"),
    "SEC1 EC P-384": bytes.fromhex("3081a40201010430"),
    "a PEM label": b"PRIVATE KEY-----",
}
JWK = re.compile(rb'"d"\s*:\s*"[A-Za-z0-9_-]{40,}"')
HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){16,}")
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{22,}(?:\r?\n[A-Za-z0-9+/_-]+)*={0,2}")
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
WINDOWED = 4 << 20


def decoded(data):
    for match in HEX.finditer(data):
        yield binascii.unhexlify(match.group()[: len(match.group()) // 2 * 2])
    for match in BASE64.finditer(data):
        text = re.sub(rb"[\r\n=]", b"", match.group()).replace(b"-", b"+").replace(b"_", b"/")
        if HEX.fullmatch(text):
            continue
        for start in range(4):
            piece = text[start:]
            piece = piece[:-1] if len(piece) % 4 == 1 else piece
            yield base64.b64decode(piece + b"=" * (-len(piece) % 4))


def views(data):
    """The bytes, and what they encode, two levels deep."""
    yield data
    for first in decoded(data):
        yield first
        if len(first) > 32:
            yield from decoded(first)


def secrets(paths):
    for path in paths:
        with open(path, "rb") as file:
            data = file.read()
        if b"PRIVATE KEY" in data:
            key = serialization.load_pem_private_key(data, None)
            yield path, key.private_bytes(
                serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            if isinstance(key, ec.EllipticCurvePrivateKey):
                yield path + " (the bare scalar)", key.private_numbers().private_value.to_bytes((key.key_size + 7) // 8, "big")
        else:
            yield path, data.strip()
            for view in decoded(data):
                yield path + " (decoded)", view


def public_points(path):
    with open(path) as file:
        pems = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", file.read(), re.S)
    points = set()
    for pem in pems:
        key = x509.load_pem_x509_certificate(pem.encode()).public_key()
        if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1":
            points.add(key.public_numbers().x)
    return points


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificates", required=True)
    parser.add_argument("--secret", action="append", default=[])
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    known = list(secrets(arguments.secret))
    points = public_points(arguments.certificates)
    if not points:
        sys.exit("key_search: no P-256 public key to search for")
    found, tried, windows = set(), set(), 0

    for path in arguments.files:
        with open(path, "rb") as file:
            data = file.read()
        for view in views(data):
            for what, prefix in PREFIXES.items():
                if prefix in view:
                    found.add(f"{path}: {what}")
            if JWK.search(view):
                found.add(f"{path}: the private member of a JWK")
            for what, secret in known:
                if secret in view:
                    found.add(f"{path}: {what}")
            if len(data) > WINDOWED or view is data:
                continue
            for start in range(len(view) - 31):
                window = view[start : start + 32]
                if window in tried:
                    continue
                tried.add(window)
                scalar = int.from_bytes(window, "big")
                if not 0 < scalar < ORDER or window[:8] == window[8:16]:
                    continue
                windows += 1
                if ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers().x in points:
                    found.add(f"{path}: the bare private key of a certificate")
    for line in sorted(found):
        print(line)
    print(f"searched {len(arguments.files)} files, {len(known)} secrets, {windows} windows", file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
