"""The faults, one function each: it does what the row says, checks what is expected of it, and returns what was seen."""

import concurrent.futures
import contextlib
import functools
import http.client
import pathlib
import signal
import subprocess
import threading
import time

import laws
from world import (
    LEAF_SECONDS, MESH, PYTHON, STILL_SECONDS, Child, DatabaseAway, NotAsExpected, Replica, Wire, require, serials_of, wait)

ROWS = []


class Row:
    def __init__(self, name, fault, expected, run, seconds, is_short):
        self.name, self.fault, self.expected, self.run = name, fault, expected, run
        # What it may take on two cores: a row is not begun that would hardly end in time.
        self.seconds, self.is_short = seconds, is_short


def row(name, fault, expected, seconds, short=False):
    """Puts a function into the table."""
    def add(run):
        ROWS.append(Row(name, fault, expected, run, seconds, short))
        return run
    return add


# What rows have in common


def probe(replica, name):
    """Makes a mesh without certificates, the smallest change that a database has to take: the answer's status, and its words."""
    try:
        status, document = replica.ask("PUT", f"/meshes/{name}", {"type": "Mesh", "name": name}, timeout=20)
        return status, (document or {}).get("detail") or laws.problem(document)
    except OSError as failure:
        return 0, str(failure)


def refused(replica, name):
    status, words = probe(replica, name)
    require(not 200 <= status < 300, f"replica {replica.name} took a change: {status}")
    require(status == 503, f"replica {replica.name} refused a change with {status}: {words}")
    return words


def taken(replica, name):
    status, words = probe(replica, name)
    require(200 <= status < 300, f"replica {replica.name} did not take a change: {status} {words}")


def all_unready(world, seconds=20):
    """Waits until every replica says so, and is alive; what the first gives as its reason."""
    def unready():
        require(all(replica.is_live() for replica in world.replicas), "a replica is not alive")
        return all(replica.readiness()[0] == 503 for replica in world.replicas)
    wait("every replica's readiness down", unready, seconds)
    return world.first.readiness()[1].strip()


def all_ready(world, seconds=30):
    begun = time.monotonic()
    for replica in world.replicas:
        replica.wait_ready(seconds)
    return time.monotonic() - begun


def given(world, replica, token):
    """A certificate for the independent client, remembered as served."""
    chain, words = replica.fetch_identity(token)
    require(chain, f"no certificate: {words}")
    world.serials.add_chain(chain)
    return chain


def denied(replica, token):
    """The words by which one is refused: UNAVAILABLE, and never an answer with nothing in it."""
    chain, words = replica.fetch_identity(token)
    require(not chain, "a certificate was given")
    require("UNAVAILABLE" in words, f"not UNAVAILABLE: {words}")
    return words


def confirm(world):
    """What an operator does who knows what the database lost."""
    world.first.signet("ledger", "confirm", "--reason", "chaos")


def forget_lost(world, recorded):
    """What a database lost, whoever runs it knows of: no replica can have it back. `recorded` is what the old one had when it
    went; what neither ever had was lost by the service, and stays a broken law."""
    lost = recorded - laws.recorded(world.server)
    world.serials.forget(lost)
    return len(lost)


@contextlib.contextmanager
def third(world, **how):
    replica = Replica(world, f"third-{time.monotonic_ns()}")
    try:
        yield replica
    finally:
        # With a goodbye: one that vanishes is waited for, since it may have issued.
        if replica.child:
            replica.child.stop()
        replica.database.refuse()


# Rotations


PHASES = ["rotation-started", "rotation-issuing", "rotation-withdrawing", "rotation-completed"]


