"""How many certificates others issue in a second beside Signet: same work, same run, in turns of a few seconds.

The work: a fresh P-256 key and a leaf certificate for it, signed by a P-256 CA, with a SPIFFE ID in its subject alternative name
where the peer can say one, both as PEM. Each contender has two clients (or processes, or threads) for the two cores. The services
answer over keep-alive connections to one load generator, h2load. Signet records each certificate in PostgreSQL, durably, before
it answers, so cfssl does the same beside it, into the same server; and once more without, asked by many clients, as Signet is. Of
each contender one certificate is verified with `openssl verify`. Bounded in time, loopback only.
"""

import argparse
import base64
import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

from service import ROOT, Failed, Service, cpu_seconds, end, tool, wait_until

IDENTITY = "spiffe://default/bench"
TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
FETCH = "/envoy.service.secret.v3.SecretDiscoveryService/FetchSecrets"
# One for each core.
CLIENTS = 2
PEM = {
    kind: re.compile(rb"-----BEGIN " + kind.encode() + rb"-----.+?-----END " + kind.encode() + rb"-----\n?", re.S)
    for kind in ("CERTIFICATE", "EC PRIVATE KEY", "PRIVATE KEY")}


class Slice:
    """One turn of a contender: how many certificates in how many seconds, and the CPU time of who made them."""

    def __init__(self, count, seconds, cpu, database_cpu=0.0):
        if count < 1:
            raise Failed("no certificate was issued in a turn")
        self.rate = count / seconds
        self.cpu = cpu / count * 1e6
        self.database_cpu = database_cpu / count * 1e6


def run(arguments, limit=60):
    try:
        answer = subprocess.run([str(argument) for argument in arguments], capture_output=True, timeout=limit)
    except subprocess.TimeoutExpired:
        raise Failed(f"{arguments[0]} was not done after {limit} s") from None
    if answer.returncode:
        complaint = answer.stderr.decode(errors="replace").strip()[-500:]
        raise Failed(f"{pathlib.Path(str(arguments[0])).name} ended with {answer.returncode}: {complaint}")
    return answer.stdout


def verify(folder, name, roots, chain, identity):
    """`openssl verify` of a chain, leaf first, and a look at the leaf: EC P-256, and the name that it was issued for."""
    files = {"roots": roots, "leaf": chain[0], "between": b"".join(chain[1:]) or roots}
    for part, content in files.items():
        (folder / f"{part}.pem").write_bytes(content)
    said = run(["openssl", "verify", "-x509_strict", "-CAfile", folder / "roots.pem", "-untrusted", folder / "between.pem",
                folder / "leaf.pem"])
    text = run(["openssl", "x509", "-in", folder / "leaf.pem", "-noout", "-text", "-ext", "subjectAltName"]).decode()
    if b": OK" not in said or "prime256v1" not in text or identity not in text:
        raise Failed(f"the certificate of {name} is not what was asked for: {text}")


def matching(folder, name, key, leaf):
    """That the private key is the certificate's."""
    (folder / "key.pem").write_bytes(key)
    (folder / "leaf.pem").write_bytes(leaf)
    own = run(["openssl", "pkey", "-in", folder / "key.pem", "-pubout"])
    if own != run(["openssl", "x509", "-in", folder / "leaf.pem", "-noout", "-pubkey"]):
        raise Failed(f"the private key of {name} is not its certificate's")


def post(url, roots, token, body):
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=roots)))
    request = urllib.request.Request(
        url, body, {"content-type": "application/x-pem-file", "authorization": f"Bearer {token}"})
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        raise Failed(f"{url} answered {error.code}: {error.read().decode(errors='replace')[:500]}") from None


def h2load(arguments, seconds, url, connections=CLIENTS):
    """Requests answered with 2xx, over connections that stay, one request at a time on each unless told otherwise."""
    out = run(
        [tool("h2load", "nghttp2-client"), "-c", connections, "-t", "1", "-D", seconds, "--warm-up-time", "0", *arguments, url],
    ).decode()
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", out)
    if not codes:
        raise Failed(f"h2load said what is not understood: {out[-800:]}")
    if int(codes[3]) or int(codes[4]):
        raise Failed(f"the service refused: {codes[0]}")
    return int(codes[1])


