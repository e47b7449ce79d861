"""Fails where what a target imports and what Package.swift declares for it differ, in either direction.

The compiler's own check (--explicit-target-dependency-import-check) does not look at test targets, and nothing but this
finds a dependency that is declared and no longer used.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent
# What comes with the compiler.
toolchain = {"Dispatch", "Foundation", "FoundationEssentials", "Glibc", "PackageDescription", "Synchronization", "Testing"}
import_line = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?"
    r"import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias|actor)\s+)?(\w+)",
    re.M,
)
# Its content may be a program in another language.
long_string = re.compile(r'(#*)""".*?"""\1', re.S)


def folder(target):
    if "path" in target:
        return root / target["path"]
    return root / ("Tests" if target["type"] == "test" else "Sources") / target["name"]


def sources(target):
    base = folder(target)
    chosen = [base / name for name in target.get("sources", ["."])]
    left_out = [base / name for name in target["exclude"]]
    for path in chosen:
        for file in sorted(path.rglob("*.swift")) if path.is_dir() else [path]:
            if not any(file.is_relative_to(out) for out in left_out):
                yield file


def declared(target):
    """The modules that the target names; each product of this package's dependencies is named as its module is."""
    return {dependency[kind][0] for dependency in target["dependencies"] for kind in dependency}


# The whole package, whatever part of it the caller's environment chooses.
dump = subprocess.run(
    ["swift", "package", "dump-package"], cwd=root, stdout=subprocess.PIPE, check=True,
    env={name: value for name, value in os.environ.items() if name != "SIGNET_TESTS"},
)
targets = json.loads(dump.stdout)["targets"]
# A test may depend on a program in order to run it.
programs = {target["name"] for target in targets if target["type"] == "executable"}
problems = []
for target in targets:
    if target["type"] == "system":
        continue
    imported = {}
    for file in sources(target):
        for module in import_line.findall(long_string.sub('""', file.read_text())):
            imported.setdefault(module, file.relative_to(root))
    if not imported and not list(sources(target)):
        problems.append(f"{target['name']}: there is no source file in {folder(target).relative_to(root)}")
    for module in sorted(imported.keys() - declared(target) - toolchain - {target["name"]}):
        problems.append(f"{target['name']}: {imported[module]} imports {module}, which Package.swift does not declare for it")
    for module in sorted(declared(target) - imported.keys() - (programs if target["type"] == "test" else set())):
        problems.append(f"{target['name']}: Package.swift declares {module} for it, and nothing there imports it")
for problem in problems:
    print(problem, file=sys.stderr)
sys.exit(1 if problems else 0)