def kill_driver(world, moment, action):
    """The replica that drives dies at this commit, and is started anew at once."""
    for replica in world.replicas:
        require(replica.child.stop() == 0, f"{replica.name} did not end well")
    world.first.start_ready(failpoint=f"kill-{moment}-commit:{action}")
    wait("the first to drive", lambda: "drives rotations from now on" in world.first.logged(), 40)
    world.second.start_ready()
    before = {item["id"] for item in world.rotations()}
    started = world.first.signet("ca", "rotate", "corp", accept=None)
    require((started.returncode == 0) == (action != "rotation-started"), f"ca rotate ended with {started.returncode}")
    status = world.first.child.process.wait(60)
    require(status == -signal.SIGKILL, f"the driver ended with {status}")
    event = "distributing" if action == "rotation-started" else action.removeprefix("rotation-")
    known = ", ".join(f"'{name}'" for name in before) or "''"
    committed = world.server.query(f"SELECT count(*) FROM rotation_event WHERE event = '{event}' AND rotation NOT IN ({known})")
    expected = "1" if moment == "after" else "0"
    require(committed == [[expected]], f"{event} stands {committed[0][0]} times after a death {moment} it")
    if action == "rotation-started" and moment == "before":
        world.second.signet("ca", "rotate", "corp")
    world.first.start()
    new = [item["id"] for item in world.rotations() if item["id"] not in before]
    require(len(new) == 1, f"{len(new)} rotations came of one order")
    if action != "rotation-completed":
        status, document = world.second.ask("POST", "/certificate-authorities/corp/rotations")
        require(status == 409 and new[0] in laws.problem(document), f"the order again: {status} {laws.problem(document)}")
    laws.watch(
        world, "the end of the rotation",
        lambda: [item["phase"] for item in world.rotations() if item["id"] == new[0]] == ["completed"], 120)
    events = [
        event for event, in world.server.query(f"SELECT event FROM rotation_event WHERE rotation = '{new[0]}' ORDER BY seq")]
    require(events == ["distributing", "issuing", "withdrawing", "completed"], f"events, each once: {events}")
    return "died there, resumed, each phase once"


@row("fifty-starts", "50 callers at two replicas start a rotation at once",
     "one starts it; 49 get 409 with the id of the running one", 20, short=True)
def fifty_starts(world):
    def start(number):
        return world.replicas[number % 2].ask("POST", "/certificate-authorities/corp/rotations", timeout=50)
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(start, range(50)))
    started = [document["id"] for status, document in answers if status == 201]
    told = [document for status, document in answers if status == 409]
    require(len(started) == 1 and len(told) == 49, f"statuses {sorted(status for status, _ in answers)}")
    unnamed = [document for document in told if started[0] not in laws.problem(document)]
    require(not unnamed, f"{len(unnamed)} of the 49 do not name {started[0]}: {unnamed[:1]}")
    laws.watch(world, "the end of the rotation", lambda: not world.running(), 60)
    return "1 × 201, 49 × 409 with its id; completed"


# The database goes away


def away(world, name, hurt, mend, is_noticed=True):
    token = world.token(world.first, f"probe-{name}", f"probe-{name}")
    hurt()
    reason = all_unready(world) if is_noticed else ""
    given(world, world.first, token)
    require(all(replica.is_live() for replica in world.replicas), "a replica is not alive")
    mend()
    seconds = all_ready(world)
    given(world, world.second, token)
    clients = int(world.server.query("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")[0][0])
    # Eight of the pool and one that listens, for each replica; and this question.
    require(clients <= 2 * 9 + 1 or world.has_pooler, f"{clients} connections to the database")
    seen = f"unready ({reason}), alive, issuing from memory" if is_noticed else "issued meanwhile"
    return f"{seen}; ready {seconds:.0f} s after, {clients} connections"


AWAY = "readiness down, liveness up, issuance goes on from memory; bounded pool; back unaided"


@row("database-restart", "PostgreSQL restarts", AWAY, 20, short=True)
def database_restart(world):
    return away(world, "restart", world.server.stop, world.server.start)


@row("database-refuses", "PostgreSQL refuses connections", AWAY, 60)
def database_refuses(world):
    def each(act):
        return lambda: [getattr(replica.database, act)() for replica in world.replicas]
    return away(world, "refuses", each("refuse"), each("restore"))


@row("database-hangs", "PostgreSQL hangs (SIGSTOP)", AWAY, 60)
def database_hangs(world):
    return away(world, "hangs", world.server.freeze, world.server.send_awake)


@row("database-half-open", "connections to PostgreSQL drop half-open", "given up in time, new ones made; issuance goes on", 60)
def database_half_open(world):
    def drop():
        for replica in world.replicas:
            replica.database.drop()
    # A backend of a connection that is half open stays until PostgreSQL learns of it.
    return away(world, "half-open", drop, lambda: [replica.database.forget() for replica in world.replicas], False)


