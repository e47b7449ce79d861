"""Fails if the unit file exposes more than docs/operations.md says, or if systemd does not understand a line of it.

Needs systemd-analyze, and says so where there is none: it is no part of what the service needs.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parent.parent
unit = root / "packaging/signet.service"
quoted = re.search(r"overall exposure level ([\d.]+)", (root / "docs/operations.md").read_text())
if not quoted:
    sys.exit("docs/operations.md: the exposure level of packaging/signet.service is not quoted")
if not shutil.which("systemd-analyze"):
    print("check-unit: there is no systemd-analyze here, so packaging/signet.service is not looked at")
    sys.exit(0)


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, timeout=60)


answer = analyze("security", "--offline=true", "--no-pager", unit)
found = re.search(r"Overall exposure level for signet\.service: ([\d.]+)", answer.stdout)
if not found:
    sys.exit(f"systemd-analyze security: {answer.stderr.strip() or answer.stdout[-500:]}")
if float(found[1]) > float(quoted[1]):
    sys.exit(f"packaging/signet.service has the exposure level {found[1]}, and docs/operations.md says {quoted[1]}")
with tempfile.TemporaryDirectory() as folder:
    # The program need not be installed here.
    copy = pathlib.Path(folder) / unit.name
    copy.write_text(unit.read_text().replace("/usr/bin/signet", shutil.which("true")))
    verdict = analyze("verify", "--man=no", copy)
if verdict.returncode or unit.name in verdict.stderr:
    sys.exit(f"systemd-analyze verify: {verdict.stderr.strip()}")
