"""All measurements of Signet's performance in one run, and one table of goals and figures.

Builds nothing: `make bench` does, then calls this. Each part is a program that prints JSON; it is bounded in time, and so is the
whole. A part that fails costs its rows, never the table. A whole run writes the table into docs/performance.md; a quick one does
not.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time

from goals import replaced, table
from plan import planning
from rows import rows
from service import ROOT, wait_until

DOCUMENT = ROOT / "docs" / "performance.md"
# What the whole may take; a part that comes too late for it is not begun.
LIMIT = 30 * 60


class Part:
    """A program of the run, and the most seconds that it may take."""

    def __init__(self, name, limit, *arguments):
        self.name, self.limit, self.arguments = name, limit, [str(argument) for argument in arguments]

    def run(self, seconds):
        """What it printed, one JSON object a line, or why there is nothing."""
        if seconds < 10:
            return {"failed": "no time was left for it"}
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as complaints:
            try:
                process = started(self.arguments, stdout=out, stderr=complaints)
            except OSError as error:
                return {"failed": f"{self.arguments[0]} cannot be started: {error.strerror}"}
            try:
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                ended(process)
                return {"failed": f"it was not done after {seconds:.0f} s"}
            except BaseException:
                ended(process)
                raise
            out.seek(0)
            complaints.seek(0)
            return parsed(code, out.read(), complaints.read())


def started(arguments, **streams):
    """In a session of its own, so that all that it starts can be ended with it."""
    return subprocess.Popen(arguments, stdin=subprocess.DEVNULL, start_new_session=True, cwd=ROOT, **streams)


def parsed(code, out, complaints):
    if code:
        said = (complaints.strip() or out.strip()).splitlines()
        return {"failed": f"it ended with {code}" + (f": {said[-1]}" if said else "")}
    lines = []
    for line in out.splitlines():
        # Beside its figures a part may say what people read.
        if line.startswith("{"):
            try:
                lines.append(json.loads(line))
            except ValueError:
                return {"failed": f"it printed what is no JSON: {line[:200]}"}
    return {"lines": lines} if lines else {"failed": "it printed no figures"}


def ended(process):
    """Ends a part and whatever it left: asked first, so that it can stop its own servers."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait(10)


def parts(binaries, quick):
    """In the order of the run: what tells most first, in case that something takes longer than it should."""
    here, python = ROOT / "Benchmarks", sys.executable
    seconds, sizes = (5, ["200", "1000"]) if quick else (60, ["1000", "10000"])
    ledger = [binaries / "ledger-benchmark", "--json", "--for"]
    result = [
        Part("issuance", 180, binaries / "issuance-benchmark", "--json"),
        Part("ledger", 240, *ledger, seconds),
        Part("storm", 600, python, here / "storm.py", "--json", "--binaries", binaries, *sizes),
        Part("peers", 360, python, here / "peers.py", "--json", "--binaries", binaries,
             *(["--rounds", "1", "--slice", "1"] if quick else [])),
        Part("idle", 480, python, here / "idle.py", "--json", "--binaries", binaries, "--few", sizes[0], "--many", sizes[1],
             "--for", 15 if quick else 60),
        Part("meshes", 420, *ledger, 5 if quick else 30, "--meshes", 1000),
        Part("rows", 900, *ledger, 5 if quick else 30, "--rows", 100_000 if quick else 20_000_000),
    ]
    return result


def machine():
    """What the figures depend on."""
    cpu = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    memory = int(re.search(r"^MemTotal:\s*(\d+) kB", pathlib.Path("/proc/meminfo").read_text(), re.M)[1])
    postgres = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return (
        f"{os.cpu_count()} cores, {cpu[1] if cpu else platform.machine()}, {memory / 2**20:.0f} GiB, "
        f"Linux {platform.release()}, {said('swift', '--version', pattern='Swift version ([^ ]+)', name='Swift')}, "
        f"{said('openssl', 'version', pattern='OpenSSL ([^ ]+)', name='OpenSSL')}, "
        + said(*([postgres[-1]] if postgres else ["postgres"]), "--version", pattern=r"([\d.]+)", name="PostgreSQL"))


def said(*command, pattern, name):
    try:
        answer = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60)
        return f"{name} {re.search(pattern, answer.stdout + answer.stderr)[1]}"
    except (OSError, subprocess.TimeoutExpired, TypeError):
        return f"{name} unknown"


def written(document, results, heading):
    """The document with this run's table and plan in it, and every other word as it was."""
    text = f"{heading}\n\n{table(rows(results))}"
    return replaced(replaced(document, "table", text), "plan", planning(results))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / ".build" / "release")
    parser.add_argument("--quick", action="store_true", help="short, with 1,000 proxies; writes no file")
    parser.add_argument("--only", action="append", default=[], metavar="PART", help="for a look at one part; writes no file")
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / ".build" / "bench.json",
                        help="where all that the parts printed is kept")
    options = parser.parse_args()
    known = parts(options.binaries.resolve(), options.quick)
    if unknown := set(options.only) - {part.name for part in known}:
        parser.error(f"there is no part {', '.join(sorted(unknown))}: {', '.join(part.name for part in known)}")
    is_whole = not options.quick and not options.only
    # Its markers must be there before half an hour is spent.
    if is_whole:
        written(DOCUMENT.read_text(), {}, "")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: ended by SIGTERM"))
    started, results = time.monotonic(), {}
    for part in known:
        if options.only and part.name not in options.only:
            continue
        begun = time.monotonic()
        print(f"bench: {part.name} …", file=sys.stderr, end="", flush=True)
        results[part.name] = part.run(min(part.limit, LIMIT - (begun - started)))
        print(f" {time.monotonic() - begun:.0f} s {results[part.name].get('failed', '')}", file=sys.stderr, flush=True)
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(results, indent=1))
    when = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    took = (time.monotonic() - started) / 60
    command = "make bench" if is_whole else "Benchmarks/bench.py" + " --quick" * options.quick
    heading = f"`{command}`, {when}, {took:.0f} minutes, on {machine()}."
    if is_whole:
        # Read again: somebody may have written in it meanwhile.
        DOCUMENT.write_text(written(DOCUMENT.read_text(), results, heading))
    elif options.quick:
        heading += " A quick look, with few proxies, rows and seconds: the goals are for a whole run."
    print(f"{heading}\n\n{table(rows(results))}")
    if is_whole:
        print(f"kept in {DOCUMENT.relative_to(ROOT)}")
    sys.exit(1 if any("failed" in result for result in results.values()) else 0)


if __name__ == "__main__":
    main()
