"""What the faults happen to: PostgreSQL with its standby, replicas of `signet serve`, and two Envoys that call each other.

Everything lives in a temporary folder and on free ports of the loopback address, and ends with the program. As root the program
has a mount namespace of its own, and the database a small file system that can be filled.
"""

import contextlib
import datetime
import http.client
import http.server
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

from wire import Wire

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENVOY = ROOT / ".venv/bin/envoy"
PYTHON = ROOT / ".venv/bin/python"
CLIENT = ROOT / "Tests/EndToEndTests/sds_client.py"
MESH = "red"
# Short, so that an outage meets renewals: one each quarter of a minute.
LEAF_SECONDS = 30
# Of the mesh that nothing happens to: no renewal falls into a row, and nobody waits long for a replica that vanished.
STILL_SECONDS = 600
POOLER_PORT = 6432
PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", re.S)


class NotAsExpected(Exception):
    """What was seen instead."""


def require(condition, sentence):
    if not condition:
        raise NotAsExpected(sentence)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait(what, condition, seconds, period=0.1):
    """The first true answer; a connection that fails is no answer yet."""
    end = time.monotonic() + seconds
    while True:
        try:
            if answer := condition():
                return answer
        except (OSError, http.client.HTTPException, DatabaseAway, json.JSONDecodeError):
            pass
        if time.monotonic() > end:
            raise NotAsExpected(f"{what} did not happen within {seconds} s")
        time.sleep(period)