@row("outage-renewal", "PostgreSQL is down while proxies renew",
     f"issued from memory and journaled for {LEAF_SECONDS // 2} s, half a leaf's life; then UNAVAILABLE, streams open; replayed "
     "once",
     35, short=True)
def outage_renewal(world):
    token = world.token(world.first, "outage", "outage")
    window = LEAF_SECONDS / 2
    with world.client(world.first, token, "hold", "ROOTCA", name="holder") as holder:
        wait("the holder's bundle", lambda: "received" in holder.tail(), 20)
        # A replica may sign for half a leaf's life since its last sign of life, an eighth of that ago at most; a second for the rest.
        due = window * 7 / 8 - 2
        wait("a moment before both renew", lambda: all(1 < proxy.renews_in() < due for proxy in world.proxies), 120)
        had = [proxy.serials() for proxy in world.proxies]
        begun = time.monotonic()
        for replica in world.replicas:
            replica.database.refuse()
        given(world, world.first, token)
        wait("renewals in the outage", lambda: all(
            proxy.serials() - held for proxy, held in zip(world.proxies, had)), window + 2)
        renewed = time.monotonic() - begun
        time.sleep(max(0, begun + window + 3 - time.monotonic()))
        denied(world.first, token)
        require(holder.status is None and "ended" not in holder.tail(), f"an open stream ended: {holder.tail()}")
        require(all(replica.is_live() for replica in world.replicas), "a replica is not alive")
        for replica in world.replicas:
            replica.database.restore()
        lasted = time.monotonic() - begun
        seconds = all_ready(world)
    laws.check_served(world)
    return (f"both Envoys renewed within {renewed:.0f} s of an outage of {lasted:.0f} s; UNAVAILABLE after the window; ready "
            f"{seconds:.0f} s after, every serial in the ledger")


@row("replica-cut-off", "one replica is cut off from PostgreSQL while a root is replaced",
     "it issues under its permit; no root goes before that is over or the replica is back", 75)
def replica_cut_off(world):
    drives = "drives rotations from now on"
    lines = [(line, replica) for replica in world.replicas for line in replica.tail(200_000).splitlines() if drives in line]
    driver = max(lines, key=lambda found: found[0])[1]
    other = next(replica for replica in world.replicas if replica is not driver)
    token = world.token(driver, "under-permit", "under-permit")
    # As a load balancer does that asks for readiness.
    for proxy in world.proxies:
        proxy.wire.lead(driver.sds)
    other.database.refuse()
    wait("its readiness down", lambda: other.readiness()[0] == 503, 20)
    driver.signet("ca", "rotate", "corp")
    given(world, other, token)
    rotation = world.running(driver)[0]["id"]
    reasons = set()

    def absent():
        status, document = driver.ask("GET", f"/rotations/{rotation}")
        require(
            status == 200 and document["phase"] in ("distributing", "issuing"), f"it is {document['phase']} without the replica")
        reasons.update(blocker["reason"] for blocker in document["gate"]["blockers"])
        return "absent" in reasons
    laws.watch(world, "the gate to name the replica as absent", absent, 45)
    time.sleep(4)
    absent()
    other.database.restore()
    all_ready(world)
    laws.watch(world, "the end of the rotation", lambda: not world.running(driver), 60)
    return f"it issued; the gate: {', '.join(sorted(reasons))}; completed once it was back"


@row("cold-start", "start with PostgreSQL down",
     "not ready, says why, retries; never an empty bundle; ready when it is back",
     15, short=True)
def cold_start(world):
    token = world.token(world.first, "cold", "cold")
    with third(world) as replica:
        replica.database.refuse()
        replica.start()
        wait("its liveness", replica.is_live, 30)
        status, reason = replica.readiness()
        require(status == 503, f"/readyz says {status}")
        for name in ("default", "ROOTCA"):
            chain, words = replica.fetch_identity(token, name)
            require(not chain and "UNAVAILABLE" in words, f"{name}: {words or 'an answer'}")
        wait("a line about the database", lambda: f"127.0.0.1:{replica.database.port}" in replica.logged(), 15)
        replica.database.restore()
        begun = time.monotonic()
        replica.wait_ready(40)
        seconds = time.monotonic() - begun
        given(world, replica, token)
        require(replica.child.stop() == 0, "it did not end well")
    return f"503 ({reason.strip()}), UNAVAILABLE, the log names the server; ready {seconds:.0f} s after"


