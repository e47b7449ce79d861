"""Shows in a minute what Signet does: two meshes, four Envoys, who is let in, who is refused, and why; then one CA for both, and a
new root for it, all under traffic.

Run it with `make demo`. Everything lives in a temporary folder and on free ports of the loopback address, and all of it
is gone at the end, also after Ctrl-C.
"""

import http.client
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SIGNET = os.path.join(ROOT, ".build/debug/signet")
ENVOY = os.path.join(ROOT, ".venv/bin/envoy")
CHILDREN = []
BOLD, GREEN, RED, DIM, PLAIN = ("\033[1m", "\033[32m", "\033[31m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("",) * 5


def say(text=""):
    print(text, flush=True)


def heading(text):
    say()
    say(BOLD + text + PLAIN)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait(what, condition, seconds=40):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            answer = condition()
            if answer:
                return answer
        except (OSError, urllib.error.URLError):
            pass
        time.sleep(0.1)
    raise SystemExit(f"demo: {what} did not happen within {seconds} s")


def fetch(url, timeout=5):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=timeout) as answer:
        return answer.read().decode()


class Child:
    """A process that ends with the demo: by the demo, or by the kernel if the demo is killed."""

    def __init__(self, name, arguments, log):
        self.name, self.log = name, log
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--"] + arguments,
            stdin=subprocess.DEVNULL, stdout=open(log, "wb"), stderr=subprocess.STDOUT, start_new_session=True)
        CHILDREN.append(self)

    def check(self):
        if self.process.poll() is not None:
            with open(self.log, errors="replace") as log:
                raise SystemExit(f"demo: {self.name} ended with {self.process.returncode}:\n{log.read()[-3000:]}")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class App:
    """A service: an HTTP server that says its name, with a real Envoy before it."""

    def __init__(self, world, mesh, service):
        self.world, self.mesh, self.service = world, mesh, service
        self.name = f"{service} of {mesh}"
        self.identity = f"spiffe://{mesh}/{service}"
        self.inbound = free_port()
        self.calls = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def handler(self):
        name = self.name

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = f"hello from {name}\n".encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        return Handler

    def may_call(self, peer):
        port = free_port()
        self.calls.append((port, peer))
        return port

    def start(self):
        file = os.path.join(self.world.folder, f"{self.mesh}-{self.service}")
        token = self.world.signet(
            "token", "dataplane", "--mesh", self.mesh, "--name", self.service, "--tag", f"kuma.io/service={self.service}")
        with open(os.open(file + ".token", os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
            out.write(token)
        arguments = ["envoy", "bootstrap", "--mesh", self.mesh, "--service", self.service, "--token-file", file + ".token",
                     "--inbound", f"127.0.0.1:{self.inbound}=127.0.0.1:{self.server.server_port}"]
        for port, peer in self.calls:
            arguments += ["--outbound", f"127.0.0.1:{port}=127.0.0.1:{peer.inbound}={peer.identity}"]
        with open(file + ".yaml", "w") as out:
            out.write(self.world.signet(*arguments))
        self.admin = file + ".admin"
        self.envoy = Child(f"the Envoy of {self.name}", [
            ENVOY, "-c", file + ".yaml", "--concurrency", "1", "--disable-hot-restart", "--admin-address-path", self.admin,
            "--log-level", "error"], file + ".log")

    def is_ready(self):
        self.envoy.check()
        with open(self.admin) as address:
            return fetch(f"http://{address.read().strip()}/ready").startswith("LIVE")

    def statistic(self, suffix):
        with open(self.admin) as address:
            lines = fetch(f"http://{address.read().strip()}/stats").splitlines()
        values = [line.rsplit(": ", 1) for line in lines if re.match(r"cluster\.(?!signet)", line)]
        return sum(int(value) for name, value in values if name.endswith(suffix) and value.isdigit())

    def chain_on_the_wire(self):
        """What this service shows to whoever connects, as openssl reads it."""
        shown = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.inbound}", "-showcerts", "-tls1_3"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20).stdout.decode()
        pems = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", shown.split("\nServer certificate\n")[0], re.S)
        return pems


def describe(pem):
    text = subprocess.run(
        ["openssl", "x509", "-noout", "-subject", "-issuer", "-enddate", "-ext", "subjectAltName"],
        input=pem.encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()

    def field(pattern):
        found = re.search(pattern, text)
        return found.group(1).strip() if found else ""

    subject = field(r"subject=(.*)") or "(no subject: the name is the SPIFFE ID)"
    return field(r"URI:(\S+)"), subject, field(r"issuer=(.*)"), field(r"notAfter=(.*)")


def signer_of(app):
    """The issuer of the issuing certificate that a service shows: its root."""
    return describe(app.chain_on_the_wire()[1])[2]


class World:
    def __init__(self, folder):
        self.folder = folder
        self.data = os.path.join(folder, "data")

    def start(self):
        health = free_port()
        service = Child("signet dev", [
            SIGNET, "dev", "--data-dir", self.data, "--sds-port", "0", "--mtls-port", "0", "--admin-port", "0",
            "--health-port", str(health)], os.path.join(self.folder, "signet.log"))

        def ready():
            service.check()
            return fetch(f"http://127.0.0.1:{health}/readyz")

        wait("the start of Signet", ready, 60)

    def signet(self, *arguments, stdin=None, accept=(0,)):
        result = subprocess.run(
            [SIGNET, *arguments], input=stdin, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
            env={**os.environ, "SIGNET_DATA_DIR": self.data})
        if result.returncode not in accept:
            raise SystemExit(f"demo: signet {' '.join(arguments)}: {result.stderr}")
        return result.stdout


MESH = """
type: Mesh
name: {name}
mtls:
  enabledBackend: ca-1
  backends:
  - name: ca-1
    type: builtin
"""


def accepted(caller, port, peer):
    answer = fetch(f"http://127.0.0.1:{port}/")
    say(f"  {GREEN}accepted{PLAIN}  {caller.name} → {peer.name}: \"{answer.strip()}\"")
    say(f"            the chain that {peer.name} showed:")
    for depth, pem in enumerate(peer.chain_on_the_wire()):
        uri, subject, issuer, end = describe(pem)
        kind = ("leaf", "issuing certificate", "cross certificate")[depth]
        say(f"              {depth}  {kind}: {BOLD}{uri}{PLAIN}")
        say(f"                 {DIM}subject {subject}; signed by {issuer}; until {end}{PLAIN}")


def refused(caller, port, peer):
    before = caller.statistic("ssl.fail_verify_error")
    try:
        answer = fetch(f"http://127.0.0.1:{port}/")
        raise SystemExit(f"demo: {caller.name} → {peer.name} must be refused and was answered with {answer!r}")
    except (OSError, http.client.HTTPException):
        pass
    count = wait("Envoy's statistic of the refusal", lambda: caller.statistic("ssl.fail_verify_error") - before)
    say(f"  {RED}refused{PLAIN}   {caller.name} → {peer.name}: Envoy of {caller.name} counts ssl.fail_verify_error + {count}")
    chain = os.path.join(caller.world.folder, "chain.pem")
    with open(chain, "w") as out:
        out.write("".join(peer.chain_on_the_wire()))
    reason = caller.world.signet("verify", "--mesh", caller.mesh, chain, accept=(1,))
    say(f"            signet verify --mesh {caller.mesh} says why: {' '.join(reason.split())}")


class Traffic:
    """Requests over and over inside a mesh, to see whether any fails while its CA changes."""

    def __init__(self, *ports):
        self.count, self.failures, self.ended = 0, [], threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(port,), daemon=True) for port in ports]
        for thread in self.threads:
            thread.start()

    def run(self, port):
        while not self.ended.wait(0.02):
            self.count += 1
            try:
                fetch(f"http://127.0.0.1:{port}/")
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(str(error))

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        if self.failures:
            raise SystemExit(f"demo: {len(self.failures)} of {self.count} requests failed: {self.failures[0]}")


