"""The eight rows of the table: which figures of which part answer which goal. Pure."""

from goals import Figure, Row, at_least, at_most, gathered

# What one minute differs from another: a query of a period falls on this or that side of its end.
IDLE_NOISE = 1.1
# One query every ten seconds more, where there are few.
IDLE_SLACK = 6


def one(result, **wanted):
    """The only line that says all of this."""
    found = [line for line in result["lines"] if all(line.get(key) == value for key, value in wanted.items())]
    if len(found) != 1:
        raise LookupError(f"{len(found)} lines with {wanted}")
    if "failed" in found[0]:
        raise ValueError(found[0]["failed"])
    return found[0]


def issuing(result, what, threads):
    """The line of issuance-benchmark for a leaf made so."""
    found = [line for line in result["lines"] if line["name"].startswith("leaf") and what in line["name"]
             and line["threads"] == threads]
    if len(found) != 1:
        raise LookupError(f"{len(found)} lines for a {what} on {threads} threads")
    return found[0]


def issuance(result):
    figures = []
    for what in ("given key", "fresh key"):
        for threads in (1, 2):
            line = issuing(result, what, threads)
            figures.append(at_least(
                line["ofRaw"], 0.9, f"{what}, {threads} thread{'s' * (threads > 1)}: {line['perSecond']:,.0f}/s,", " of raw",
                digits=3))
    return figures


def durable(result):
    line = one(result, part="ledger")
    return [
        at_least(line["perSecond"], 15_000, "issued:", "/s", digits=0),
        at_least(line["ofFresh"], 0.4, "in the same run", f" of {line['freshPerSecond']:,.0f}/s without a ledger"),
        Figure("each delivered one is in the table", True) if line["exact"] is True
        else Figure("the table holds another number than was delivered", False),
        Figure(f"CPU each: service {line['serviceMicroseconds']:.0f} µs, PostgreSQL {line['databaseMicroseconds']:.0f} µs")]


def storm(result):
    line = one(result, row=3)
    return [
        at_most(line["ofFloor"], 3, f"{line['proxies']:,} proxies: service CPU",
                f" × the {line['floorMicroseconds']:.1f} µs of the floor"),
        at_most(line["rotationSeconds"], 10, "the whole rotation", " s", digits=1),
        Figure(f"CPU for each proxy: service {line['serviceMicroseconds']:.0f} µs, "
               f"PostgreSQL {line['databaseMicroseconds']:.0f} µs, "
               f"load generator {line['loadMicroseconds']:.0f} µs; all had theirs after {line['reissueSeconds']:.1f} s")]


def memory(result):
    line = one(result, row=4)
    return [
        at_most(line["mtlsKilobytes"], 100, f"{line['few']:,} to {line['many']:,} proxies: by mTLS", " KB", digits=0),
        Figure(f"by token {line['tokenKilobytes']:.0f} KB")]


def admission(result):
    line = one(result, row=5)
    return [
        at_most(line["leaves"], 0, f"{line['proxies']:,} proxies:", " leaves signed", digits=0),
        at_most(line["ofHandshakes"], 1.5, f"{line['seconds']:.1f} s,",
                f" × the {line['handshakeSeconds']:.1f} s of the handshakes"),
        Figure(f"CPU for each: service {line['serviceMicroseconds']:.0f} µs, of it the handshake "
               f"{line['handshakeServiceMicroseconds']:.0f} µs; resident at most {line['peakMegabytes']:.0f} MB")]


def growth_of_proxies(result):
    line = one(result, row=6)
    return [
        at_most(line["stormRatio"], 1.15, f"CPU for each proxy, {line['many']:,} over {line['few']:,}: re-issue", " ×"),
        at_most(line["admissionRatio"], 1.15, "return", " ×")]


def growth_of_meshes(result):
    line = one(result, part="ledger")
    return [at_most(line["meshesRatio"], 1.2, f"{line['meshes']:,} meshes over 1: CPU of an issue", " ×")]


def growth_of_rows(result):
    line = one(result, part="ledger")
    return [
        at_most(line["startRatio"], 1.1, f"{line['rows']:,} rows over none: CPU of a start", " ×"),
        at_most(line["issueRatio"], 1.1, "of an issue", " ×")]


def peers(result):
    line = one(result, part="peers")
    if len(line["peers"]) != 4:
        raise LookupError(f"{len(line['peers'])} peers")
    return [ahead(peer) for peer in line["peers"]] + [
        Figure(f"{ratio_of(peer)}, which is less work") for peer in line["beside"]]


def ahead(peer):
    """Ahead is faster, not as fast."""
    return Figure(ratio_of(peer), peer["ratio"] > 1)


def ratio_of(peer):
    return at_least(peer["ratio"], 1, f"{peer['name']} ({peer['perSecond']:,.0f}/s): {peer['beside']}", " ×").text


def writes(result):
    line = one(result, part="ledger")
    return [
        at_most(line["rowsPerCertificate"], 1, "for each certificate", " rows", digits=3),
        Figure(f"{line['transactionsPerCertificate']:.3f} transactions")]


def idle(result):
    line = one(result, part="idle")
    few, many = line["few"], line["many"]
    return [
        Figure(f"{what} {few[key]:.0f} and {many[key]:.0f}", many[key] <= few[key] * IDLE_NOISE + IDLE_SLACK)
        for key, what in (
            ("queries", f"a minute with {few['proxies']:,} and with {many['proxies']:,} idle proxies: statements"),
            ("transactions", "transactions"), ("rows", "rows written"))]


def rows(results):
    """The table's rows from the parts' results by name."""
    return [
        Row(1, "issue for a given key, and with a fresh key (leaf and key as PEM), one and two threads",
            "≥ 0.90 of raw sign; ≥ 0.90 of raw (keygen + sign)", gathered(results, ("issuance", issuance))),
        Row(2, "issue end to end, fresh keys, each durable in PostgreSQL before delivery, for a minute",
            "≥ 15,000/s; ≥ 0.4 of row 1's two threads", gathered(results, ("ledger", durable))),
        Row(3, "10,000 proxies re-issued, recorded, pushed, acknowledged; and the whole rotation",
            "service CPU ≤ 3 × (keygen + sign); ≤ 10 s", gathered(results, ("storm", storm))),
        Row(4, "memory for each connected proxy, between 2,000 and 10,000", "≤ 100 KB", gathered(results, ("storm", memory))),
        Row(5, "10,000 proxies return after a restart, naming good versions", "no leaf signed; ≤ 1.5 × the handshakes alone",
            gathered(results, ("storm", admission))),
        Row(6, "growth: proxies, ledger, meshes", "≤ 1.15 ×; ≤ 1.1 ×; ≤ 1.2 ×",
            gathered(results, ("storm", growth_of_proxies), ("rows", growth_of_rows), ("meshes", growth_of_meshes))),
        Row(7, "the peers that run here, Signet over each", "ahead of each", gathered(results, ("peers", peers))),
        Row(8, "the database: writes, and what idle proxies cost", "≤ 1 row each, in a batch; constant",
            gathered(results, ("ledger", writes), ("idle", idle))),
    ]