# Disks and clocks


def fill(folder):
    """Takes what is left of a file system; the file to remove."""
    path = pathlib.Path(folder) / "filler"
    with open(path, "wb", buffering=0) as out:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while out.write(bytes(size)) == size:
                    pass
    return path


@row("disk-full", "the disks of database and journal are full", "refuse rather than leave unrecorded; recover unaided", 90)
def disk_full(world):
    require(
        world.disk and world.server.folder == world.disk, "NOT RUN: needs root and the first database: a file system is filled")
    token = world.token(world.first, "disk", "disk")
    database = fill(world.disk)
    try:
        # Until there is no room for the write-ahead log either.
        with contextlib.suppress(DatabaseAway):
            for _ in range(60):
                world.server.query("SELECT pg_logical_emit_message(true, 'chaos', repeat('x', 500000))")
            raise NotAsExpected("the write-ahead log had room for 30 MB more")
        all_unready(world, 30)
        # From memory, as in any outage.
        given(world, world.first, token)
        journal = fill(world.first.journal)
        try:
            # The last block of the journal's file may have room for a few.
            chain, few = "", -1
            while chain is not None and few < 20:
                few += 1
                chain, refusal = world.first.fetch_identity(token)
                world.serials.add_chain(chain or "")
            require("UNAVAILABLE" in refusal, f"not refused: {refusal or few}")
        finally:
            journal.unlink()
    finally:
        database.unlink()
    # Without room PostgreSQL may have ended altogether; whoever supervises it starts it.
    time.sleep(1)
    if world.server.child.status is not None:
        (world.server.data / "postmaster.pid").unlink(missing_ok=True)
        world.server.start()
    seconds = all_ready(world, 40)
    given(world, world.first, token)
    return (f"into the journal while it had room, {few} into its last block; both full: UNAVAILABLE; ready {seconds:.0f} s after "
            "there was room, every serial in the ledger")


@row("clock", "the clock of a replica is +1 h, +400 d, −1 h",
     "+: no re-issue loop, an alarm, nothing over-long; −: refuses, and recovers",
     120)
def clock(world):
    offset = world.folder / "offset"

    def step(text):
        number, unit = int(text[:-1]), text[-1]
        # By rename: it is read at any moment.
        fresh = offset.with_suffix(".next")
        fresh.write_text(f"{number * {'h': 3600, 'd': 86400}[unit]}\n")
        fresh.rename(offset)

    def count(client):
        return client.tail(100_000).count("received")

    # Of a mesh that no rotation waits for: what a clock that is ahead gave out counts as alive for as long. And so old that they
    # are good an hour ago.
    step("-2h")
    with third(world) as early:
        early.start_ready(clock=offset)
        token, later = (world.token(early, name, name, mesh="still", life="12h") for name in ("clock", "later"))
    step("+0h")
    with third(world) as replica:
        replica.start_ready(clock=offset)
        with world.client(replica, token, "hold", "default", name="holder") as holder:
            wait("its certificate", lambda: count(holder) == 1, 20)
            step("+1h")
            with world.client(replica, later, "hold", "default", name="later") as fresh:
                wait("an alarm at +1h", lambda: replica.metric("signet_clock_jumps_total") == 1, 20)
                time.sleep(6)
                hour = count(holder) - 1, count(fresh)
            require(hour[0] <= 1 and hour[1] == 1, f"{hour} certificates in 6 s at +1h")
            # Every token has ended by then, and whoever has one is let go.
            step("+400d")
            time.sleep(6)
            require(count(holder) - 1 <= 2, f"{count(holder)} certificates at +400d")
        step("-1h")
        words = denied(replica, token)
        wait("its readiness down at -1h", lambda: replica.readiness()[0] == 503, 10)
        wait("an alarm at -1h", lambda: (replica.metric("signet_clock_behind_seconds") or 0) > 3000, 20)
        step("+0h")
        # Its issuing certificates of +400 d begin in the future, and are replaced first.
        chain = wait("a certificate again", lambda: replica.fetch_identity(token)[0], 20)
        world.serials.add_chain(chain)
        replica.wait_ready(20)
        require(replica.child.stop() == 0, "it did not end well")
        # With a clock that was wrong from the start.
        step("+400d")
        replica.start_ready(clock=offset)
        token = world.token(replica, "ahead", "ahead", mesh="still")
        with world.client(replica, token, "hold", "default", name="ahead") as ahead:
            wait("a certificate at +400d", lambda: count(ahead) >= 1, 20)
            time.sleep(6)
            require(count(ahead) == 1, f"{count(ahead)} certificates in 6 s at +400d")
        step("+0h")
    longest = world.server.query(
        "SELECT max(not_after_ms - not_before_ms) FROM certificate WHERE kind = 'leaf' AND mesh = 'still'")[0][0]
    require(int(longest) <= (STILL_SECONDS + 60) * 1000, f"a leaf lives {longest} ms")
    return f"+: one certificate each, an alarm, no leaf beyond its life; -1h: {words.split(':', 1)[1].strip()[:50]}; recovered"


