"""What thousands of connected proxies cost: all of them re-issued, held in memory, and back after a restart.

One machine carries `signet dev` with its PostgreSQL, and signet-load beside it on the same cores; what each of them costs is CPU time,
and each wall time stands beside what it is measured against in the same run. Four rows:
 3  a rotation of the root: re-issue, record, push and acknowledgement of all leaves, against bare key generation and signature;
 4  resident memory for each more proxy, by token and by mTLS;
 5  all proxies back after a restart with good versions, against the same TLS handshakes alone;
 6  the CPU time of 3 and 5 for each proxy, many against few.
Bounded: at most 20,000 proxies, a deadline for every wait, loopback only.
"""

import argparse
import http.client
import json
import pathlib
import re
import resource
import signal
import ssl
import statistics
import subprocess
import sys
import time

from load import CPUHistory, Load, process_seconds
from service import ROOT, Failed, Service, connections, resident_kilobytes, wait_until

# What any one step of the largest size may take: ten times what was seen.
PATIENCE = 240
# Rotations and returns of the small size, whose cost is near what else a service does meanwhile.
REPEATS = 3
CERTIFICATE_AUTHORITY = "default.ca-1"


class Admin:
    """The admin API over one connection, as an administrator."""

    def __init__(self, service):
        context = ssl.create_default_context(cafile=service.endpoints["caFile"])
        self.connection = http.client.HTTPSConnection("localhost", int(service.port("admin")), timeout=60, context=context)
        self.token = pathlib.Path(service.endpoints["tokenFile"]).read_text().strip()

    def ask(self, method, path, body=None):
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.status >= 300:
            raise Failed(f"{method} {path}: {answer.status} {text[:500]}")
        return json.loads(text)


def quiet(service, seconds=60):
    """Waits until the service has nothing more to do: less than a twentieth of a core for a second."""
    used = [process_seconds(service.pid)]

    def is_idle():
        used.append(process_seconds(service.pid))
        return used[-1] - used[-2] < 0.05

    wait_until("the service's rest", is_idle, seconds, period=1)


def floor(binaries):
    """Microseconds of a core for a key generation and a signature by bare OpenSSL."""
    program = binaries / "issuance-benchmark"
    if not program.exists():
        raise Failed(f"there is no {program}: swift build -c release --product issuance-benchmark")
    answer = subprocess.run([program, "--json"], capture_output=True, text=True, timeout=PATIENCE)
    for line in answer.stdout.splitlines():
        piece = json.loads(line)
        if piece["name"] == "raw key generation and sign" and piece["threads"] == 1:
            return 1e6 / piece["perSecond"]
    raise Failed(f"issuance-benchmark has no raw key generation and sign: {answer.stdout[-300:]} {answer.stderr[-300:]}")


def rotate(service, load):
    """A whole rotation of all connected proxies' root: its phases, and what was used in each."""
    admin = Admin(service)
    with CPUHistory(service, load) as history:
        time.sleep(0.5)
        rotation = admin.ask(
            "POST", f"/certificate-authorities/{CERTIFICATE_AUTHORITY}/rotations", {"retireAfter": "reissued"})

        def is_over():
            # The list, which does not judge the gate anew.
            newest = admin.ask("GET", "/rotations")["items"][0]
            return newest["phase"] in ("completed", "aborted") and newest["phase"]

        try:
            phase = wait_until("the rotation's end", is_over, PATIENCE, period=0.2)
        except Failed:
            gate = admin.ask("GET", f"/rotations/{rotation['id']}")
            raise Failed(f"the rotation of {load.proxies} proxies is {gate['phase']}: {json.dumps(gate.get('gate'))[:1000]}")
        if phase != "completed":
            raise Failed(f"the rotation of {load.proxies} proxies was {phase}")
        time.sleep(0.1)
    rows = service.query(f"SELECT event, at_ms FROM rotation_event WHERE rotation = '{rotation['id']}' ORDER BY seq")
    times = {event: int(at) / 1000 for event, at in rows}
    start, end = times["distributing"], times["completed"]
    reissued = load.wait("acknowledged", 10, kind="identity", version=rotation["to"])
    phases = {name: times[following] - times[name]
              for name, following in [("distributing", "issuing"), ("issuing", "withdrawing"), ("withdrawing", "completed")]}
    whole, storm = history.between(start, end), history.between(times["issuing"], times["withdrawing"])
    return {
        "seconds": end - start, "phases": phases, "whole": whole, "storm": storm,
        # From the phase's beginning until the last proxy acknowledged its new leaf.
        "reissueSeconds": reissued["at"] - times["issuing"]}


class Measured:
    """Wall time, and CPU time of service and load generator, of what is done in the context."""

    def __init__(self, service, load):
        self.service, self.load = service, load

    def __enter__(self):
        self.begun = process_seconds(self.service.pid), self.load.cpu
        return self

    def __exit__(self, *_):
        self.service_cpu, self.load_cpu = (
            last - first for last, first in zip((process_seconds(self.service.pid), self.load.cpu), self.begun))


