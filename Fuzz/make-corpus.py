"""Writes the seeds of the fuzz targets: inputs of every kind that a target knows, good and bad, small enough to mutate.

Run with the Python of the tests' environment, which brings certificates and Envoy's messages by other hands than ours. The
keys are those of Fuzz/Targets/FuzzKeys.swift, which everyone knows; signatures are deterministic, so a second run writes the
same octets. A name begins with the verdict that the target must give.
"""

import base64
import datetime
import json
import pathlib
import shutil
import struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from envoy.config.core.v3 import base_pb2
from envoy.service.discovery.v3 import discovery_pb2
from google.rpc import status_pb2

CORPUS = pathlib.Path(__file__).resolve().parent / "Corpus"
NOW = datetime.datetime.fromtimestamp(1_795_248_000, datetime.timezone.utc)
HOUR = datetime.timedelta(hours=1)
SECRET = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
GOOD = "spiffe://payments/api"


def key(octet):
    return ec.derive_private_key(int.from_bytes(bytes([octet]) * 32, "big"), ec.SECP256R1())


ROOT, ISSUING, SUBJECT, TOKEN, STRANGER = (key(octet) for octet in (0x11, 0x22, 0x33, 0x44, 0x66))
ECDSA = {"ecdsa_deterministic": True}


def block(data):
    return struct.pack(">H", len(data)) + data


def name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])


# Certificates


def usage(**bits):
    names = "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign"
    names += " encipher_only decipher_only"
    return x509.KeyUsage(**{field: bits.get(field, False) for field in names.split()})


def certificate(subject, public_key, issuer, signer, extensions, begin=-HOUR, end=24 * HOUR, serial=0x3A5B):
    builder = (
        x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(public_key)
        .serial_number(serial).not_valid_before(NOW + begin).not_valid_after(NOW + end)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, hashes.SHA256(), **ECDSA)


def leaf(*uris, signer=ISSUING, issuer="fuzz issuing", more=(), purposes=True, bits=None, ca=False, **times):
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in uris])
    extensions = [
        (x509.BasicConstraints(ca, None), True),
        (bits or usage(digital_signature=True), True),
        (names, True),
        *more,
    ]
    if purposes:
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        extensions.append((x509.ExtendedKeyUsage(both), False))
    return certificate("", SUBJECT.public_key(), issuer, signer, extensions, **times)


def authority(subject, public_key, issuer, signer, length=None, more=(), **times):
    extensions = [
        (x509.BasicConstraints(True, length), True),
        (usage(key_cert_sign=True, crl_sign=True), True),
        *more,
    ]
    return certificate(subject, public_key, issuer, signer, extensions, **times)


def der(item):
    return item.public_bytes(serialization.Encoding.DER)


def pem(item):
    return item.public_bytes(serialization.Encoding.PEM)