def fetch(url, timeout=5):
    """Status and body of a page, without a proxy of the environment."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Child:
    """A process that ends with this one: by it, or by the kernel. Started by the main thread alone: its end is what counts."""

    running = []

    def __init__(self, name, arguments, log, environment=None, account=None, death="KILL", stdin=subprocess.DEVNULL):
        self.name, self.log = name, pathlib.Path(log)
        become = [f"--reuid={account}", f"--regid={account}", "--clear-groups"] if account else []
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                ["setpriv", *become, "--pdeathsig", death, "--", *map(str, arguments)], stdin=stdin, stdout=out,
                stderr=subprocess.STDOUT, start_new_session=True, cwd="/",
                env={**os.environ, "LC_ALL": "C", **(environment or {})})
        Child.running.append(self)

    @property
    def status(self):
        return self.process.poll()

    def send(self, number):
        if self.status is None:
            self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM, seconds=40):
        """Ends it; its exit status."""
        self.send(number)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise NotAsExpected(f"{self.name} was still there {seconds} s after signal {int(number)}") from None
        finally:
            if self in Child.running:
                Child.running.remove(self)
        return status

    def tail(self, size=3000):
        return self.log.read_text(errors="replace")[-size:]


class DatabaseAway(Exception):
    """psql had no answer."""


class Server:
    """One PostgreSQL in a folder of its own, on a unix socket."""

    account = "postgres" if os.geteuid() == 0 else None

    def __init__(self, folder, has_pooler=False):
        self.folder, self.has_pooler = pathlib.Path(folder), has_pooler
        self.data, self.run = self.folder / "data", self.folder / "run"
        self.child = self.pooler = None

    @staticmethod
    def program(name):
        versions = sorted(pathlib.Path("/usr/lib/postgresql").glob("*"), key=lambda path: int(path.name))
        return str(versions[-1] / "bin" / name) if versions else shutil.which(name) or name

    @classmethod
    def run_program(cls, name, *arguments):
        become = ["setpriv", f"--reuid={cls.account}", f"--regid={cls.account}", "--clear-groups", "--"] if cls.account else []
        answer = subprocess.run(
            become + [cls.program(name), *map(str, arguments)], capture_output=True, text=True, timeout=60, cwd="/")
        require(answer.returncode == 0, f"{name}: {answer.stderr.strip()[-500:]}")

    def make_folder(self):
        for folder in (self.folder, self.run):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)
            if self.account:
                owner = pwd.getpwnam(self.account)
                os.chown(folder, owner.pw_uid, owner.pw_gid)

    def make(self):
        """Segments of the write-ahead log are as small as they can be, so that a disk that is full is met soon."""
        self.make_folder()
        self.run_program(
            "initdb", "--pgdata", self.data, "--username", "signet", "--auth", "trust", "--no-sync", "--wal-segsize", "1",
            "--locale", "C.UTF-8")
        with open(self.data / "postgresql.conf", "a") as settings:
            # A process may die here, never the machine: nothing has to reach the disk.
            settings.write(
                "listen_addresses = ''\nmax_connections = 100\nfsync = off\nwal_level = replica\nmax_wal_senders = 5\n"
                "wal_keep_size = 32MB\nmin_wal_size = 4MB\nmax_wal_size = 16MB\nshared_buffers = 32MB\n")
        self.start()
        self.run_program("createdb", "-h", self.run, "-U", "signet", "signet")

    def copy(self, source, standby=True):
        """A base backup of a running server; with `standby`, one that follows it."""
        self.make_folder()
        self.run_program(
            "pg_basebackup", "--pgdata", self.data, "--host", source.run, "--username", "signet", "--checkpoint", "fast",
            "--no-sync", *(["--write-recovery-conf"] if standby else []))

    def start(self):
        self.child = Child(
            f"PostgreSQL in {self.folder}",
            [self.program("postgres"), "-D", self.data, "-c", f"unix_socket_directories={self.run}",
             "-c", f"cluster_name={self.folder.name}"],
            f"{self.folder}.log", account=self.account, death="QUIT")
        wait("the start of PostgreSQL", lambda: self.child.status is not None or self.query("SELECT 1", "postgres"), 40)
        require(self.child.status is None, f"PostgreSQL ended with {self.child.status}: {self.child.tail()}")
        if self.has_pooler and not self.pooler:
            self.start_pooler()

    def start_pooler(self):
        """PgBouncer in transaction mode, on a socket beside PostgreSQL's own. It outlives a server that is started again."""
        settings = self.folder / "pooler.ini"
        settings.write_text(
            f"[databases]\n* = host={self.run} port=5432 user=signet\n[pgbouncer]\nlisten_addr =\nlisten_port = {POOLER_PORT}\n"
            f"unix_socket_dir = {self.run}\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 16\n")
        settings.chmod(0o644)
        program = shutil.which("pgbouncer", path="/usr/sbin:" + os.environ["PATH"])
        require(program, "there is no pgbouncer here: apt-get install pgbouncer")
        self.pooler = Child(
            f"pooler of {self.folder.name}", [program, settings], f"{self.folder}.pooler.log", account=self.account)
        wait("the pooler", lambda: pathlib.Path(self.socket).exists(), 20)

    def stop(self, number=signal.SIGINT):
        if self.child and self.child.status is None:
            self.send_awake()
            self.child.stop(number)

    def backends(self):
        """The postmaster and its children."""
        found = [self.child.process.pid]
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError, IndexError, ValueError):
                if int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == found[0]:
                    found.append(int(entry.name))
        return found

    def freeze(self):
        """Every process of it stands still, and its connections stay open."""
        for pid in self.backends():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def send_awake(self):
        for pid in self.backends():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def kill(self):
        """As in a power cut: every process of it at once."""
        pids = self.backends()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.child.process.wait(20)
        # Its shared memory is free for the next start once the last of them is gone.
        wait("the end of PostgreSQL", lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids), 20)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def promote(self):
        self.run_program("pg_ctl", "promote", "--wait", "--pgdata", self.data)

    @property
    def socket(self):
        """Where replicas are led to."""
        return str(self.run / f".s.PGSQL.{POOLER_PORT if self.has_pooler else 5432}")

    def query(self, sql, database="signet"):
        """The rows of a statement, each a list of texts."""
        answer = subprocess.run(
            [self.program("psql"), "-h", self.run, "-U", "signet", "-d", database, "-X", "-v", "ON_ERROR_STOP=1", "-A", "-t",
             "-F", "\t", "-c", sql], capture_output=True, text=True, timeout=20, env={**os.environ, "PGCONNECT_TIMEOUT": "3"})
        if answer.returncode:
            raise DatabaseAway(answer.stderr.strip())
        return [line.split("\t") for line in answer.stdout.splitlines()]


