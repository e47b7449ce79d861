import AuthorityService
import PKI
import Postgres

/// Fills a ledger with leaves that ended in the weeks before, as they would stand there.
struct History {
    let server: Server
    let database: PostgresConfiguration

    /// Nearly the default retention: what is older, the service drops.
    private static let weeks = 12

    /// Adds `count` rows of the first mesh; two weeks at a time, each into a table that gets its indexes when it is full.
    func fill(_ count: Int) async throws {
        let mesh = try Site.name(of: 0)
        let issuer = try await server.query(
            "SELECT issuer FROM mesh_issuer WHERE mesh = '\(mesh)' AND state = 'active'", in: database)
        let share = count / History.weeks
        for first in stride(from: 1, through: History.weeks, by: 2) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for week in first...min(first + 1, History.weeks) {
                    let rows = week == History.weeks ? count - share * (History.weeks - 1) : share
                    group.addTask { try await fillWeek(week, rows: rows, mesh: mesh, issuer: issuer) }
                }
                try await group.waitForAll()
            }
        }
        // As autovacuum would in its own time.
        try await server.query("VACUUM ANALYZE certificate; CHECKPOINT", in: database)
    }

    private func fillWeek(_ ago: Int, rows: Int, mesh: MeshName, issuer: String) async throws {
        let week = LedgerWeek(number: LedgerWeek(containing: ServiceClock.system.now).number - Int64(ago))
        let (from, to) = (week.start.milliseconds, week.end.milliseconds)
        let table = "certificate_leaf_\(week.name)"
        try await server.query(
            """
            SET synchronous_commit = off;
            CREATE TABLE \(table) (LIKE certificate_leaf INCLUDING DEFAULTS);
            INSERT INTO \(table) (serial, kind, mesh, certificate_authority, issuer, signed_by, identity,
                not_before_ms, not_after_ms, digest, issued_at_ms, token_id, proxy, tags, node)
            SELECT '\\x01'::bytea || substring(sha256(convert_to('\(ago) ' || number, 'UTF8')) FOR 16), 'leaf', '\(mesh)',
                '\(mesh)-ca-1', '\(issuer)', substring(sha256('signer') FOR 17),
                'spiffe://\(mesh)/service-' || number % 500,
                ended - 86410000, ended, sha256(convert_to('\(ago) ' || number, 'UTF8')), ended - 86400000,
                md5('token ' || number % 10000), 'proxy-' || number % 10000,
                jsonb_build_object('kuma.io/service', jsonb_build_array('service-' || number % 500),
                    'kuma.io/zone', jsonb_build_array('east')), 'node-' || number % 10000
            FROM generate_series(1, \(rows)) AS number, LATERAL (SELECT \(from) + number::bigint * 604799000 / \(rows)) AS time (ended);
            CREATE UNIQUE INDEX \(table)_serial ON \(table) (serial);
            ALTER TABLE certificate_leaf ATTACH PARTITION \(table) FOR VALUES FROM (\(from)) TO (\(to));
            """, in: database)
    }
}
