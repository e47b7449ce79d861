"""signet-load as a measurement sees it: a process of simulated proxies, and the events that it prints; and CPU time, finely."""

import json
import signal
import subprocess
import threading
import time

from service import TICK, Failed, descendants, end, fields_of


def process_seconds(pid):
    """User and system time of a process by its CPU clock: nanoseconds, where /proc counts in ticks of ten milliseconds."""
    try:
        # clock_getcpuclockid(3), which Python has for threads only: the clock's number is the complement of the process id.
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return 0.0


def ended_seconds(pid):
    """What the children of a process used that ended and were waited for, in ticks."""
    fields = fields_of(pid)
    return sum(int(field) for field in fields[13:15]) / TICK if fields else 0.0


class Load:
    """So many proxies at a service, started by entering the context and gone after it."""

    def __init__(self, service, proxies, token, mtls, prefix="load", streams=2, seconds=1800):
        self.service, self.proxies, self.prefix = service, proxies, prefix
        door = ["--mtls", "--leaf-each", "--mtls-port", service.port("mtls")] if mtls else []
        self.arguments = [
            str(argument) for argument in [
                service.binaries / "signet-load", "--json", "--proxies", proxies, "--prefix", prefix, "--for", seconds,
                "--streams", streams, "--port", service.port("sds"), "--ca-file", service.endpoints["caFile"], "--token-file", token, *door]]
        self.events, self.news = [], threading.Condition()

    def __enter__(self):
        self.log = self.service.folder / f"{self.prefix}.log"
        with open(self.log, "w") as complaints:
            self.process = subprocess.Popen(
                self.arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints, text=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, *_):
        end(self.process, patience=10)
        self.reader.join(10)

    def read(self):
        for line in self.process.stdout:
            event = json.loads(line)
            event["at"] = time.time()
            with self.news:
                self.events.append(event)
                self.news.notify_all()
        with self.news:
            self.news.notify_all()

    def wait(self, name, seconds, after=0, **wanted):
        """The first event of this name and these values, from the `after`th on."""
        deadline = time.monotonic() + seconds
        with self.news:
            while True:
                for event in self.events[after:]:
                    if event["event"] == name and all(event.get(key) == value for key, value in wanted.items()):
                        return event
                remaining = deadline - time.monotonic()
                if self.process.poll() is not None:
                    raise Failed(f"signet-load ended with {self.process.returncode}: {self.log.read_text()[-1000:]} {self.events[-1:]}")
                if remaining <= 0:
                    raise Failed(f"signet-load did not say '{name}' within {seconds} s, but {self.events[-3:]}")
                self.news.wait(min(remaining, 1))

    def tell(self, number):
        """Sends a signal; gives from which event on to wait for what comes of it."""
        with self.news:
            after = len(self.events)
        self.process.send_signal(number)
        return after

    def shake_hands(self, seconds):
        """Every connection is cut, and all make TLS and HTTP/2 alone; then these are cut."""
        return self.wait("handshakes", seconds, self.tell(signal.SIGUSR2))

    def come_back(self, seconds):
        """All come again, naming the versions that they hold."""
        return self.wait("returned", seconds, self.tell(signal.SIGUSR1))

    @property
    def cpu(self):
        return process_seconds(self.process.pid)


class CPUHistory:
    """What the service, its database and the load generator have used, sampled while the context is open."""

    PERIOD = 0.02
    # Backends that come between two looks are counted from the second on; what those used that ended, the postmaster counts.
    LOOK = 0.5

    def __init__(self, service, load):
        self.service, self.load = service, load
        self.samples, self.stopped = [], threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join(10)

    def run(self):
        postmaster, backends, ended, looked = self.service.postmaster, [], 0, 0
        while True:
            now = time.monotonic()
            if now - looked > self.LOOK:
                backends, ended, looked = descendants(postmaster), ended_seconds(postmaster), now
            database = ended + sum(process_seconds(pid) for pid in backends)
            self.samples.append((time.time(), process_seconds(self.service.pid), database, self.load.cpu))
            if self.stopped.wait(self.PERIOD):
                return

    def between(self, start, finish):
        """Seconds of service, database and load generator from one time of day to another."""
        first, last = self.at(start), self.at(finish)
        return tuple(max(0.0, b - a) for a, b in zip(first, last))

    def at(self, when):
        """Interpolated."""
        before = after = self.samples[0]
        for sample in self.samples:
            after = sample
            if sample[0] >= when:
                break
            before = sample
        share = (when - before[0]) / (after[0] - before[0]) if after[0] > before[0] else 0
        return tuple(a + (b - a) * min(1, max(0, share)) for a, b in zip(before[1:], after[1:]))