class Replica:
    """One `signet serve`, with a wire of its own to the database and a folder of its own for its journal."""

    def __init__(self, world, name):
        self.world, self.name = world, name
        self.sds, self.mtls, self.admin, self.health = (free_port() for _ in range(4))
        self.database = Wire(world.server.socket)
        self.token_file = world.folder / f"{name}.admin.token"
        self.certificate = world.folder / "serving.pem"
        self.configuration = world.folder / f"{name}.yaml"
        self.log = world.folder / f"{name}.log"
        self.child = None
        self.journal = world.folder / f"{name}.journal"
        self.journal.mkdir(mode=0o700)
        if os.geteuid() == 0:
            world.mount(self.journal, 8)
        # A hang is told from a slow answer within seconds, so that twenty minutes do for all rows.
        self.configuration.write_text(
            f"listen: {{sds: '127.0.0.1:{self.sds}', mtls: '127.0.0.1:{self.mtls}', admin: '127.0.0.1:{self.admin}', "
            f"health: '127.0.0.1:{self.health}'}}\n"
            f"tls: {{certificateFile: {self.certificate}, keyFile: {world.folder}/serving.key}}\n"
            f"keyEncryptionKeyFile: {world.folder}/key-encryption.key\n"
            f"adminTokenFile: {self.token_file}\nskipDefaultMesh: true\nsds: {{ackTimeout: 5s}}\n"
            f"journal: {{directory: {self.journal}}}\n"
            f"postgres: {{hosts: ['127.0.0.1:{self.database.port}'], user: signet, database: signet, tls: {{mode: disable}}, "
            "connectTimeout: 2s, acquireTimeout: 2s, statementTimeout: 4s}\n")

    def start(self, failpoint=None, clock=None, binary=None):
        """Starts it and waits for nothing. `clock` is a file with the seconds by which its clock is off."""
        environment = {"FAILPOINT_SIGNET": failpoint} if failpoint else {}
        if clock:
            environment |= {"LD_PRELOAD": str(clock_library(self.world.folder)), "CHAOS_CLOCK": str(clock)}
        self.child = Child(
            f"signet serve ({self.name})", [binary or self.world.signet, "serve", "--config", self.configuration], self.log,
            environment)
        self.begun = self.log.stat().st_size if self.log.exists() else 0
        return self

    def tail(self, size):
        return self.log.read_text(errors="replace")[-size:]

    def logged(self):
        """What it wrote since its start."""
        with open(self.log, "rb") as log:
            log.seek(self.begun)
            return log.read().decode(errors="replace")

    def start_ready(self, seconds=40, **how):
        self.start(**how)
        return self.wait_ready(seconds)

    def wait_ready(self, seconds=40):
        def ready():
            require(self.child.status is None, f"{self.child.name} ended with {self.child.status}: {self.child.tail()}")
            return self.readiness()[0] == 200
        wait(f"the readiness of replica {self.name}", ready, seconds)
        return self

    def readiness(self):
        return fetch(f"http://127.0.0.1:{self.health}/readyz")

    def is_live(self):
        with contextlib.suppress(OSError):
            return fetch(f"http://127.0.0.1:{self.health}/healthz")[0] == 200
        return False

    def metric(self, name, **labels):
        """The sum of the samples of a series that carry the labels; None without any."""
        total = None
        for line in fetch(f"http://127.0.0.1:{self.health}/metrics")[1].splitlines():
            found = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
            if found and all(f'{key}="{value}"' in (found[1] or "") for key, value in labels.items()):
                total = (total or 0) + float(found[2])
        return total

    def ask(self, method, path, body=None, timeout=20):
        """Status and document of a request to the admin API."""
        context = ssl.create_default_context(cafile=self.certificate)
        connection = http.client.HTTPSConnection("localhost", self.admin, context=context, timeout=timeout)
        try:
            connection.request(
                method, path, json.dumps(body) if body is not None else None,
                {"authorization": f"Bearer {self.token_file.read_text().strip()}", "content-type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
            return answer.status, json.loads(text) if text.strip() else None
        finally:
            connection.close()

    def signet(self, *arguments, stdin=None, accept=(0,), timeout=60):
        """A command of `signet` against this replica: what it printed."""
        answer = subprocess.run(
            [self.world.signet, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=timeout,
            env={**os.environ, "SIGNET_ADDRESS": f"https://localhost:{self.admin}", "SIGNET_TOKEN_FILE": str(self.token_file),
                 "SIGNET_CA_FILE": str(self.certificate), "SIGNET_CONFIG_DIR": str(self.world.folder / "config")})
        require(accept is None or answer.returncode in accept,
                f"signet {' '.join(map(str, arguments[:3]))} ended with {answer.returncode}: {answer.stderr.strip()[-600:]}")
        return answer.stdout if accept is not None else answer

    def client_arguments(self, token, *command, port=None):
        return [PYTHON, CLIENT, "--address", f"localhost:{port or self.sds}", "--ca", self.certificate, "--token-file", token,
                *command]

    def fetch_identity(self, token, name="default"):
        """What the independent client gets in one request: the chain, or nothing and the words of the refusal."""
        answer = subprocess.run(
            list(map(str, self.client_arguments(token, "fetch", name))), capture_output=True, text=True, timeout=60)
        return (answer.stdout, "") if answer.returncode == 0 else (None, answer.stderr.strip())


def clock_library(folder):
    """What moves a replica's wall clock and nothing else, built with the toolchain's own compiler."""
    library = folder / "clock.so"
    if not library.exists():
        compiler = shutil.which("clang") or shutil.which("cc")
        require(compiler, "there is no clang here, which comes with Swift")
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", "-o", library, pathlib.Path(__file__).with_name("clock.c")], check=True,
            capture_output=True, timeout=60)
    return library


class Proxy:
    """A service that answers with its name, and the Envoy before it."""

    def __init__(self, world, service, replicas):
        self.world, self.service, self.name = world, service, f"{MESH}-{service}"
        self.identity = f"spiffe://{MESH}/{service}"
        self.inbound, self.outbound = free_port(), free_port()
        # As a load balancer that passes TLS through: the first of the replicas that accepts.
        self.doors = [replica.sds for replica in replicas]
        self.wire = Wire(*self.doors)
        body = f"hello from {self.name}\n".encode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.answer = body.decode()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def start(self, peer, replica):
        file = self.world.folder / self.name
        token = self.world.token(replica, self.service, self.name)
        bootstrap = replica.signet(
            "envoy", "bootstrap", "--mesh", MESH, "--service", self.service, "--token-file", token, "--node-id", self.name,
            "--inbound", f"127.0.0.1:{self.inbound}=127.0.0.1:{self.server.server_port}",
            "--outbound", f"127.0.0.1:{self.outbound}=127.0.0.1:{peer.inbound}={peer.identity}",
            "--sds-address", f"127.0.0.1:{self.wire.port}")
        file.with_suffix(".yaml").write_text(bootstrap)
        self.admin = file.with_suffix(".admin")
        self.child = Child(
            f"the Envoy of {self.name}",
            [ENVOY, "-c", file.with_suffix(".yaml"), "--concurrency", "1", "--disable-hot-restart", "--admin-address-path",
             self.admin, "--log-level", "warning"], file.with_suffix(".log"))

    def page(self, path):
        return fetch(f"http://{self.admin.read_text().strip()}{path}")[1]

    def is_ready(self):
        require(self.child.status is None, f"{self.child.name} ended with {self.child.status}: {self.child.tail()}")
        return self.page("/ready").startswith("LIVE")

    def serials(self):
        """Of every certificate in the chains that it has now, from Envoy's own list."""
        listed = json.loads(self.page("/certs")).get("certificates", [])
        return {int(item["serial_number"], 16) for entry in listed for item in entry.get("cert_chain", [])}

    def renews_in(self):
        """Seconds until the leaf that it has is renewed: Signet draws the moment from the leaf's own serial."""
        listed = json.loads(self.page("/certs")).get("certificates", [])
        leaf = next(entry["cert_chain"][0] for entry in listed if entry.get("cert_chain"))
        begins, ends = (datetime.datetime.fromisoformat(leaf[name]).timestamp() for name in ("valid_from", "expiration_time"))
        draw = int(leaf["serial_number"], 16) % 65536 / 65536
        return begins + (ends - begins) * (0.5 + 0.3 * draw) - time.time()

    def chain(self):
        """What it shows to whoever connects, PEM."""
        shown = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.inbound}", "-showcerts", "-tls1_3"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=20).stdout.decode(errors="replace")
        return PEM.findall(shown.split("\nServer certificate\n")[0])


class Traffic:
    """Requests through both Envoys without an end, each a connection and a handshake of its own."""

    def __init__(self, *pairs):
        self.lock, self.ended = threading.Lock(), threading.Event()
        self.count, self.failures = 0, []
        self.threads = [threading.Thread(target=self.run, args=pair, daemon=True) for pair in pairs]
        for thread in self.threads:
            thread.start()

    def run(self, proxy, peer):
        while not self.ended.wait(0.08):
            failure = None
            try:
                status, body = fetch(f"http://127.0.0.1:{proxy.outbound}/", timeout=10)
                if status != 200 or body != peer.answer:
                    failure = f"{proxy.name} to {peer.name}: {status} {body[:80]}"
            except (OSError, http.client.HTTPException) as error:
                failure = f"{proxy.name} to {peer.name}: {error}"
            with self.lock:
                self.count += 1
                if failure:
                    self.failures.append(failure)

    def seen(self):
        with self.lock:
            return self.count, len(self.failures)

    def wait_for(self, requests, seconds=30):
        first = self.seen()[0]
        wait(f"{requests} requests", lambda: self.seen()[0] >= first + requests, seconds)

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join(15)


class Serials:
    """Every certificate that the Envoys were seen to hold, and that a client was given, looked for in the ledger afterwards."""

    def __init__(self, proxies):
        self.proxies, self.found, self.lost, self.lock = proxies, set(), set(), threading.Lock()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ended.wait(1):
            for proxy in self.proxies:
                with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
                    self.add(proxy.serials())

    def add(self, serials):
        with self.lock:
            self.found |= set(serials)

    def add_chain(self, pem):
        self.add(serials_of(pem))

    def all(self):
        with self.lock:
            return self.found - self.lost

    def forget(self, which):
        """What a restored backup does not know was lost by whoever restored it, and not by the service."""
        with self.lock:
            self.lost |= set(which)

    def stop(self):
        self.ended.set()
        self.thread.join(10)


def serials_of(pem):
    """The serials of a text's certificates."""
    found = []
    for block in PEM.findall(pem):
        answer = subprocess.run(["openssl", "x509", "-noout", "-serial"], input=block, capture_output=True, text=True, timeout=10)
        found.append(int(answer.stdout.strip().split("=")[1], 16))
    return found


DOCUMENTS = f"""
type: CertificateAuthority
name: corp
rotation: {{automatic: true, retireAfter: reissued}}
---
type: Mesh
name: {MESH}
mtls:
  enabledBackend: corp
  backends:
  - name: corp
    type: shared
    dpCert: {{rotation: {{expiration: {LEAF_SECONDS}s}}}}
    conf: {{authority: corp}}
---
type: Mesh
name: still
mtls:
  enabledBackend: ca-1
  backends:
  - {{name: ca-1, type: builtin, dpCert: {{rotation: {{expiration: {STILL_SECONDS}s}}}}}}
"""


class World:
    """Entered, it serves; left, nothing of it remains."""

    # A gauge follows what it measures within seconds.
    patience = 15

    def __init__(self, signet, previous=None, has_pooler=False):
        self.signet, self.previous, self.has_pooler = signet, previous, has_pooler
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sg-chaos-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.disk, self.mounts = None, []
        self.traffic = self.serials = None
        self.servers = 0

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def start(self):
        self.server = self.new_server()
        if os.geteuid() == 0:
            self.server.folder.mkdir()
            self.disk = self.server.folder
            self.mount(self.disk, 160)
        self.server.make()
        certificate, key = self.folder / "serving.pem", self.folder / "serving.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-subj", "/CN=localhost", "-addext", "subjectAltName = DNS:localhost, IP:127.0.0.1",
             "-keyout", key, "-out", certificate, "-days", "2"],
            check=True, capture_output=True)
        sealing = os.open(self.folder / "key-encryption.key", os.O_WRONLY | os.O_CREAT, 0o400)
        os.write(sealing, os.urandom(32))
        os.close(sealing)
        self.first, self.second = Replica(self, "first"), Replica(self, "second")
        self.first.signet("migrate", "--config", self.first.configuration)
        self.first.start_ready()
        wait("the first replica to drive", lambda: "drives rotations from now on" in self.first.logged(), 20)
        self.second.start_ready()
        self.first.signet("apply", "-f", "-", stdin=DOCUMENTS)
        self.web = Proxy(self, "web", [self.first, self.second])
        self.api = Proxy(self, "api", [self.second, self.first])
        self.web.start(self.api, self.first)
        self.api.start(self.web, self.first)
        for proxy in self.proxies:
            wait(f"the secrets of {proxy.name}", proxy.is_ready, 40)
        self.traffic = Traffic((self.web, self.api), (self.api, self.web))
        self.serials = Serials(self.proxies)
        self.traffic.wait_for(20)

    def mount(self, folder, megabytes):
        self.mounts.append(folder)
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "none", folder], check=True, capture_output=True)

    def new_server(self):
        self.servers += 1
        return Server(self.folder / f"pg{self.servers}", self.has_pooler)

    @property
    def proxies(self):
        return [self.web, self.api]

    @property
    def replicas(self):
        return [self.first, self.second]

    def token(self, replica, service, name, mesh=MESH, life="2h"):
        """A file with a dataplane token."""
        file = self.folder / f"{name}.token"
        text = replica.signet(
            "token", "dataplane", "--mesh", mesh, "--name", name, "--tag", f"kuma.io/service={service}", "--valid-for", life)
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(text)
        return file

    def lead_to(self, server, *replicas):
        """The database of these replicas, of all if none is named, is that one from now on."""
        for replica in replicas or self.replicas:
            replica.database.lead(server.socket)

    def rotations(self, replica=None):
        """Newest first."""
        status, document = (replica or self.second).ask("GET", "/rotations")
        require(status == 200, f"GET /rotations: {status} {document}")
        return document["items"]

    def running(self, replica=None):
        return [item for item in self.rotations(replica) if item["phase"] not in ("completed", "aborted")]

    def mend(self, failed):
        """Takes back whatever a row may have left undone; one that did not fail leaves no doubt about the ledger."""
        self.server.send_awake()
        if self.server.child.status is not None:
            (self.server.data / "postmaster.pid").unlink(missing_ok=True)
            self.server.start()
        for replica in self.replicas:
            replica.database.forget()
            replica.database.restore()
            if replica.database.targets != [self.server.socket]:
                replica.database.lead(self.server.socket)
        for proxy in self.proxies:
            proxy.wire.restore()
            proxy.wire.targets = proxy.doors
        if failed:
            self.first.signet("ledger", "confirm", "--reason", "a row of chaos that failed", accept=None)
            return
        # One that has ended is started when the world comes to rest, and has to become ready.
        running = [replica for replica in self.replicas if replica.child.status is None]
        wait("signet_ledger_doubtful at 0 everywhere",
             lambda: not any(replica.metric("signet_ledger_doubtful") for replica in running), self.patience)

    def wait_at_rest(self, seconds=60):
        """Every replica that should run is ready, and no rotation runs."""
        for replica in self.replicas:
            if replica.child.status is not None:
                replica.start()
            replica.wait_ready(seconds)
        wait("the end of the rotations", lambda: not self.running(), seconds, period=0.5)

    @contextlib.contextmanager
    def client(self, replica, token, *command, port=None, name="client"):
        """The independent client beside the world, until its input ends."""
        log = self.folder / f"{name}-{time.monotonic_ns()}.log"
        child = Child(name, replica.client_arguments(token, *command, port=port), log, stdin=subprocess.PIPE)
        try:
            yield child
        finally:
            child.send(signal.SIGCONT)
            child.process.stdin.close()
            child.stop()

    def __exit__(self, *_):
        for part in (self.traffic, self.serials):
            if part:
                part.stop()
        for child in reversed(list(Child.running)):
            is_server = child.name.startswith("PostgreSQL")
            child.send(signal.SIGCONT)
            with contextlib.suppress(NotAsExpected):
                child.stop(signal.SIGQUIT if is_server else signal.SIGKILL, 20)
        for folder in self.mounts:
            subprocess.run(["umount", "--lazy", folder], capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)