class Served:
    """Signet as a service, by one of its two ways to a certificate."""

    def __init__(self, service, name, arguments, url):
        self.service, self.name, self.arguments, self.url = service, name, arguments, url

    def issued(self):
        return self.service.metric("signet_certificates_issued_total", mesh="default", kind="leaf")

    def turn(self, seconds, connections=CLIENTS):
        service, issued = self.service, self.issued()
        cpu, database, started = cpu_seconds(service.pid), service.database_cpu_seconds(), time.monotonic()
        answered = h2load(self.arguments, seconds, self.url, connections)
        took = time.monotonic() - started
        cpu, database = cpu_seconds(service.pid) - cpu, service.database_cpu_seconds() - database
        # An answer is 200 whatever gRPC says: what counts is what was issued. The last of each client may have been cut off.
        if answered > self.issued() - issued:
            raise Failed(f"{self.name} answered {answered} requests and issued {self.issued() - issued:.0f} certificates")
        return Slice(answered, took, cpu, database)


class Cfssl:
    """`cfssl serve`: key, request and certificate by one POST to /api/v1/cfssl/newcert; with a database it records each there."""

    # As certdb/pg/migrations/001_CreateCertificates.sql of cfssl has it.
    SCHEMA = """
        CREATE TABLE certificates (
            serial_number bytea NOT NULL, authority_key_identifier bytea NOT NULL, ca_label bytea, status bytea NOT NULL,
            reason int, expiry timestamptz, revoked_at timestamptz, pem bytea NOT NULL,
            PRIMARY KEY (serial_number, authority_key_identifier))
    """

    def __init__(self, folder, authority, service=None):
        program = tool("cfssl", "golang-cfssl")
        self.name = "cfssl serve, recording in PostgreSQL" if service else "cfssl serve, recording nothing"
        self.folder, self.service = folder / ("cfssl-recording" if service else "cfssl"), service
        self.folder.mkdir()
        (self.folder / "cfssl.json").write_text(json.dumps({"signing": {"default": {
            "expiry": "24h", "usages": ["digital signature", "server auth", "client auth"]}}}))
        settings = ["-config", self.folder / "cfssl.json", "-loglevel", "3"]
        if service:
            service.query("CREATE DATABASE cfssl")
            service.query(self.SCHEMA, database="cfssl")
            (self.folder / "database.json").write_text(json.dumps({
                "driver": "postgres",
                "data_source": f"host={service.data / 'postgres' / 'run'} user=signet dbname=cfssl sslmode=disable"}))
            settings += ["-db-config", self.folder / "database.json"]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/api/v1/cfssl/newcert"
        self.body = json.dumps({"request": {
            "CN": "", "hosts": [IDENTITY], "names": [{"O": "bench"}], "key": {"algo": "ecdsa", "size": 256}}}).encode()
        (self.folder / "newcert.json").write_bytes(self.body)
        with open(self.folder / "cfssl.log", "w") as log:
            self.process = subprocess.Popen(
                [program, "serve", "-address", "127.0.0.1", "-port", str(self.port), "-ca", authority.certificate, "-ca-key",
                 authority.key, *settings],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        try:
            wait_until("the start of cfssl", self.ask, 30)
        except BaseException:
            end(self.process)
            raise

    def ask(self):
        if self.process.poll() is not None:
            raise Failed(f"cfssl ended: {(self.folder / 'cfssl.log').read_text()[-800:]}")
        request = urllib.request.Request(self.url, self.body, {"content-type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            return json.load(answer)["result"]

    def recorded(self):
        return int(self.service.query("SELECT count(*) FROM certificates", database="cfssl")[0][0]) if self.service else 0

    def turn(self, seconds, connections=CLIENTS):
        recorded, database = self.recorded(), self.service.database_cpu_seconds() if self.service else 0
        cpu, started = cpu_seconds(self.process.pid), time.monotonic()
        answered = h2load(
            ["--h1", "-d", self.folder / "newcert.json", "-H", "content-type: application/json"], seconds, self.url, connections)
        took, cpu = time.monotonic() - started, cpu_seconds(self.process.pid) - cpu
        database = self.service.database_cpu_seconds() - database if self.service else 0
        if self.service and self.recorded() - recorded < answered:
            raise Failed(f"{self.name} answered {answered} requests and recorded {self.recorded() - recorded}")
        return Slice(answered, took, cpu, database)


class Many:
    """A service that many clients ask at once, one request at a time each."""

    CLIENTS = 64

    def __init__(self, service):
        self.service, self.name = service, f"{service.name}, {self.CLIENTS} clients"

    def turn(self, seconds):
        return self.service.turn(seconds, self.CLIENTS)


class Commands:
    """`openssl req` for the key and the request, `openssl x509 -req` for the certificate: two processes for each."""

    name = "openssl req, x509 -req"

    def __init__(self, folder, authority):
        self.folder, self.authority, self.program = folder, authority, tool("openssl", "openssl")
        (folder / "leaf.ext").write_text(
            f"subjectAltName=critical,URI:{IDENTITY}\nkeyUsage=critical,digitalSignature\n"
            "extendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=critical,CA:false\n")
        (folder / "req.cnf").write_text("[req]\ndistinguished_name=name\nprompt=no\n[name]\nO=bench\n")

    def one(self, number):
        key, request = self.folder / f"{number}.key", self.folder / f"{number}.csr"
        run([self.program, "req", "-new", "-config", self.folder / "req.cnf", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request])
        return key.read_bytes(), run(
            [self.program, "x509", "-req", "-in", request, "-CA", self.authority.certificate, "-CAkey", self.authority.key,
             "-days", "1", "-extfile", self.folder / "leaf.ext"])

    def turn(self, seconds):
        counts, failures = [0] * CLIENTS, []
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()

        def work(number):
            try:
                while time.monotonic() - started < seconds:
                    self.one(number)
                    counts[number] += 1
            except Failed as failure:
                failures.append(failure)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        took, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Slice(sum(counts), took, cpu)


class Library:
    """Python's `cryptography` (OpenSSL underneath), in two processes that wait for their turn."""

    name = "Python cryptography"

    def __init__(self, python, authority):
        if not pathlib.Path(python).exists():
            raise Failed(f"there is no {python}: make .venv/pinned")
        self.processes = [
            subprocess.Popen(
                [python, __file__, "--worker", authority.certificate, authority.key], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, text=True)
            for _ in range(CLIENTS)]
        for process in self.processes:
            if process.stdout.readline().strip() != "ready":
                self.close()
                raise Failed(f"{python} cannot use cryptography: make .venv/pinned")

    def ask(self, seconds):
        for process in self.processes:
            process.stdin.write(f"{seconds}\n")
            process.stdin.flush()
        answers = [process.stdout.readline() for process in self.processes]
        if not all(answers):
            raise Failed("a process with cryptography ended")
        return [json.loads(answer) for answer in answers]

    def turn(self, seconds):
        started = time.monotonic()
        answers = self.ask(seconds)
        took = time.monotonic() - started
        return Slice(sum(one["count"] for one in answers), took, sum(one["cpu"] for one in answers))

    def close(self):
        for process in self.processes:
            process.stdin.close()
            end(process, patience=5)


def work_with_cryptography(certificate, key):
    """The other side of `Library`: issues for as long as each line says, and answers with how many and the last one."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    root = x509.load_pem_x509_certificate(pathlib.Path(certificate).read_bytes())
    signer = serialization.load_pem_private_key(pathlib.Path(key).read_bytes(), None)
    extensions = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.KeyUsage(True, False, False, False, False, False, False, False, False), True),
        (x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH, x509.ExtendedKeyUsageOID.CLIENT_AUTH]), False),
        (x509.SubjectAlternativeName([x509.UniformResourceIdentifier(IDENTITY)]), True),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)]

    def one():
        leaf = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(root.subject).public_key(leaf.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(seconds=10))
            .not_valid_after(now + datetime.timedelta(days=1)))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(leaf.public_key()), False)
        pem = builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        private = leaf.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return private, pem

    one()
    print("ready", flush=True)
    for line in sys.stdin:
        seconds, count = float(line), 0
        started, before = time.monotonic(), time.process_time()
        while True:
            private, pem = one()
            count += 1
            if time.monotonic() - started >= seconds:
                break
        print(json.dumps({
            "count": count, "cpu": time.process_time() - before, "key": private.decode(), "certificate": pem.decode()}),
            flush=True)


def fetch_once(address, roots, token, request):
    """The answer of one FetchSecrets, by another's gRPC: run with the virtual environment's Python."""
    import grpc

    credentials = grpc.ssl_channel_credentials(pathlib.Path(roots).read_bytes())
    with grpc.secure_channel(address, credentials) as channel:
        call = channel.unary_unary(FETCH, request_serializer=None, response_deserializer=None)
        answer = call(
            pathlib.Path(request).read_bytes(), timeout=10, metadata=[("authorization", pathlib.Path(token).read_text().strip())])
    print(base64.b64encode(answer).decode())


class Authority:
    """A P-256 root whose key is a file, for the peers."""

    def __init__(self, folder):
        self.key, self.certificate = folder / "root.key", folder / "root.pem"
        (folder / "root.cnf").write_text(
            "[req]\ndistinguished_name=name\nprompt=no\nx509_extensions=root\n[name]\nO=bench\nCN=root\n[root]\n"
            "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n")
        run([tool("openssl", "openssl"), "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key])
        run(["openssl", "req", "-x509", "-new", "-config", folder / "root.cnf", "-key", self.key, "-days", "30", "-out",
             self.certificate])


def field(number, value):
    """A length-delimited protobuf field, of less than 128 octets."""
    value = value.encode() if isinstance(value, str) else value
    if len(value) > 127:
        raise Failed("a field of the request is too long")
    return bytes([number << 3 | 2, len(value)]) + value


def served_contenders(service, folder, python):
    """Signet's FetchSecrets (makes the key) and its CSR route (certifies a given one), with a certificate of each verified."""
    token = service.token("bench")
    secret = token.read_text().strip()
    roots = service.run("bundle", "show", "--mesh", "default").encode()
    request = field(2, field(1, "bench")) + field(3, "default") + field(4, TYPE)
    (folder / "fetch.raw").write_bytes(request)
    (folder / "fetch.bin").write_bytes(b"\0" + len(request).to_bytes(4, "big") + request)
    answer = base64.b64decode(run(
        [python, __file__, "--fetch", service.endpoints["sds"].replace("127.0.0.1", "localhost"), service.endpoints["caFile"],
         token, folder / "fetch.raw"]))
    chain, keys = PEM["CERTIFICATE"].findall(answer), PEM["PRIVATE KEY"].findall(answer)
    if not chain or len(keys) != 1:
        raise Failed("FetchSecrets gave no key and certificate")
    verify(folder, "FetchSecrets", roots, chain, IDENTITY)
    matching(folder, "FetchSecrets", keys[0], chain[0])

    run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/", "-keyout",
         folder / "csr.key", "-out", folder / "csr.pem"])
    route = service.endpoints["admin"] + "/meshes/default/certificates"
    answer = post(route, service.endpoints["caFile"], secret, (folder / "csr.pem").read_bytes())
    chain = PEM["CERTIFICATE"].findall(answer)
    verify(folder, "the CSR route", roots, chain, IDENTITY)
    matching(folder, "the CSR route", (folder / "csr.key").read_bytes(), chain[0])
    grpc = ["-H", "content-type: application/grpc", "-H", "te: trailers", "-H", f"authorization: {secret}", "-d",
            folder / "fetch.bin"]
    fetch = Served(
        service, "Signet, FetchSecrets", ["-m", "1", *grpc], f"https://{service.endpoints['sds']}{FETCH}")
    sign = Served(
        service, "Signet, CSR route",
        ["--h1", "-d", folder / "csr.pem", "-H", "content-type: application/x-pem-file", "-H", f"authorization: Bearer {secret}"],
        route)
    return fetch, sign


class InProcess:
    """Signet's own issuance with nothing around it, two threads: issuance-benchmark, which takes its turns within itself."""

    name = "Signet, in process"

    def __init__(self, binaries):
        self.program = pathlib.Path(binaries) / "issuance-benchmark"
        if not self.program.exists():
            raise Failed(f"there is no {self.program}: swift build -c release --product issuance-benchmark")

    def rate(self):
        for line in run([self.program, "--json"], limit=180).decode().splitlines():
            one = json.loads(line)
            if "fresh key" in one.get("name", "") and one.get("threads") == CLIENTS:
                return one["perSecond"]
        raise Failed("issuance-benchmark --json says nothing of a fresh key on two threads")


def verified(folder, authority, services, commands, library):
    """One certificate of each peer, looked at by OpenSSL."""
    roots = authority.certificate.read_bytes()
    for cfssl in services:
        given = cfssl.ask()
        # The version that Debian has takes whatever is no address for a DNS name: the same text, as another kind of name.
        verify(folder, cfssl.name, roots, [given["certificate"].encode()], IDENTITY)
        matching(folder, cfssl.name, given["private_key"].encode(), given["certificate"].encode())
    key, leaf = commands.one("verified")
    verify(folder, commands.name, roots, [leaf], f"URI:{IDENTITY}")
    matching(folder, commands.name, key, leaf)
    for one in library.ask(0):
        verify(folder, library.name, roots, [one["certificate"].encode()], f"URI:{IDENTITY}")
        matching(folder, library.name, one["key"].encode(), one["certificate"].encode())


def speed(threads):
    """Signatures a second that `openssl speed` makes, for scale."""
    out = run([tool("openssl", "openssl"), "speed", "-mr", "-seconds", "1", "-multi", str(threads), "ecdsap256"]).decode()
    found = re.findall(r"^\+F4:\d+:256:([\d.]+):", out, re.M)
    if not found:
        raise Failed(f"openssl speed said what is not understood: {out[-500:]}")
    return float(found[-1])


def row_bytes(service):
    """Octets on disk for each row of the issuance ledger, indexes and all, at the size that this run left."""
    total, rows = service.query("""
        SELECT pg_total_relation_size('certificate') + (
            SELECT coalesce(sum(pg_total_relation_size(relid)), 0) FROM pg_partition_tree('certificate')
            WHERE relid <> 'certificate'::regclass), (SELECT count(*) FROM certificate)
    """)[0]
    return float(total) / int(rows)


def measure(options, folder):
    authority = Authority(folder)
    in_process = InProcess(options.binaries)
    before = in_process.rate()
    with Service(options.binaries) as service, contextlib.ExitStack() as stack:
        commands = Commands(folder, authority)
        library = Library(options.python, authority)
        stack.callback(library.close)
        recording = Cfssl(folder, authority, service)
        stack.callback(end, recording.process)
        plain = Cfssl(folder, authority)
        stack.callback(end, plain.process)
        verified(folder, authority, [recording, plain], commands, library)
        fetch, sign = served_contenders(service, folder, options.python)
        many_fetch, many_plain = Many(fetch), Many(plain)
        contenders = [fetch, many_fetch, sign, recording, plain, many_plain, commands, library]
        turns = {contender.name: [] for contender in contenders}
        for number in range(options.rounds):
            # Who goes first changes with every round, for what the one before leaves warm or hot.
            for contender in contenders if number % 2 == 0 else reversed(contenders):
                turns[contender.name].append(contender.turn(options.slice))
        size = row_bytes(service)
    inside = (before + in_process.rate()) / 2

    def entry(contender):
        own = turns[contender.name]
        return {
            "name": contender.name, "perSecond": statistics.median(turn.rate for turn in own),
            "cpuMicroseconds": statistics.median(turn.cpu for turn in own),
            "databaseMicroseconds": statistics.median(turn.database_cpu for turn in own)}

    def against(mine, contender):
        """The ratio within each round, of two that took turns in it."""
        ratios = [own.rate / other.rate for own, other in zip(turns[mine.name], turns[contender.name])]
        return {**entry(contender), "beside": mine.name, "ratio": statistics.median(ratios)}

    def inside_against(contender):
        return {**entry(contender), "beside": in_process.name, "ratio": inside / entry(contender)["perSecond"]}

    return {
        "part": "peers", "rounds": options.rounds, "slice": options.slice,
        "signet": [{"name": in_process.name, "perSecond": inside}, *(entry(one) for one in (fetch, many_fetch, sign))],
        # The same work for the same clients: recorded by both; by neither and in process; by Signet alone, which shares commits
        # among many clients.
        "peers": [
            against(fetch, recording), against(many_fetch, many_plain), inside_against(commands), inside_against(library)],
        # Less work than Signet does for the same two clients, whose every certificate waits for a commit of its own.
        "beside": [against(fetch, plain)],
        "speed": {"processes": CLIENTS, "signaturesPerSecond": speed(CLIENTS)}, "rowBytes": size}


def show(result):
    print(f"{'':<48} {'a second':>9} {'CPU, each':>11} {'database':>9}  {'Signet over it':>14}")
    for one in result["signet"] + result["peers"] + result["beside"]:
        line = f"{one['name']:<48} {one['perSecond']:>9,.0f}"
        if "cpuMicroseconds" in one:
            line += f" {one['cpuMicroseconds']:>8.0f} µs {one['databaseMicroseconds']:>6.0f} µs"
        if "ratio" in one:
            line += f"  {one['ratio']:>14.2f}  ({one['beside']})"
        print(line)
    print(f"openssl speed: {result['speed']['signaturesPerSecond']:,.0f} signatures a second, {CLIENTS} processes")


def main():
    if sys.argv[1:2] == ["--worker"]:
        return work_with_cryptography(*sys.argv[2:])
    if sys.argv[1:2] == ["--fetch"]:
        return fetch_once(*sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / ".build" / "release")
    parser.add_argument("--python", type=pathlib.Path, default=ROOT / ".venv" / "bin" / "python",
                        help="one that has cryptography and grpcio")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slice", type=int, default=3, help="seconds of a turn")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not 1 <= options.rounds <= 50 or not 1 <= options.slice <= 30:
        parser.error("1 to 50 rounds of 1 to 30 seconds")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("peers: ended by SIGTERM"))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="signet-peers-"))
    try:
        result = measure(options, folder)
    except Failed as failure:
        sys.exit(f"peers: {failure}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(result)) if options.json else show(result)


if __name__ == "__main__":
    main()