# Proxies


@contextlib.contextmanager
def crowd(world, wire, count, name):
    """As many proxies in the mesh `still`, through a wire; waits until each has its identity."""
    token = world.token(world.first, name, name, mesh="still")
    log = world.folder / f"{name}.log"
    child = Child(
        name, [PYTHON, pathlib.Path(__file__).with_name("crowd.py"), f"localhost:{wire.port}", world.first.certificate, token,
               count], log, stdin=subprocess.PIPE)
    try:
        wait(f"{count} identities", lambda: identities(child) >= count, 90)
        yield child
    finally:
        child.process.stdin.close()
        child.stop(signal.SIGKILL)


def identities(child):
    return child.tail(10_000_000).count("identity ")


def connected(world, mesh):
    return sum(replica.metric("signet_proxies_connected", mesh=mesh) or 0 for replica in world.replicas)


@row("cut-off", "proxies are cut off from the CA, and back",
     "they live on their leaf; who names an unexpired version gets no new one",
     60)
def cut_off(world):
    wire = Wire(world.first.sds, world.second.sds)
    with crowd(world, wire, 20, "cut-off") as child:
        wires = [wire] + [proxy.wire for proxy in world.proxies]
        for one in wires:
            one.refuse()
        wait("nobody connected", lambda: connected(world, "still") == 0, 25)
        requests = world.traffic.seen()[0]
        time.sleep(4)
        require(world.traffic.seen()[0] > requests + 20, "the Envoys do not talk while they are cut off")
        for one in wires:
            one.restore()
        wait("everybody back", lambda: connected(world, "still") >= 20, 30)
        time.sleep(2)
        more = identities(child) - 20
    require(more == 0, f"{more} of 20 that came back were given a new certificate")
    wire.refuse()
    return "20 and both Envoys back, no new certificate"


RETURNING = 150


@row("reconnect", f"{RETURNING} proxies reconnect after a restart of every replica (10,000: make bench)",
     "all back, bounded memory, no certificate re-issued", 120)