def chains():
    constraints = x509.NameConstraints([x509.UniformResourceIdentifier("payments")], [x509.DNSName("")])
    issuing = authority("fuzz issuing", ISSUING.public_key(), "fuzz root", ROOT, 0)
    constrained = authority("fuzz issuing", ISSUING.public_key(), "fuzz root", ROOT, 0, [(constraints, True)])
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
    key_ids = [
        (x509.SubjectKeyIdentifier.from_public_key(SUBJECT.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(ISSUING.public_key()), False),
    ]
    good = leaf(GOOD, more=key_ids)
    yield "accepted-chain", b"\0" + block(der(good)) + block(der(issuing))
    yield "accepted-chain-with-constraints", b"\0" + block(der(good)) + block(der(constrained)) + block(der(issuing))
    yield "refused-foreign", b"\0" + block(der(leaf(GOOD, signer=STRANGER))) + block(der(issuing))
    yield "refused-expired", b"\0" + block(der(leaf(GOOD, end=datetime.timedelta(0) - HOUR / 2))) + block(der(issuing))
    yield "refused-alone", b"\0" + block(der(good))
    yield "refused-nothing", b"\0"
    yield "accepted-pem", b"\2" + pem(good) + pem(issuing)
    yield "refused-pem", b"\2-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"

    def body(*items):
        return b"\1" + b"".join(block(item.tbs_certificate_bytes) for item in items)

    yield "accepted-body", body(good)
    yield "accepted-body-with-constraints", body(good, constrained)
    yield "accepted-body-unknown-extension", body(leaf(GOOD, more=[(unknown, False)]), issuing)
    yield "accepted-body-without-purposes", body(leaf(GOOD, purposes=False))
    middle = authority("fuzz middle", STRANGER.public_key(), "fuzz root", ROOT)
    yield "refused-body-path-length", body(leaf(GOOD), issuing, middle)[:-1] + b"\0"
    yield "refused-body-critical-extension", body(leaf(GOOD, more=[(unknown, True)]))
    yield "refused-body-two-names", body(leaf(GOOD, "spiffe://payments/web"))
    yield "refused-body-other-domain", body(leaf("spiffe://orders/api"))
    yield "refused-body-ca", body(leaf(GOOD, ca=True))
    yield "refused-body-usage", body(leaf(GOOD, bits=usage(digital_signature=True, key_cert_sign=True)))
    yield "refused-body-constrained", body(
        good, authority("fuzz issuing", ISSUING.public_key(), "fuzz root", ROOT, 0, [
            (x509.NameConstraints([x509.UniformResourceIdentifier("orders")], None), True)]))
    yield "accepted-body-year-2050", body(leaf(GOOD, end=9000 * 24 * HOUR))


def templates():
    def fields(flags, serial, begin, end, public_key, identity):
        time = lambda number: b"\0" + struct.pack(">q", number)
        choice = b"\3" + block(public_key) if public_key else b"\0"
        return bytes([flags, len(serial) - 1]) + serial + time(begin) + time(end) + choice + identity

    def info(private):
        return private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    serial = bytes(range(1, 18))
    now = 1_795_248_000
    for kind, word in enumerate(["leaf", "issuing", "root", "cross"]):
        yield f"accepted-{word}", fields(kind, serial, now, now + 86_400, None, b"spiffe://payments/api")
        yield f"accepted-{word}-other", fields(kind | 4, b"\x80\1", -1, 3_000_000_000, None, b"spiffe://a.b-c/d")
    yield "accepted-seams", b"\0\0\1" + b"\x83\0" + b"\x83\0" + b"\0"
    yield "accepted-zero-serial", fields(0, b"\0\0\0", 0, 0, None, GOOD.encode())
    yield "accepted-p384-root", bytes([2 | 8, 0, 1]) + b"\0" + struct.pack(">q", 0) + b"\0" + struct.pack(">q", 9) + b"\2"
    modulus = rsa.RSAPublicNumbers(65537, (1 << 2047) | 0x1234_5677).public_key()
    rsa_info = modulus.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    yield "accepted-rsa-cross", fields(3 | 2 << 3, serial, now, now + 9, rsa_info, GOOD.encode())
    yield "refused-rsa-leaf", fields(0, serial, now, now + 9, rsa_info, GOOD.encode())
    yield "refused-backwards", fields(0, serial, now, now - 1, None, GOOD.encode())
    yield "refused-no-key", fields(0, serial, now, now + 9, b"\x30\x00", GOOD.encode())
    yield "accepted-own-key", fields(0, serial, now, now + 9, info(STRANGER), GOOD.encode())


def requests():
    def request(*extensions, private=SUBJECT, subject="api"):
        builder = x509.CertificateSigningRequestBuilder().subject_name(name(subject))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(private, hashes.SHA256(), **ECDSA)

    def names(*uris):
        return (x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in uris]), False)

    both = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    full = request(
        names(GOOD), (x509.BasicConstraints(False, None), True), (usage(digital_signature=True), True), (both, False))
    yield "accepted-bare", b"\0" + der(request())
    yield "accepted-full", b"\0" + der(full)
    yield "accepted-body", b"\1" + full.tbs_certrequest_bytes
    yield "accepted-body-bare", b"\1" + request(subject="").tbs_certrequest_bytes
    yield "accepted-pem", b"\2" + pem(full)
    yield "refused-two-names", b"\1" + request(names(GOOD, "spiffe://payments/web")).tbs_certrequest_bytes
    yield "refused-other-name", b"\1" + request(names("spiffe://orders/api")).tbs_certrequest_bytes
    yield "refused-ca", b"\1" + request((x509.BasicConstraints(True, None), True)).tbs_certrequest_bytes
    yield "refused-usage", b"\1" + request((usage(key_cert_sign=True), True)).tbs_certrequest_bytes
    yield "refused-another-key", b"\1" + request(private=STRANGER).tbs_certrequest_bytes
    changed = bytearray(der(full))
    changed[-1] ^= 1
    yield "refused-signature", b"\0" + bytes(changed)
    yield "refused-pem", b"\2-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"
    challenge = x509.CertificateSigningRequestBuilder().subject_name(name("api")).add_attribute(
        x509.ObjectIdentifier("1.2.840.113549.1.9.7"), b"secret").sign(SUBJECT, hashes.SHA256(), **ECDSA)
    yield "refused-challenge", b"\1" + challenge.tbs_certrequest_bytes