def answers(port):
    try:
        return bool(fetch(f"http://127.0.0.1:{port}/"))
    except (OSError, http.client.HTTPException):
        return False


def moved(world):
    """Once no rotation runs."""
    rotations = json.loads(world.signet("get", "rotations", "-o", "json"))["items"]
    return all(rotation["phase"] in ("completed", "aborted") for rotation in rotations)


def indented(text):
    say(textwrap.indent(text.rstrip(), "  "))


def show(world):
    started = time.monotonic()
    heading("1. A certificate authority from nothing: PostgreSQL, keys, an admin token")
    world.start()
    say(f"  signet dev is ready after {time.monotonic() - started:.1f} s")

    heading("2. Two meshes, each with a root of its own")
    for mesh in ("shop", "bank"):
        world.signet("apply", "-f", "-", stdin=MESH.format(name=mesh))
    indented(world.signet("get", "cas"))

    heading("3. Four services, each behind a real Envoy that gets its certificate over SDS")
    web, cart = App(world, "shop", "web"), App(world, "shop", "cart")
    teller, vault = App(world, "bank", "teller"), App(world, "bank", "vault")
    web_cart, teller_vault = web.may_call(cart), teller.may_call(vault)
    web_vault, teller_cart = web.may_call(vault), teller.may_call(cart)
    apps = [web, cart, teller, vault]
    for app in apps:
        app.start()
    for app in apps:
        wait(f"the secrets of {app.name}", app.is_ready)
    for mesh in ("shop", "bank"):
        indented(world.signet("get", "proxies", "--mesh", mesh))

    heading("4. Inside a mesh: let in, by certificate")
    accepted(web, web_cart, cart)
    accepted(teller, teller_vault, vault)

    heading("5. Between meshes: each has its own root, so nobody is let in")
    refused(web, web_vault, vault)
    refused(teller, teller_cart, cart)

    heading("6. One CA for both: they accept each other, and nobody inside either notices the move")
    traffic = Traffic(web_cart, teller_vault)
    indented(world.signet("ca", "create", "corp", "--retire-after", "reissued"))
    indented(world.signet("ca", "share", "corp", "--mesh", "shop"))
    wait("the move of mesh shop", lambda: moved(world))
    indented(world.signet("ca", "share", "corp", "--mesh", "bank", "--dry-run"))
    indented(world.signet("ca", "share", "corp", "--mesh", "bank"))
    wait("the move of mesh bank", lambda: moved(world))
    indented(world.signet("get", "rotations"))
    wait("that vault lets web in", lambda: answers(web_vault))
    accepted(web, web_vault, vault)

    heading("7. A new root for both, while they talk, within the meshes and across")
    across = Traffic(web_vault, teller_cart)
    old = signer_of(vault)
    indented(world.signet("ca", "rotate", "corp", "--dry-run"))
    indented(world.signet("ca", "rotate", "corp", "--watch"))
    if signer_of(vault) == old:
        raise SystemExit("demo: vault still shows a certificate of the old root")
    accepted(web, web_vault, vault)
    across.stop()
    say(f"  meanwhile, across the meshes: {BOLD}{across.count} requests, each a handshake of its own, none failed{PLAIN}")
    indented(world.signet("get", "ca", "corp"))

    heading("8. And apart again: refused from the first push on")
    indented(world.signet("ca", "unshare", "corp", "--mesh", "bank"))
    wait("that vault keeps web out", lambda: not answers(web_vault))
    refused(web, web_vault, vault)
    traffic.stop()
    say(f"  meanwhile, inside the meshes: {BOLD}{traffic.count} requests, none failed{PLAIN}")

    heading("9. Every certificate was written down before it left the authority")
    for mesh in ("shop", "bank"):
        indented(world.signet("get", "certificates", "--mesh", mesh))
    heading(f"Done after {time.monotonic() - started:.0f} s. Now by hand: the tours in README.md and docs/sharing.md; "
            "docs/rotation.md is for whoever runs it.")


def main():
    for needed in (SIGNET, ENVOY):
        if not os.access(needed, os.X_OK):
            raise SystemExit(f"demo: {needed} is missing: run `make demo`")
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(130))
    folder = tempfile.mkdtemp(prefix="signet-demo-", dir="/tmp")
    os.chmod(folder, 0o755)
    try:
        show(World(folder))
    finally:
        for child in reversed(CHILDREN):
            child.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
