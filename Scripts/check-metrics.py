"""Fails if a series has no alarm in docs/operations.md or no help text, or if a page names one that nothing makes."""

import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
sources = {path: path.read_text() for path in (root / "Sources").rglob("*.swift")}
made = {name for text in sources.values() for name in re.findall(r'label:\s*"(signet_\w+)"', text)}
helped = set(re.findall(r'"(signet_\w+)":', (root / "Sources/signet/Service/MetricsHelp.swift").read_text()))
operations = (root / "docs/operations.md").read_text()
# A row of the table: the series, when to alarm, what it means, what to do.
alarmed = set(re.findall(r"^\| `(signet_\w+)(?:\{[\w,]+\})?` \|(?:[^|\n]*[^|\s][^|\n]*\|){3}$", operations, re.M))

problems = [f"docs/operations.md: no alarm for {name}" for name in sorted(made - alarmed)]
problems += [f"MetricsHelp.swift: no text for {name}" for name in sorted(made - helped)]
problems += [f"MetricsHelp.swift: nothing makes {name}" for name in sorted(helped - made)]
for page in sorted([*(root / "docs").glob("*.md"), root / "README.md", root / "SECURITY.md"]):
    for name in sorted(set(re.findall(r"\bsignet_\w+", page.read_text()))):
        # The cluster of Envoy's bootstrap is called so, too.
        if re.sub(r"_(bucket|sum|count)$", "", name) not in made | {"signet_sds"}:
            problems.append(f"{page.relative_to(root)}: nothing makes {name}")
for problem in problems:
    print(problem, file=sys.stderr)
if not made:
    sys.exit("the sources make no series: is this the right folder?")
sys.exit(1 if problems else 0)