# Texts


def identities():
    accepted = [GOOD, "spiffe://prod.example.org/ns/default/sa/api", "spiffe://a/..b/.c/A_9-", "payments", "a-b.c1"]
    accepted.append("spiffe://" + "a" * 63 + "/" + "b" * 1975)
    refused = [
        "", "spiffe://", "spiffe://payments", "spiffe://payments/", "spiffe://payments//a", "spiffe://Payments/a",
        "SPIFFE://payments/a", "spiffe://payments:1/a", "spiffe://u@payments/a", "spiffe://payments/a?b", "spiffe://payments/a#b",
        "spiffe://payments/%61", "spiffe://payments/../a", "spiffe://payments/a/.", "spiffe://10.0.0.1/a", "spiffe://a..b/c",
        "spiffe://-a/b", "spiffe://payments/a\0", "spiffe://payments/a\n", "spiffe://payments/\u00e9", "10", "a.1", "payments\n",
    ]
    for verdict, texts in (("accepted", accepted), ("refused", refused)):
        for number, text in enumerate(texts):
            yield f"{verdict}-{number:02}", text.encode()
    yield "refused-octets", b"spiffe://payments/\xff\xfe"


def documents():
    mesh = {
        "type": "Mesh", "name": "payments",
        "mtls": {"enabledBackend": "ca-1", "backends": [
            {"name": "ca-1", "type": "builtin", "dpCert": {"rotation": {"expiration": "1d"}},
             "conf": {"caCert": {"expiration": "10y"}}}]},
    }
    yield "accepted-mesh.json", json.dumps(mesh).encode()
    yield "accepted-mesh.yaml", b"""type: Mesh
name: payments
mtls:
  enabledBackend: ca-1
  backends:
  - name: ca-1
    type: builtin
    dpCert: {rotation: {expiration: 1d}}
"""
    yield "accepted-kubernetes.yaml", b"""apiVersion: kuma.io/v1alpha1
kind: Mesh
metadata: {name: payments}
spec: {mtls: {enabledBackend: ca-1, backends: [{name: ca-1, type: builtin}]}}
---
type: CertificateAuthority
name: corp
---
type: Mesh
name: orders
mtls:
  enabledBackend: corp
  backends:
  - {name: corp, type: shared, conf: {authority: corp}}
"""
    yield "refused-unknown-field.yaml", b"type: Mesh\nname: m\nmtsl: {}\n"
    yield "refused-twice.yaml", b"type: Mesh\nname: m\nname: n\n"
    yield "refused-anchor.yaml", b"type: &a Mesh\nname: *a\n"
    yield "refused-tag.yaml", b"type: !!str Mesh\nname: m\n"
    yield "refused-merge.yaml", b"type: Mesh\n<<: {name: m}\n"
    yield "refused-deep.yaml", b"type: Mesh\nname: m\nlabels: " + b"[" * 40 + b"]" * 40 + b"\n"
    yield "refused-deep.json", b"[" * 40 + b"]" * 40
    yield "refused-text.json", rb'{"type":"Mesh","name":"\u0000","a":"\ud83d\ude00\n"}'
    yield "refused-numbers.json", b"[0, -1, 1.5e3, 1E-2, 12345678901234567890, 1e999, true, false, null]"
    yield "refused-numbers.yaml", b"[0x1f, 1_000, 0o17, .inf, ~, yes, 'no', \"\\x41\", 2026-11-21]"
    yield "refused-block.yaml", b"a: |\n  text\n  more\nb: >-\n  folded\n  text\n? c\n: d\n"
    yield "refused-nothing", b""


