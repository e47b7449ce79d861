"""A Signet of its own to measure: `signet dev` in a temporary folder, on free ports of the loopback address.

What it costs is read from /proc, as CPU time: other programs on the machine lengthen the wall's clock, not that one.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
TICK = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A part of the measurement cannot go on; the text is for whoever started it."""


def fields_of(pid):
    """What follows the name in /proc/PID/stat; nothing if there is no such process."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def cpu_seconds(pid):
    """User and system time of one process, and of its children that ended and were waited for."""
    fields = fields_of(pid)
    return sum(int(field) for field in fields[11:15]) / TICK if fields else 0.0


def command_of(pid):
    """The command line of a process; nothing if there is none, or only its end is left."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def descendants(pid):
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := fields_of(entry)):
            children.setdefault(int(fields[1]), []).append(int(entry))
    found, rest = [], [pid]
    while rest:
        one = rest.pop()
        found.append(one)
        rest += children.get(one, [])
    return found


def resident_kilobytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise Failed(f"process {pid} has no resident memory")


def wait_until(what, condition, seconds, period=0.05):
    """The first true answer of `condition`, asked until the deadline; what it raises is no answer yet, unless it is `Failed`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if answer := condition():
                return answer
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise Failed(f"{what} did not happen within {seconds} s")
        time.sleep(period)


def end(process, patience=40):
    """Ends a process of ours by SIGTERM, else by SIGKILL."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def tool(name, package):
    """The path of a program, or a failure that says how to get it."""
    if path := shutil.which(name):
        return path
    raise Failed(f"there is no '{name}' here: apt-get install {package} (Scripts/prepare.sh bench does)")


# A fleet here is one process of one service on one address, which asks for more in a minute than such a fleet does in a day: the rates
# count and never refuse.
RATES = [f"limits.{name}=1000000+1000000/s" for name in (
    "streamsPerProxy", "streamsPerIdentity", "streams", "leavesPerProxy", "leavesPerIdentity", "leaves", "writesPerToken")]


def connections(most):
    """The settings for so many connections, all of them from one address."""
    return [f"limits.connections={most}", f"limits.connectionsPerAddress={most}"]


class Service:
    """`signet dev`, started by entering the context and gone with its folder after it."""

    def __init__(self, binaries, settings=()):
        self.binaries, self.settings = pathlib.Path(binaries), RATES + list(settings)
        self.process = self.endpoints = None

    def __enter__(self):
        program = self.binaries / "signet"
        if not program.exists():
            raise Failed(f"there is no {program}: swift build -c release --product signet")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="signet-bench-"))
        # PostgreSQL runs under an account of its own when this one is root, and has to pass.
        self.folder.chmod(0o711)
        self.data = self.folder / "data"
        self.log = self.folder / "signet.log"
        try:
            self.launch()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def launch(self):
        """Starts the program on its folder: on free ports, or again on those that it had."""
        settings = [argument for setting in self.settings for argument in ("--set", setting)]
        ports = [argument for door in ("sds", "mtls", "admin", "health")
                 for argument in (f"--{door}-port", self.port(door) if self.endpoints else "0")]
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(
                [self.binaries / "signet", "dev", "--data-dir", self.data, *ports, *settings],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        self.endpoints = json.loads(wait_until("the service's start", self.started, 90))
        wait_until("the service's readiness", lambda: self.read("/readyz"), 60)

    def port(self, door):
        return self.endpoints[door].rsplit(":", 1)[1]

    def __exit__(self, *_):
        try:
            postmaster = self.postmaster
        except (OSError, ValueError):
            postmaster = None
        if self.process:
            end(self.process)
        # It outlives a service that crashed or had to be killed.
        if postmaster and str(self.folder) in command_of(postmaster):
            os.kill(postmaster, signal.SIGQUIT)
            wait_until("the end of PostgreSQL", lambda: not command_of(postmaster), 20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def started(self):
        self.check()
        file = self.data / "endpoints.json"
        return file.read_text() if file.exists() else None

    def check(self):
        if self.process.poll() is not None:
            raise Failed(f"the service ended with {self.process.returncode}: {self.log.read_text()[-1500:]}")

    def read(self, path):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.endpoints["health"] + path, timeout=10) as answer:
            return answer.read().decode()

    def metric(self, name, **labels):
        """The sum of the samples of `name` that carry the labels."""
        total = 0.0
        for line in self.read("/metrics").splitlines():
            found = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
            if found and all(f'{key}="{value}"' in (found[1] or "") for key, value in labels.items()):
                total += float(found[2])
        return total

    def run(self, *arguments):
        """A command of `signet` against this service: what it prints."""
        answer = subprocess.run(
            [self.binaries / "signet", *arguments], capture_output=True, text=True, timeout=60,
            env={**os.environ, "SIGNET_DATA_DIR": str(self.data)})
        if answer.returncode:
            raise Failed(f"signet {' '.join(arguments[:2])} ended with {answer.returncode}: {answer.stderr.strip()}")
        return answer.stdout

    def token(self, service):
        """A file with a dataplane token of the mesh `default`."""
        file = self.folder / f"{service}.token"
        file.write_text(self.run("token", "dataplane", "--mesh", "default", "--tag", f"kuma.io/service={service}"))
        return file

    @property
    def pid(self):
        return self.process.pid

    @property
    def postmaster(self):
        return int((self.data / "postgres" / "data" / "postmaster.pid").read_text().split("\n", 1)[0])

    def database_cpu_seconds(self):
        # The main process counts the backends that ended.
        return sum(cpu_seconds(pid) for pid in descendants(self.postmaster))

    def query(self, sql, database="signet"):
        """The rows of a statement, each a list of texts, asked as the database's owner."""
        answer = subprocess.run(
            [tool("psql", "postgresql-client"), "-h", self.data / "postgres" / "run", "-U", "signet", "-d", database, "-X",
             "-v", "ON_ERROR_STOP=1", "-A", "-t", "-F", "\t", "-c", sql],
            capture_output=True, text=True, timeout=120)
        if answer.returncode:
            raise Failed(f"psql: {answer.stderr.strip()}")
        return [line.split("\t") for line in answer.stdout.splitlines()]