def again_and_again(service, load, rounds):
    """So many times the handshakes alone, and then the return of all, of the service as it runs."""
    handshakes, returns = [], []
    for _ in range(rounds):
        for make, into in ((load.shake_hands, handshakes), (load.come_back, returns)):
            quiet(service)
            with Measured(service, load) as measured:
                event = make(PATIENCE)
            into.append({"seconds": event["seconds"], "service": measured.service_cpu, "load": measured.load_cpu,
                         "newIdentities": event.get("newIdentities"), "retries": event.get("retries")})
    return handshakes, returns


def restart(service, load):
    """The service ends and starts again on its data, and all proxies come back."""
    after = len(load.events)
    service.process.send_signal(signal.SIGTERM)
    service.process.wait(60)
    service.launch()
    event = load.wait("returned", PATIENCE, after)
    quiet(service)
    peak = next(int(line.split()[1]) for line in pathlib.Path(f"/proc/{service.pid}/status").read_text().splitlines()
                if line.startswith("VmHWM"))
    return {
        "seconds": event["seconds"], "newIdentities": event["newIdentities"], "retries": event["retries"],
        "leaves": int(service.metric("signet_certificates_issued_total", kind="leaf")), "peakMegabytes": peak / 1024}


def session(options, proxies, rounds):
    """All that is done with so many proxies at one service."""
    with Service(options.binaries, connections(max(16_000, proxies + 1000))) as service:
        with Load(service, proxies, service.token("load"), mtls=options.door == "mtls", streams=options.streams) as load:
            served = load.wait("served", PATIENCE)
            quiet(service)
            resident = resident_kilobytes(service.pid) / 1024
            rotations = []
            for _ in range(rounds):
                rotations.append(rotate(service, load))
                quiet(service)
            handshakes, returns = again_and_again(service, load, rounds)
            restarted = restart(service, load)
            more, _ = again_and_again(service, load, 1)
            return {
                "proxies": proxies, "admissionSeconds": served["seconds"], "residentMegabytes": resident, "rotations": rotations,
                "handshakes": handshakes + more, "returns": returns, "restart": restarted}


def typical(items, *keys):
    """The median of a figure within each of `items`."""
    def figure(item):
        for key in keys:
            item = item[key]
        return item
    return statistics.median(figure(item) for item in items)


def row_3(result, floor):
    proxies, rotations = result["proxies"], result["rotations"]

    def each(part, which):
        return typical(rotations, part, which) / proxies * 1e6
    row = {
        "row": 3, "proxies": proxies, "floorMicroseconds": floor, "ofFloor": each("storm", 0) / floor,
        "serviceMicroseconds": each("storm", 0), "databaseMicroseconds": each("storm", 1), "loadMicroseconds": each("storm", 2),
        "reissueSeconds": typical(rotations, "reissueSeconds"), "rotationSeconds": typical(rotations, "seconds"),
        "phaseSeconds": {name: typical(rotations, "phases", name) for name in rotations[0]["phases"]},
        "rotationOfFloor": each("whole", 0) / floor, "rotationServiceMicroseconds": each("whole", 0),
        "rotationDatabaseMicroseconds": each("whole", 1), "rotationLoadMicroseconds": each("whole", 2)}
    phases = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in row["phaseSeconds"].items())
    said = (
        f"re-issue of {proxies:,}: service {row['serviceMicroseconds']:.0f} µs CPU each, {row['ofFloor']:.2f} × the floor of {floor:.1f} µs; "
        f"PostgreSQL {row['databaseMicroseconds']:.0f} µs, load generator {row['loadMicroseconds']:.0f} µs; "
        f"all acknowledged after {row['reissueSeconds']:.2f} s; the whole rotation {row['rotationSeconds']:.1f} s ({phases}), "
        f"service {row['rotationServiceMicroseconds']:.0f} µs each")
    return row, said


def row_5(result):
    restarted, proxies = result["restart"], result["proxies"]
    bare, back = typical(result["handshakes"], "seconds"), restarted["seconds"]
    row = {
        "row": 5, "proxies": proxies, "leaves": restarted["leaves"] + restarted["newIdentities"], "seconds": back,
        "handshakeSeconds": bare, "ofHandshakes": back / bare, "peakMegabytes": restarted["peakMegabytes"],
        "residentMegabytes": result["residentMegabytes"], "retries": restarted["retries"],
        "handshakeRetries": max(item["retries"] for item in result["handshakes"]),
        "serviceMicroseconds": typical(result["returns"], "service") / proxies * 1e6,
        "handshakeServiceMicroseconds": typical(result["handshakes"], "service") / proxies * 1e6,
        "loadMicroseconds": typical(result["returns"], "load") / proxies * 1e6,
        "handshakeLoadMicroseconds": typical(result["handshakes"], "load") / proxies * 1e6}
    # Without the restart, in turns with the handshakes: what noise does to one it does to the other.
    row["ofHandshakesRunning"] = typical(result["returns"], "seconds") / bare
    said = (
        f"return of {proxies:,} after a restart: {row['leaves']} leaves signed; {back:.2f} s, {row['ofHandshakes']:.2f} × the "
        f"{bare:.2f} s of the handshakes alone; service {row['serviceMicroseconds']:.0f} µs CPU each "
        f"(handshake {row['handshakeServiceMicroseconds']:.0f} µs), load generator {row['loadMicroseconds']:.0f} µs; "
        f"resident at most {row['peakMegabytes']:.0f} MB")
    return row, said


