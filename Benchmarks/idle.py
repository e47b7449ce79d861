"""What the database is asked while proxies sit idle: statements, transactions and rows written in a minute, by few and by many.

The proxies are signet-load's, each connected, served and silent. PostgreSQL logs every statement of that minute, so that each is
counted by its text; its own counters of transactions and written rows stand beside. Bounded: at most 20,000 proxies, loopback.
"""

import argparse
import json
import pathlib
import re
import resource
import signal
import sys
import time

from load import Load
from service import ROOT, Failed, Service, connections, cpu_seconds, resident_kilobytes

# The last certificates' records and reports have been written, and the counters of PostgreSQL's backends published: an idle
# backend does so after ten seconds at the latest.
SETTLE = 15
STATEMENT = re.compile(r"\bLOG:  (?:execute [^:]*|statement): (.*)", re.S)
COUNTERS = """
    SELECT xact_commit, tup_inserted + tup_updated + tup_deleted FROM pg_stat_database WHERE datname = 'signet'
"""


def statements(log):
    """The statements in PostgreSQL's log, each on one line without its spaces and numbers, with how often it was run."""
    counts = {}
    # What a statement's own lines continue starts with a tab.
    for entry in re.split(r"\n(?!\t)", log):
        if found := STATEMENT.search(entry):
            text = re.sub(r"\b\d+\b", "N", " ".join(found[1].split()))
            counts[text] = counts.get(text, 0) + 1
    return counts


def of_service(counts):
    """Without what this measurement asks itself, and without the brackets of transactions."""
    return {
        text: count for text, count in counts.items()
        if "pg_stat_database" not in text and "ALTER SYSTEM" not in text and "pg_reload_conf" not in text
        and text.upper().rstrip(";") not in ("BEGIN", "COMMIT", "ROLLBACK")}


class Minute:
    """One measured minute (or less) of a service with so many idle proxies."""

    def __init__(self, service, seconds):
        log = service.data / "postgres" / "log"
        service.query("ALTER SYSTEM SET log_statement = 'all'")
        service.query("SELECT pg_reload_conf()")
        time.sleep(1)
        offset = log.stat().st_size
        before = [int(value) for value in service.query(COUNTERS)[0]]
        cpu, database = cpu_seconds(service.pid), service.database_cpu_seconds()
        started = time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - started
        cpu, database = cpu_seconds(service.pid) - cpu, service.database_cpu_seconds() - database
        after = [int(value) for value in service.query(COUNTERS)[0]]
        with open(log, "rb") as file:
            file.seek(offset)
            counts = of_service(statements(file.read().decode(errors="replace")))
        service.query("ALTER SYSTEM RESET log_statement")
        service.query("SELECT pg_reload_conf()")
        scale = 60 / took
        self.statements = {text: count * scale for text, count in sorted(counts.items(), key=lambda item: -item[1])}
        self.queries = sum(self.statements.values())
        self.transactions, self.rows = ((last - first) * scale for last, first in zip(after, before))
        self.service_cpu, self.database_cpu = cpu * scale, database * scale


def measure(binaries, proxies, seconds):
    with Service(binaries, connections(max(16_000, proxies))) as service:
        with Load(service, proxies, service.token("idle"), mtls=False) as load:
            load.wait("served", 240)
            time.sleep(SETTLE)
            minute = Minute(service, seconds)
            connected = int(service.metric("signet_proxies_connected"))
            if connected != proxies:
                raise Failed(f"{connected} of {proxies} proxies are connected")
            return {
                "proxies": proxies, "queries": minute.queries, "transactions": minute.transactions, "rows": minute.rows,
                "serviceCPU": minute.service_cpu, "databaseCPU": minute.database_cpu,
                "residentKB": resident_kilobytes(service.pid),
                # The service's alone: the measurement's own psql is not among them.
                "connections": int(service.query(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = 'signet' AND pid <> pg_backend_pid()")[0][0]),
                "statements": minute.statements}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / ".build" / "release")
    parser.add_argument("--few", type=int, default=1000)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--for", dest="seconds", type=float, default=60, help="seconds of each")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not 1 <= options.few <= options.many <= 20_000 or not 5 <= options.seconds <= 600:
        parser.error("1 <= few <= many <= 20000 proxies, 5 to 600 seconds")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("idle: ended by SIGTERM"))
    try:
        few, many = (measure(options.binaries, proxies, options.seconds) for proxies in (options.few, options.many))
    except Failed as failure:
        sys.exit(f"idle: {failure}")
    if options.json:
        print(json.dumps({"part": "idle", "seconds": options.seconds, "few": few, "many": many}))
        return
    heads = ("statements", "transactions", "rows written", "service CPU", "database CPU")
    print(f"{'a minute of':>14}" + "".join(f" {head:>13}" for head in heads))
    for one in (few, many):
        print(
            f"{one['proxies']:>6} proxies {one['queries']:>13.0f} {one['transactions']:>13.0f} {one['rows']:>13.0f} "
            f"{one['serviceCPU']:>11.2f} s {one['databaseCPU']:>11.2f} s")
    print("\nwith the many, a minute:")
    for text, count in many["statements"].items():
        print(f"{count:>8.1f}  {text[:110]}")


if __name__ == "__main__":
    main()
