"""The laws that no fault may break, held against the database, the replicas and the Envoys themselves."""

import json
import subprocess
import tempfile

from world import MESH, NotAsExpected, wait

# The name of a law, and the SQL whose every row breaks it.
BY_SQL = {
    "at most one active issuer for a mesh": """
        SELECT mesh FROM mesh_issuer WHERE state = 'active' GROUP BY mesh HAVING count(*) > 1
        UNION ALL
        SELECT m.name FROM mesh m WHERE EXISTS (SELECT FROM mesh_issuer i WHERE i.mesh = m.name)
            AND NOT EXISTS (SELECT FROM mesh_issuer i WHERE i.mesh = m.name AND i.state = 'active')""",
    "one running rotation for a CA and for a mesh": """
        SELECT certificate_authority FROM rotation WHERE phase NOT IN ('aborted', 'completed')
            GROUP BY certificate_authority HAVING count(*) > 1
        UNION ALL
        SELECT mesh FROM rotation_mesh WHERE is_running GROUP BY mesh HAVING count(*) > 1""",
    # A leaf that was replaced, by the same proxy's own next one, is not needed: that is what `reissued` waits for.
    "no root gone while a leaf under it is needed": """
        SELECT c.identity || ' ' || encode(c.serial, 'hex') FROM certificate c
        JOIN mesh_issuer i ON i.mesh = c.mesh AND i.issuer = c.issuer
        WHERE c.kind = 'leaf' AND c.not_after_ms > extract(epoch FROM clock_timestamp()) * 1000
            AND i.state NOT IN ('active', 'outgoing', 'prepared')
            AND NOT EXISTS (SELECT FROM certificate d WHERE d.kind = 'leaf' AND d.mesh = c.mesh AND d.identity = c.identity
                AND d.proxy IS NOT DISTINCT FROM c.proxy AND d.issued_at_ms > c.issued_at_ms)""",
    "serials are unique": "SELECT encode(serial, 'hex') FROM certificate GROUP BY serial HAVING count(*) > 1",
    "nothing outlives its signer": """
        SELECT encode(c.serial, 'hex') FROM certificate c JOIN certificate s ON s.serial = c.signed_by
        WHERE c.not_after_ms > s.not_after_ms""",
}


def recorded(server):
    """The serials that a database has."""
    return {int(row[0], 16) for row in server.query("SELECT encode(serial, 'hex') FROM certificate") if row[0]}


def unrecorded(world):
    """Served serials that the ledger does not have."""
    return world.serials.all() - recorded(world.server)


def broken_by_sql(world):
    """Each law that SQL finds broken, in words."""
    found = {name: world.server.query(sql) for name, sql in BY_SQL.items()}
    return [f"broken: {name}: {rows[0][0]}" for name, rows in found.items() if rows]


def check_served(world):
    # What came out of a journal is there within moments of the database's return.
    try:
        wait("every served serial in the ledger", lambda: not unrecorded(world), 15, period=0.5)
    except NotAsExpected:
        missing = sorted(f"{serial:x}" for serial in unrecorded(world))
        raise NotAsExpected(
            f"broken: every served serial is in the ledger: {len(missing)} are not, such as {missing[:1]}") from None


def check_chains(world):
    """What each Envoy shows holds under what each replica gives as the mesh's roots."""
    bundles = [(replica.name, replica.signet("bundle", "show", "--mesh", MESH)) for replica in world.replicas]
    for proxy in world.proxies:
        chain = "".join(proxy.chain())
        for name, bundle in bundles:
            with tempfile.NamedTemporaryFile("w") as roots, tempfile.NamedTemporaryFile("w") as shown:
                roots.write(bundle)
                roots.flush()
                shown.write(chain)
                shown.flush()
                verdict = subprocess.run(
                    ["openssl", "verify", "-x509_strict", "-CAfile", roots.name, "-untrusted", shown.name, shown.name],
                    capture_output=True, text=True, timeout=20)
                if verdict.returncode:
                    raise NotAsExpected(
                        f"broken: what Envoys show holds under every replica's roots: {proxy.name} under those of {name}: "
                        f"{verdict.stderr.strip()[-200:]}")


def check_audit(world):
    """`signet audit verify` finds nothing edited, removed or reordered."""
    verdict = world.first.signet("audit", "verify", accept=None)
    if verdict.returncode:
        raise NotAsExpected(f"broken: the audit trail verifies: {(verdict.stderr or verdict.stdout).strip()[-200:]}")


CHECKS = {
    "every served serial is in the ledger": check_served,
    "what Envoys show holds under every replica's roots": check_chains,
    "the audit trail verifies": check_audit,
}

COUNT = len(BY_SQL) + len(CHECKS)


def broken(world):
    """Each law that is broken, in words."""
    found = broken_by_sql(world)
    for held in CHECKS.values():
        try:
            held(world)
        except NotAsExpected as difference:
            found.append(str(difference))
    return found


def watch(world, what, condition, seconds, period=0.3):
    """Waits for a condition, and looks at the laws of the database meanwhile."""
    def met():
        if found := broken_by_sql(world):
            raise NotAsExpected("; ".join(found))
        return condition()
    return wait(what, met, seconds, period)


def problem(document):
    """A problem+json answer in one line."""
    return json.dumps(document)[:300]