def row_6(few, many):
    def each(result, key, *path):
        return typical(result[key], *path) / result["proxies"] * 1e6
    storm, back = ([each(result, key, *path) for result in (few, many)]
                   for key, path in (("rotations", ("storm", 0)), ("returns", ("service",))))
    row = {
        "row": 6, "few": few["proxies"], "many": many["proxies"], "stormMicroseconds": storm, "admissionMicroseconds": back,
        "stormRatio": storm[1] / storm[0], "admissionRatio": back[1] / back[0]}
    said = (
        f"CPU for each proxy, {row['few']:,} and {row['many']:,}: re-issue {storm[0]:.0f} and {storm[1]:.0f} µs "
        f"({row['stormRatio']:.2f} ×), return {back[0]:.0f} and {back[1]:.0f} µs ({row['admissionRatio']:.2f} ×)")
    return row, said


def settled_kilobytes(service):
    """Resident memory, once it has been the same, but for a part in two hundred, for three seconds."""
    seen = []

    def is_same():
        seen.append(resident_kilobytes(service.pid))
        return len(seen) > 3 and max(seen[-4:]) - min(seen[-4:]) <= seen[-1] / 200

    wait_until("resident memory that stays", is_same, 60, period=1)
    return seen[-1]


def memory(options, few, many, mtls):
    """Kilobytes for each proxy that joins `few` at one service until they are `many`."""
    with Service(options.binaries, connections(max(16_000, many + 1000))) as service:
        token = service.token("load")
        with Load(service, few, token, mtls, "few", streams=options.streams) as first:
            first.wait("served", PATIENCE)
            before = settled_kilobytes(service)
            with Load(service, many - few, token, mtls, "more", streams=options.streams) as second:
                second.wait("served", PATIENCE)
                after = settled_kilobytes(service)
                connected = wait_until(
                    "the count of connected proxies",
                    lambda: int(service.metric("signet_proxies_connected")) == many and many, 30, period=1)
                return {"few": before / 1024, "many": after / 1024, "each": (after - before) / (connected - few)}


def row_4(options, many):
    few = many // 5
    doors = {name: memory(options, few, many, mtls=name == "mtls") for name in ("token", "mtls")}
    row = {
        "row": 4, "few": few, "many": many, "mtlsKilobytes": doors["mtls"]["each"], "tokenKilobytes": doors["token"]["each"],
        "residentMegabytes": {name: {size: door[size] for size in ("few", "many")} for name, door in doors.items()}}
    said = f"memory for each more proxy, {few:,} to {many:,}: " + ", ".join(
        f"{name} {door['each']:.0f} KB ({door['few']:.0f} to {door['many']:.0f} MB)" for name, door in doors.items())
    return row, said


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / ".build" / "release")
    parser.add_argument("--json", action="store_true", help="one object a row before its line")
    parser.add_argument("--rows", default="3456", help="which of them, such as 35")
    parser.add_argument("--door", choices=["mtls", "token"], default="mtls", help="of rows 3, 5 and 6")
    parser.add_argument("--streams", type=int, choices=[1, 2], default=2, help="of each connection; Envoy has one for each secret")
    parser.add_argument("sizes", type=int, nargs="*", default=[1000, 10_000], help="few and many, or one")
    options = parser.parse_args()
    options.binaries = options.binaries.resolve()
    if not 1 <= len(options.sizes) <= 2 or any(not 10 <= size <= 20_000 for size in options.sizes):
        parser.error("sizes are one or two of 10 to 20000")
    if not re.fullmatch("[3-6]+", options.rows):
        parser.error("--rows has digits from 3 to 6")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sizes, rows = sorted(options.sizes), options.rows
    failures = 0

    def show(number, make):
        nonlocal failures
        if number not in rows:
            return
        try:
            row, said = make()
        except (Failed, KeyError, ValueError, OSError, subprocess.SubprocessError) as failure:
            failures += 1
            row, said = {"row": int(number), "failed": f"{type(failure).__name__} {failure}"}, f"failed: {failure}"
        if options.json:
            print(json.dumps(row))
        print(f"row {number}: {said}", flush=True)

    sessions = {}

    def at(size):
        """A session that failed fails the same way for each row that wants it."""
        if size not in sessions:
            try:
                sessions[size] = session(options, size, REPEATS if size == sizes[0] else 1)
            except (Failed, OSError) as failure:
                sessions[size] = failure
        if isinstance(sessions[size], Exception):
            raise sessions[size]
        return sessions[size]

    show("3", lambda: row_3(at(sizes[-1]), floor(options.binaries)))
    show("5", lambda: row_5(at(sizes[-1])))
    show("6", lambda: row_6(at(sizes[0]), at(sizes[-1])))
    show("4", lambda: row_4(options, sizes[-1]))
    sys.exit(1 if failures == len(set(rows)) else 0)


if __name__ == "__main__":
    main()
