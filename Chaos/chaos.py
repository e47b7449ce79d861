#!/usr/bin/env python3
"""Does to real processes what must not harm them, one fault after another, and says what came of it.

    chaos.py                     every row; at most 20 minutes
    chaos.py --short             the rows that take seconds; at most 180 s
    chaos.py --rows a,b          these
    chaos.py --list              which there are

PostgreSQL with a standby, replicas of `signet serve` (a debug build: failpoints exist only there), and two Envoys of one mesh
that call each other throughout, each request a handshake of its own. After each row every law is held against the database, the
replicas and the Envoys. A row is as expected if its fault was met as the table says, no request between the proxies failed, and
no law is broken; else it says NOT AS EXPECTED and what was seen. The exit code is 0 only if every row is as expected.
"""

import argparse
import os
import pathlib
import signal
import sys
import textwrap
import time
import traceback

import faults
import laws
from world import ENVOY, PYTHON, ROOT, NotAsExpected, World

LIMIT_SECONDS = 20 * 60
SHORT_SECONDS = 180


class Result:
    """What came of one row."""

    def __init__(self, row):
        self.row, self.seen, self.failed, self.requests, self.laws, self.seconds = row, "", 0, 0, "not checked", 0.0
        self.is_expected = False


def run_row(row, world):
    result, begun = Result(row), time.monotonic()
    requests, failed = world.traffic.seen()
    problems = []
    try:
        result.seen = row.run(world)
    except NotAsExpected as difference:
        problems.append(str(difference))
    except Exception as failure:
        problems.append(f"{type(failure).__name__}: {failure}")
        traceback.print_exc(file=sys.stderr)
    try:
        world.mend(failed=bool(problems))
        world.wait_at_rest()
        # Requests of the time after the fault count, too.
        world.traffic.wait_for(20)
        broken = laws.broken(world)
        problems += broken
        result.laws = f"{laws.COUNT - len(broken)} of {laws.COUNT}"
    except Exception as failure:
        problems.append(f"then {failure}")
        result.laws = "unknown"
    after, failed_after = world.traffic.seen()
    result.requests, result.failed = after - requests, failed_after - failed
    if result.failed:
        problems.append(f"{result.failed} requests failed, such as {world.traffic.failures[failed]}")
    result.seconds = time.monotonic() - begun
    result.is_expected = not problems
    if problems:
        result.seen = "NOT AS EXPECTED: " + "; ".join(problems)
    return result


WIDTHS = {"row": 16, "fault": 30, "expected": 36, "seen": 44, "failed": 11, "laws": 9, "s": 4}


def table_line(cells):
    """One row of the table, its cells wrapped."""
    columns = [textwrap.wrap(cell, width) or [""] for cell, width in zip(cells, WIDTHS.values())]
    height = max(len(lines) for lines in columns)
    return "\n".join(
        " | ".join((lines[number] if number < len(lines) else "").ljust(width)
                   for lines, width in zip(columns, WIDTHS.values())).rstrip() for number in range(height))


def line_of(result):
    return table_line([
        result.row.name, result.row.fault, result.row.expected, result.seen, f"{result.failed} of {result.requests}", result.laws,
        f"{result.seconds:.0f}"])


def total(results, unrun, seconds):
    """The last line, and whether everything is as expected."""
    expected = sum(result.is_expected for result in results)
    failed, requests = sum(result.failed for result in results), sum(result.requests for result in results)
    is_good = bool(results) and expected == len(results) and not unrun
    text = (f"{'AS EXPECTED' if is_good else 'NOT AS EXPECTED'}: {expected} of {len(results) + len(unrun)} rows as expected, "
            f"{failed} of {requests} requests failed, {seconds:.0f} s")
    if unrun:
        text += f"; no time was left for {', '.join(row.name for row in unrun)}"
    return text, is_good


def chosen(options):
    if options.rows:
        known = {row.name: row for row in faults.ROWS}
        names = options.rows.split(",")
        if unknown := [name for name in names if name not in known]:
            sys.exit(f"chaos: there is no row {', '.join(unknown)}: --list shows them")
        return [known[name] for name in names]
    return [row for row in faults.ROWS if row.is_short or not options.short]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="the rows that take seconds")
    parser.add_argument("--rows", help="these alone, with commas between them")
    parser.add_argument("--list", action="store_true", help="the rows, and nothing else")
    parser.add_argument("--signet", type=pathlib.Path, default=ROOT / ".build/debug/signet", help="a debug build")
    parser.add_argument("--previous", type=pathlib.Path, help="a build of the release before, to run beside this one")
    parser.add_argument("--pooler", action="store_true", help="replicas reach PostgreSQL through PgBouncer in transaction mode")
    options = parser.parse_args()
    if options.list:
        for row in faults.ROWS:
            print(f"{row.name:24} {'short ' if row.is_short else '      '} {row.fault}")
        return 0
    rows = chosen(options)
    for needed in (options.signet, ENVOY, PYTHON):
        if not os.access(needed, os.X_OK):
            sys.exit(f"chaos: {needed} is missing: run `make chaos`")
    # Mounts of ours are nobody else's, and end with us.
    if os.geteuid() == 0 and not os.environ.get("CHAOS_MOUNTS"):
        os.environ["CHAOS_MOUNTS"] = "own"
        os.execvp("unshare", ["unshare", "--mount", "--", sys.executable, "-B", *sys.argv])
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(130))
    begun = time.monotonic()
    limit = SHORT_SECONDS if options.short else LIMIT_SECONDS

    def late(*_):
        print(f"NOT AS EXPECTED: not done after {limit} s", flush=True)
        sys.exit(1)
    signal.signal(signal.SIGALRM, late)
    signal.alarm(limit)
    results, unrun = [], []
    with World(options.signet.resolve(), options.previous and options.previous.resolve(), options.pooler) as world:
        print(f"chaos: two replicas, PostgreSQL and two Envoys are up after {time.monotonic() - begun:.0f} s\n", flush=True)
        print(table_line(WIDTHS) + "\n" + "-+-".join("-" * width for width in WIDTHS.values()), flush=True)
        for row in rows:
            if time.monotonic() - begun + row.seconds > limit:
                unrun.append(row)
                continue
            result = run_row(row, world)
            results.append(result)
            print(line_of(result) + "\n" + "-+-".join("-" * width for width in WIDTHS.values()), flush=True)
            if not result.is_expected:
                for replica in world.replicas:
                    print(f"---- {replica.log.name}\n{replica.child.tail(2000)}", file=sys.stderr, flush=True)
    signal.alarm(0)
    text, is_good = total(results, unrun, time.monotonic() - begun)
    print(text, flush=True)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
