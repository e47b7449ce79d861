"""Fails if SECURITY.md names a test that is not there."""

import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
named = re.findall(r"^ +- (\w+Tests)/([^/\n]+)/(.+)$", (root / "SECURITY.md").read_text(), re.M)
missing = []
for target, suite, test in named:
    sources = [path.read_text() for path in (root / "Tests" / target).rglob("*.swift")]
    has_suite = any(re.search(rf"struct `?{re.escape(suite)}`?[ :{{]", source) for source in sources)
    if not has_suite or not any(f"func `{test}`(" in source for source in sources):
        missing.append(f"{target}/{suite}/{test}")
for name in missing:
    print(f"SECURITY.md: there is no test {name}", file=sys.stderr)
if not named:
    sys.exit("SECURITY.md names no test")
sys.exit(1 if missing else 0)