def tokens():
    encode = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")

    def payload(**changes):
        claims = {
            "mesh": "payments", "name": "api-1", "tags": {"kuma.io/service": ["api"]}, "jti": "0123456789abcdef",
            "iat": 1_795_248_000, "nbf": 1_795_248_000, "exp": 1_797_840_000,
        }
        claims.update(changes)
        return json.dumps({name: value for name, value in claims.items() if value is not None}).encode()

    def header(**changes):
        return json.dumps({"alg": "ES256", "kid": "fuzz", "typ": "JWT", **changes}).encode()

    def token(head, body, private=TOKEN):
        text = encode(head) + b"." + encode(body)
        r, s = utils.decode_dss_signature(private.sign(text, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
        return b"\0" + text + b"." + encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    yield "accepted-token", token(header(), payload())
    yield "refused-stranger", token(header(), payload(), STRANGER)
    yield "refused-no-algorithm", b"\0" + encode(header(alg="none")) + b"." + encode(payload()) + b"."
    yield "refused-other-key", token(header(kid="other"), payload())
    yield "refused-shape", b"\0a.b.c"

    def claims(head, body):
        return b"\1" + block(head) + block(body)

    yield "accepted-claims", claims(header(), payload())
    yield "accepted-many-tags", claims(header(), payload(tags={f"t{i}": ["a", "b"] for i in range(20)}))
    yield "refused-without-mesh", claims(header(), payload(mesh=None))
    yield "refused-end-of-time", claims(header(), payload(exp=2**63 - 1))
    yield "refused-before-time", claims(header(), payload(nbf=-(2**63)))
    yield "refused-text-for-time", claims(header(), payload(exp="1"))
    yield "refused-hs256", claims(header(alg="HS256"), payload())
    yield "refused-no-json", claims(header(), b"{")


# Messages


def discoveries():
    node = base_pb2.Node(id="payments.api-1", cluster="api")

    def world(names, version="", nonce="", error=None, url=SECRET):
        return b"\0" + block(discovery_pb2.DiscoveryRequest(
            node=node, resource_names=names, type_url=url, version_info=version, response_nonce=nonce,
            error_detail=error).SerializeToString())

    def delta(subscribe=(), unsubscribe=(), nonce="", held=None, error=None):
        return b"\0" + block(discovery_pb2.DeltaDiscoveryRequest(
            node=node, type_url=SECRET, resource_names_subscribe=subscribe, resource_names_unsubscribe=unsubscribe,
            response_nonce=nonce, initial_resource_versions=held or {}, error_detail=error).SerializeToString())

    issued, written, ack, nack, wait, change, gone = b"\7\2", b"\5", b"\3", b"\4", b"\x08\xff", b"\x0a\x20", b"\x0b\0"
    both = ["default", "ROOTCA"]
    rejected = status_pb2.Status(code=3, message="bad\nsecret")
    yield "accepted-world", b"\0" + world(both) + issued + written + ack + wait
    yield "accepted-world-rejected", b"\0" + world(both) + issued + written + nack + change + written + ack
    yield "accepted-world-reconnect", b"\0" + world(both, "ROOTCA=v1,default=leaf0") + change + written + ack + wait + wait
    yield "accepted-world-stale", b"\0" + world(["ROOTCA"]) + written + world(["ALL"], nonce="f-9") + ack + world(both, nonce="f-1")
    yield "accepted-delta", b"\1" + delta(both) + written + delta(nonce="f-1") + issued + written + delta(nonce="f-2")
    yield "accepted-delta-wildcard", b"\1" + delta(["*"]) + written + ack + issued + written + ack + delta((), ["*"])
    yield "accepted-delta-rejected", b"\1" + delta(["ROOTCA"]) + written + delta(nonce="f-1", error=rejected) + change + written
    yield "accepted-delta-held", b"\1" + delta(both, held={"default": "leaf0", "ROOTCA": "old"}) + written + ack + wait
    yield "accepted-delta-removed", b"\1" + delta(["mesh_ca:secret:orders", "nonsense"]) + written + ack + gone
    yield "accepted-names", b"\0" + world([
        "spiffe://payments/api", "spiffe://payments", "identity_cert:secret:payments", "mesh_ca:secret:payments:peers",
        "mesh_ca:secret:payments:destinations", "mesh_ca:secret:payments:service:orders/web", "a,b=c%d \u00e9"]) + issued + written
    yield "refused-other-type", b"\0" + world(["a"], url="type.googleapis.com/envoy.config.cluster.v3.Cluster")
    yield "refused-many-names", b"\1" + delta([f"name-{number}" for number in range(101)])
    yield "refused-gone", b"\0" + gone + world(both)


def connections():
    def frame(kind, flags, stream, payload=b""):
        return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload

    def fields(pairs):
        literal = b""
        for field, value in pairs:
            literal += b"\0" + bytes([len(field)]) + field.encode() + bytes([len(value)]) + value.encode()
        return literal

    def head(stream, path="/echo", method="POST", content="application/grpc", end=False, more=()):
        pairs = [(":method", method), (":scheme", "https"), (":path", path), (":authority", "signet"), ("content-type", content)]
        return frame(1, 4 | end, stream, fields(pairs + list(more)))

    def data(stream, payload, end=False):
        return frame(0, int(end), stream, payload)

    def message(payload, flag=0):
        return bytes([flag]) + struct.pack(">I", len(payload)) + payload

    start = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0)

    def reads(*parts, pause=0):
        return b"".join(block(bytes([pause]) + part) for part in parts)

    acknowledged = frame(4, 1, 0)
    yield "accepted-echo", reads(start + head(1) + data(1, message(b"hello"), True) + acknowledged)
    yield "accepted-two-messages", reads(start, head(1), data(1, message(b"a") + message(b"b" * 100)), data(1, b"", True))
    yield "accepted-in-pieces", reads(start, head(1), data(1, b"\0\0"), data(1, b"\0\0\3ab"), data(1, b"c"), pause=20)
    yield "accepted-two-calls", reads(start + head(1) + head(3) + data(3, message(b"x"), True) + data(1, message(b"y"), True))
    yield "accepted-then-reset", reads(start + head(1) + data(1, message(b"x")), frame(3, 0, 1, struct.pack(">I", 8)))
    yield "accepted-then-away", reads(start + head(1) + data(1, message(b"x")), frame(7, 0, 0, struct.pack(">II", 0, 0)))
    yield "accepted-windows", reads(
        start + head(1), data(1, message(b"z" * 4000)), frame(8, 0, 0, struct.pack(">I", 1000)), data(1, message(b"z" * 4000)))
    yield "accepted-timeout", reads(start + head(1, more=[("grpc-timeout", "1S")]) + data(1, message(b"x")), b"", pause=90)
    yield "refused-too-long", reads(start + head(1) + data(1, message(b"z" * 5000)))
    yield "refused-flags", reads(start + head(1) + data(1, message(b"x", 1)) + head(3) + data(3, message(b"x", 9)))
    yield "refused-half", reads(start + head(1) + data(1, message(b"hello")[:7], True))
    yield "refused-path", reads(start + head(1, path="/nowhere") + data(1, message(b"x"), True))
    yield "refused-method", reads(start + head(1, method="GET", end=True))
    yield "refused-content-type", reads(start + head(1, content="text/html") + data(1, b"x"))
    yield "refused-pings", reads(start + b"".join(frame(6, 0, 0, bytes(8)) for _ in range(12)))
    yield "refused-http-1", reads(b"GET / HTTP/1.1\r\nhost: signet\r\n\r\n")
    yield "refused-silence", reads(start, b"", b"", pause=200)


SEEDS = {
    "certificate-chain": chains, "certificate-template": templates, "csr": requests, "discovery": discoveries,
    "document": documents, "grpc-connection": connections, "spiffe-id": identities, "token": tokens,
}

for target, seeds in SEEDS.items():
    folder = CORPUS / target
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file, octets in seeds():
        (folder / file).write_bytes(octets)
