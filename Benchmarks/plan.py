"""The arithmetic of planning, from what one run measured: what a core and a gigabyte carry, and what a fleet of proxies needs.

Pure. A figure that the run did not give leaves a dash, and so does all that follows from it.
"""

import math

DAY = 86_400
LEAF_LIFE = DAY
# A leaf is renewed at a random point between half and four fifths of its life.
RENEWED_AT = 0.65
# Days that a row stays after its certificate ended: the default of ledger.retention.
RETENTION = 90
# What a replica is given here: below the usual 20,000 descriptors, and few enough that the rest takes over when one is gone.
PROXIES_OF_REPLICA = 15_000
# Connections of a replica: postgres.poolSize and the one that listens.
CONNECTIONS = 8 + 1


class Measured:
    """The figures that planning needs; each is None where the run has none."""

    def __init__(self, results):
        self.results = results
        self.kilobytes = self.found("storm", lambda line: line.get("row") == 4, "mtlsKilobytes")
        resident = self.found("storm", lambda line: line.get("row") == 4, "residentMegabytes") or {}
        few = self.found("storm", lambda line: line.get("row") == 4, "few")
        # What the few had, without what was found for each.
        self.base = computed(
            lambda megabytes, few, each: megabytes - few * each / 1024, resident.get("mtls", {}).get("few"), few, self.kilobytes)
        self.reissue = self.found("storm", lambda line: line.get("row") == 3, "serviceMicroseconds")
        self.reissue_database = self.found("storm", lambda line: line.get("row") == 3, "databaseMicroseconds")
        self.admission = self.found("storm", lambda line: line.get("row") == 5, "serviceMicroseconds")
        self.row_bytes = self.found("peers", lambda line: line.get("part") == "peers", "rowBytes")
        many = self.found("idle", lambda line: line.get("part") == "idle", "many") or {}
        self.queries = many.get("queries")
        few = self.found("idle", lambda line: line.get("part") == "idle", "few") or {}
        self.idle_cpu = computed(self.marginal, *(one.get(key) for one in (few, many) for key in ("serviceCPU", "proxies")))

    def found(self, part, wanted, key):
        values = [line[key] for line in self.results.get(part, {}).get("lines", []) if wanted(line) and key in line]
        return values[-1] if values else None

    @staticmethod
    def marginal(few_cpu, few, many_cpu, many):
        """Microseconds a second of each more proxy; a minute's noise may hide them."""
        return (many_cpu - few_cpu) / (many - few) / 60 * 1e6 if many > few and many_cpu > few_cpu else None


def computed(formula, *values):
    return None if any(value is None for value in values) else formula(*values)


def shown(value, unit=""):
    if value is None:
        return "–"
    if value >= 100 or value == int(value):
        text = f"{value:,.0f}"
    else:
        text = f"{value:.3g}"
    return f"{text} {unit}".strip()


def planning(results):
    """Markdown: the figures that the arithmetic stands on, and the arithmetic for three sizes."""
    own = Measured(results)
    both = computed(lambda service, database: service + database, own.reissue, own.reissue_database)
    facts = [
        ("memory for each connected proxy", shown(own.kilobytes, "KB"), "a GiB carries "
         + shown(computed(lambda kilobytes: 2**20 / kilobytes, own.kilobytes), "proxies")),
        ("memory of a replica without proxies", shown(own.base, "MB"), ""),
        ("CPU of the service for one re-issue, pushed and acknowledged", shown(own.reissue, "µs"), "a core re-issues "
         + shown(computed(lambda micro: 1e6 / micro, own.reissue), "a second")),
        ("CPU of PostgreSQL for one re-issue", shown(own.reissue_database, "µs"), "a core records "
         + shown(computed(lambda micro: 1e6 / micro, own.reissue_database), "a second")),
        ("CPU of the service to take back a proxy that reconnects", shown(own.admission, "µs"), "a core takes back "
         + shown(computed(lambda micro: 1e6 / micro, own.admission), "a second")),
        ("CPU of the service for each more idle proxy", shown(own.idle_cpu, "µs a second"), "a core would hold "
         + shown(computed(lambda micro: 1e6 / micro, own.idle_cpu), "idle proxies")),
        ("a row of the ledger on disk, indexes and all", shown(own.row_bytes, "bytes"), ""),
        ("statements of an idle replica", shown(own.queries, "a minute"), "whatever the number of its proxies"),
    ]
    text = "| measured | | so |\n|---|---|---|\n"
    text += "".join(f"| {what} | {figure} | {so} |\n" for what, figure, so in facts)
    sizes = (10_000, 100_000, 1_000_000)
    per_day = {size: size * DAY / (LEAF_LIFE * RENEWED_AT) for size in sizes}
    # One more than is needed, so that one may be gone.
    replicas = {size: math.ceil(size / PROXIES_OF_REPLICA) + 1 for size in sizes}
    lines = [
        ("renewals a second, on average", lambda n: shown(per_day[n] / DAY)),
        ("CPU for these, service and PostgreSQL", lambda n: shown(
            computed(lambda micro: per_day[n] / DAY * micro / 1e4, both), "% of a core")),
        (f"replicas of {PROXIES_OF_REPLICA:,} proxies, and one more", lambda n: shown(replicas[n])),
        ("memory, all replicas", lambda n: shown(
            computed(lambda kb, base: n * kb / 2**20 + replicas[n] * base / 1024, own.kilobytes, own.base), "GiB")),
        ("connections to PostgreSQL", lambda n: shown(replicas[n] * CONNECTIONS)),
        ("statements a second while all is idle", lambda n: shown(
            computed(lambda queries: replicas[n] * queries / 60, own.queries))),
        ("rows a day", lambda n: shown(per_day[n])),
        (f"disk for the ledger: {RETENTION} days and a leaf's life", lambda n: shown(
            computed(lambda size: per_day[n] * (RETENTION + LEAF_LIFE / DAY) * size / 1e9, own.row_bytes), "GB")),
        ("everything re-issued at once: CPU of the replicas", lambda n: shown(
            computed(lambda micro: n * micro / 1e6, own.reissue), "core seconds")),
        ("and of PostgreSQL", lambda n: shown(computed(lambda micro: n * micro / 1e6, own.reissue_database), "core seconds")),
        ("one replica's proxies come back: CPU", lambda n: shown(
            computed(lambda micro: min(n, PROXIES_OF_REPLICA) * micro / 1e6, own.admission), "core seconds")),
    ]
    text += "\n| for proxies | " + " | ".join(f"{size:,}" for size in sizes) + " |\n|---|---|---|---|\n"
    text += "".join(f"| {what} | " + " | ".join(value(size) for size in sizes) + " |\n" for what, value in lines)
    return text