def reconnect(world):
    wire = Wire(world.first.sds, world.second.sds)
    with crowd(world, wire, RETURNING, "reconnect") as child:
        for replica in world.replicas:
            replica.child.stop(signal.SIGKILL)
        for replica in world.replicas:
            replica.start()
        begun = time.monotonic()
        all_ready(world)
        wait("everybody back", lambda: connected(world, "still") >= RETURNING, 60)
        seconds = time.monotonic() - begun
        time.sleep(2)
        more = identities(child) - RETURNING
    wire.refuse()
    require(more == 0, f"{more} of {RETURNING} that came back were given a new certificate")
    peaks = []
    for replica in world.replicas:
        status = pathlib.Path(f"/proc/{replica.child.process.pid}/status").read_text()
        peaks.append(int(status.split("VmHWM:")[1].split()[0]) // 1024)
    require(max(peaks) < 400, f"resident memory rose to {max(peaks)} MB")
    return f"all back {seconds:.0f} s after the start, no new certificate, at most {max(peaks)} MB"


@row("bad-proxies", "proxies NACK, are slow, stop reading, lie about versions",
     "they alone are affected; the gate names them",
     120)
def bad_proxies(world):
    ways = {
        "nacks": ("hold", "default", "ROOTCA", "--then", "nack"), "slow": ("mute", "default", "ROOTCA"),
        "stops": ("hold", "default", "ROOTCA"), "lies": ("hold", "default", "ROOTCA", "--version", "0123456789abcdef"),
    }
    with contextlib.ExitStack() as stack:
        clients = {}
        for name, command in ways.items():
            token = world.token(world.first, name, name)
            clients[name] = stack.enter_context(world.client(world.first, token, *command, "--node", name, name=name))
        for name, client in clients.items():
            # Who acknowledges nothing is sent nothing more.
            secrets = 1 if name == "slow" else 2
            wait(f"secrets for '{name}'", lambda: client.tail().count("received") >= secrets, 30)
        clients["stops"].send(signal.SIGSTOP)
        world.first.signet("ca", "rotate", "corp", "--manual")
        rotation = world.running()[0]["id"]

        def named():
            status, document = world.second.ask("GET", f"/rotations/{rotation}")
            require(status == 200, f"GET /rotations/{rotation}: {status}")
            return {blocker["proxy"]: blocker["reason"] for blocker in document["gate"]["blockers"]}

        expected = {"nacks": "rejected", "slow": "silent", "stops": "silent"}
        wait("the gate names them", lambda: named() == expected, 60, period=0.5)
        require(clients["lies"].status is None, "who lied about its version was cut off")
        world.second.signet("rotation", "abort", rotation)
    wait("the end of the rotation", lambda: not world.running(), 90, period=0.5)
    return "the gate: " + ", ".join(f"{name} {reason}" for name, reason in expected.items()) + "; who lied is served"


# Versions, ends, returns


@row("versions", "another schema, and a replica of the release before",
     "serve refuses a schema that it does not know, either way; with --previous, both releases serve",
     12, short=True)
def versions(world):
    version, = world.server.query("SELECT version, name, applied_at_ms FROM schema_migration ORDER BY version DESC LIMIT 1")
    with third(world) as replica:
        world.server.query(f"INSERT INTO schema_migration VALUES ({int(version[0]) + 1}, 'future', 0)")
        try:
            replica.start()
            status = replica.child.process.wait(30)
            require(status == 1 and "newer" in replica.logged(), f"too new: {replica.logged()[-300:]}")
        finally:
            world.server.query(f"DELETE FROM schema_migration WHERE version = {int(version[0]) + 1}")
        world.server.query(f"DELETE FROM schema_migration WHERE version = {version[0]}")
        try:
            replica.start()
            status = replica.child.process.wait(30)
            require(status == 1 and "signet migrate" in replica.logged(), f"too old: {replica.logged()[-300:]}")
        finally:
            world.server.query(f"INSERT INTO schema_migration VALUES ({version[0]}, '{version[1]}', {version[2]})")
    if not world.previous:
        return (f"schema {version[0]} ± 1: refused with exit code 1; NOT RUN: a replica of the release before, since no build of it "
                "was given (--previous)")
    return f"schema {version[0]} ± 1: refused with exit code 1; " + side_by_side(world)


def side_by_side(world):
    """The release before migrates and serves; this one migrates under it, and serves beside it."""
    world.server.run_program("createdb", "-h", world.server.run, "-U", "signet", "side")
    with third(world) as old, third(world) as new:
        for replica in (old, new):
            text = replica.configuration.read_text().replace("database: signet", "database: side")
            # A journal is news to a release that has none.
            lines = [line for line in text.splitlines(True) if replica is new or not line.startswith("journal")]
            replica.configuration.write_text("".join(lines))
        signet, world.signet = world.signet, world.previous
        try:
            old.signet("migrate", "--config", old.configuration)
            old.start_ready()
            mtls = "{enabledBackend: a, backends: [{name: a, type: builtin}]}"
            old.signet("apply", "-f", "-", stdin=f"type: Mesh\nname: {MESH}\nmtls: {mtls}\n")
            token = world.token(old, "side", "side")
        finally:
            world.signet = signet
        new.signet("migrate", "--config", new.configuration)
        new.start_ready()
        for replica in (old, new):
            chain, words = replica.fetch_identity(token)
            require(chain, f"{replica.name}: {words}")
            rows = world.server.query("SELECT encode(serial, 'hex') FROM certificate", "side")
            recorded = {int(serial, 16) for serial, in rows}
            require(set(serials_of(chain)[:2]) <= recorded, f"{replica.name}: its certificate is not in the ledger")
    triggers = "SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2"
    upgraded, made = (world.server.query(triggers, database) for database in ("side", "signet"))
    require(upgraded == made, f"triggers after the upgrade: {upgraded}, and of a new database: {made}")
    return "the release before served on after the migration, beside this one"


@row("sigterm", "SIGTERM under load", "exits with 0 within 30 s", 12, short=True)
def sigterm(world):
    ended, answers, halves = threading.Event(), [], []

    def ask():
        while not ended.is_set():
            try:
                answers.append(world.second.ask("GET", "/certificate-authorities")[0])
            except http.client.IncompleteRead as half:
                halves.append(half)
            except (OSError, http.client.HTTPException):
                # It accepts nobody any more.
                ended.wait(0.05)

    callers = [threading.Thread(target=ask, daemon=True) for _ in range(8)]
    for caller in callers:
        caller.start()
    wait("requests", lambda: len(answers) >= 50, 20)
    begun = time.monotonic()
    try:
        status = world.second.child.stop(seconds=30)
    finally:
        ended.set()
    seconds = time.monotonic() - begun
    for caller in callers:
        caller.join(20)
    require(status == 0, f"it ended with {status}")
    require(not halves and set(answers) == {200}, f"{len(halves)} half answers, and statuses {sorted(set(answers))}")
    world.traffic.wait_for(20)
    world.second.start_ready()
    return f"{len(answers)} requests answered whole; ended with 0 after {seconds:.1f} s"


# Failover and restore


@row("failover", "a standby takes over, and the old primary is still reachable",
     "fenced: what a replica at the old one is told is refused; all go on at the new one by themselves",
     120)
def failover(world):
    old, new = world.server, world.new_server()
    new.copy(old)
    new.start()
    old.query("ALTER SYSTEM SET synchronous_standby_names = '*'")
    old.query("SELECT pg_reload_conf()")
    wait("a synchronous standby", lambda: old.query("SELECT sync_state FROM pg_stat_replication") == [["sync"]], 20)
    world.second.signet("ca", "rotate", "corp")
    new.promote()
    world.server = new
    world.lead_to(new, world.second)
    # The first is still at the old primary, which cannot commit alone.
    stale = refused(world.first, "stale")
    world.lead_to(new, world.first)
    seconds = all_ready(world)
    laws.watch(world, "the end of the rotation", lambda: not world.running(), 90)
    taken(world.second, "fresh")
    # Now one that commits alone, and has missed something.
    old.query("ALTER SYSTEM SET synchronous_standby_names = ''")
    old.query("SELECT pg_reload_conf()")
    world.lead_to(old, world.first)
    wait("the first's readiness down at the old primary", lambda: world.first.readiness()[0] == 503, 25)
    fenced = refused(world.first, "fenced")
    # The server on whose timeline it saw the rest ends the doubt.
    world.lead_to(new, world.first)
    world.first.wait_ready(25)
    names = {name for name, in new.query("SELECT name FROM mesh")}
    require("stale" not in names and "fenced" not in names, "a refused change stands in the database")
    old.stop()
    return f"at the old one: {stale[:50]}, {fenced[:50]}; ready {seconds:.0f} s after, the rotation completed"


@row("lost-transaction", "failover to a standby that lacks the last transactions",
     "detected: rotations and changes halt with an alarm until an operator confirms; no certificate of the last minute is lost",
     90)
def lost_transaction(world):
    old, new = world.server, world.new_server()
    new.copy(old)
    new.start()
    new.stop()
    taken(world.first, "lost")
    given(world, world.first, world.token(world.first, "loser", "loser"))
    wait("the second to follow", lambda: world.second.ask("GET", "/meshes/lost")[0] == 200, 20)
    recorded = last_recorded(world)
    old.kill()
    new.start()
    new.promote()
    world.server = new
    world.lead_to(new)
    return until_confirmed(world, "lost", recorded, is_complete=True)


@row("lost-certificates", "failover to a standby that lacks the last certificates, and no transaction",
     "no doubt, for none shows; they are written again by whoever issued them, each once",
     90)
def lost_certificates(world):
    tokens = [world.token(replica, f"late-{replica.name}", "late") for replica in world.replicas]
    old, new = world.server, world.new_server()
    new.copy(old)
    new.start()
    new.stop()
    for replica, token in zip(world.replicas, tokens):
        given(world, replica, token)
    recorded = last_recorded(world)
    old.kill()
    new.start()
    new.promote()
    missing = len(recorded - laws.recorded(new))
    require(missing, "the standby has them all: nothing is shown")
    world.server = new
    world.lead_to(new)
    for replica in world.replicas:
        replica.database.restore()
    seconds = all_ready(world)
    require(all(replica.metric("signet_ledger_doubtful") == 0 for replica in world.replicas), "a replica is in doubt")
    wait("all certificates", lambda: not recorded - laws.recorded(new), 20)
    return f"{missing} of {len(recorded)} were missing, and none is; ready {seconds:.0f} s after"


@row("restored-backup", "an old backup is restored, and a replica restarts on it",
     "detected by all, also across a restart; read-only until an operator confirms",
     90)
def restored_backup(world):
    old, backup = world.server, world.new_server()
    backup.copy(old, standby=False)
    taken(world.second, "after-backup")
    given(world, world.second, world.token(world.second, "late", "late"))
    wait("the first to follow", lambda: world.first.ask("GET", "/meshes/after-backup")[0] == 200, 20)
    # Until what it has seen is on its disk.
    time.sleep(3)
    world.first.child.stop(signal.SIGKILL)
    recorded = last_recorded(world)
    old.kill()
    backup.start()
    world.server = backup
    world.lead_to(backup)
    world.first.start()
    return until_confirmed(world, "after-backup", recorded)


@row("restore-drill", "a dump is restored elsewhere, as a drill",
     "every sealed row opens, the audit trail verifies, the service there is ready with the same CAs", 60)
def restore_drill(world):
    source, copy = world.server, world.new_server()
    dump = source.run / "signet.dump"
    source.run_program("pg_dump", "-h", source.run, "-U", "signet", "--format", "custom", "--file", dump, "signet")
    copy.make()
    copy.run_program("pg_restore", "-h", copy.run, "-U", "signet", "--exit-on-error", "--dbname", "signet", dump)
    with third(world) as replica:
        replica.database.lead(copy.socket)
        replica.signet("keys", "status", "--config", replica.configuration)
        replica.start_ready()
        replica.signet("audit", "verify")
        here, there = (one.signet("get", "cas", "-o", "json") for one in (world.first, replica))
        require(here == there, f"other CAs: {here[:200]} and {there[:200]}")
        require(replica.child.stop() == 0, "it did not end well")
    copy.stop()
    return "opened, verified, ready, the same CAs"


def last_recorded(world):
    """The serials of the old database, read when no replica reaches it any more: nothing comes between this and its end."""
    for replica in world.replicas:
        replica.database.refuse()
    return laws.recorded(world.server)


def until_confirmed(world, name, recorded, is_complete=False):
    """`is_complete`: the replicas ran all along, and write again what the database lost of theirs."""
    for replica in world.replicas:
        replica.database.restore()

    def doubtful():
        return all("signet ledger confirm" in replica.readiness()[1] for replica in world.replicas)
    wait("every replica's doubt", doubtful, 40)
    reason = all_unready(world)
    wait("the alarm", lambda: all(replica.metric("signet_ledger_doubtful") == 1 for replica in world.replicas), 15)
    words = [refused(replica, f"{name}-again") for replica in world.replicas]
    status, _ = world.second.ask("POST", "/certificate-authorities/corp/rotations")
    require(status not in (200, 201), "a rotation was started")
    time.sleep(3)
    require(doubtful(), "a replica went on by itself")
    confirm(world)
    seconds = all_ready(world)
    if is_complete:
        wait("all certificates", lambda: not recorded - laws.recorded(world.server), 20)
    lost = forget_lost(world, recorded)
    taken(world.second, f"{name}-again")
    return f"unready ({reason}); refused: {words[0][:60]}; ready {seconds:.0f} s after the confirmation, {lost} certificates lost"


# Last, since they take longest.

for _action in PHASES:
    for _moment in ("before", "after"):
        ROWS.append(Row(
            f"kill-{_moment}-{_action.removeprefix('rotation-')}", f"kill -9 of the driver {_moment} the commit of {_action}",
            "resumes by itself; each phase once; the order again changes nothing",
            functools.partial(kill_driver, moment=_moment, action=_action),
            90, False))
