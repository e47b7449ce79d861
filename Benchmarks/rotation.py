"""How long a whole rotation takes with so many connected proxies: distribute, issue anew, withdraw, all acknowledged.

One machine: `signet dev` with its PostgreSQL, and signet-load beside it on the same cores. Prints one line for each size.
Bounded: at most 20,000 proxies, two minutes a rotation, loopback only.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT = 120


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_megabytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


class Service:
    def __init__(self, binaries, folder):
        self.signet = binaries / "signet"
        self.load = binaries / "signet-load"
        self.folder = folder
        self.environment = {**os.environ, "SIGNET_DATA_DIR": str(folder / "data")}
        self.process = subprocess.Popen(
            [self.signet, "dev"], env=self.environment, stdout=open(folder / "signet.log", "w"), stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 60
        while "Type next" not in (folder / "signet.log").read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit("the service did not start: " + (folder / "signet.log").read_text()[-2000:])
            time.sleep(0.2)
        self.token = folder / "token"
        self.token.write_text(self.run("token", "dataplane", "--mesh", "default", "--tag", "kuma.io/service=load"))

    def run(self, *arguments):
        return subprocess.run(
            [self.signet, *arguments], env=self.environment, check=True, capture_output=True, text=True, timeout=60).stdout

    def rotate(self, proxies):
        log = self.folder / f"load-{proxies}.log"
        load = subprocess.Popen(
            [self.load, "--proxies", str(proxies), "--ca-file", self.folder / "data" / "ca.pem", "--token-file", self.token,
             "--for", "300"], stdout=open(log, "w"), stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + LIMIT
            while "served" not in log.read_text():
                if load.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"{proxies} proxies did not connect: {log.read_text()}")
                time.sleep(0.2)
            admitted = log.read_text().split()[3]
            before = cpu_seconds(self.process.pid)
            started = json.loads(
                self.run("ca", "rotate", "default.ca-1", "--retire-after", "reissued", "-o", "json"))
            deadline = time.monotonic() + LIMIT
            while True:
                rotation = json.loads(self.run("get", "rotation", started["id"], "-o", "json"))
                if rotation["phase"] in ("completed", "aborted"):
                    break
                if time.monotonic() > deadline:
                    sys.exit(f"the rotation of {proxies} proxies is {rotation['phase']} after {LIMIT} s: {rotation}")
                time.sleep(0.5)
            cpu = cpu_seconds(self.process.pid) - before
            return admitted, rotation, cpu, resident_megabytes(self.process.pid)
        finally:
            load.send_signal(signal.SIGKILL)
            load.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / ".build" / "release")
    parser.add_argument("sizes", type=int, nargs="*", default=[100, 1000, 5000])
    options = parser.parse_args()
    if any(not 1 <= size <= 20_000 for size in options.sizes):
        sys.exit("sizes are 1 to 20000")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="signet-rotation-"))
    # For root, PostgreSQL runs as its own account and must pass through.
    folder.chmod(0o755)
    service = Service(options.binaries, folder)
    try:
        print(f"{'proxies':>8} {'admitted in':>12} {'rotated in':>11} {'service CPU':>12} {'resident':>9}")
        for size in options.sizes:
            admitted, rotation, cpu, resident = service.rotate(size)
            print(
                f"{size:>8} {float(admitted):>10.1f} s {rotation['duration']:>11} {cpu:>10.1f} s {resident:>6.0f} MB"
                f"  {rotation['phase']}", flush=True)
    finally:
        service.stop()
        shutil.rmtree(folder, ignore_errors=True)


main()
