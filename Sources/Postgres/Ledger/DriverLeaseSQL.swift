internal import AuthorityService

/// The statements of the one row that says which replica drives.
///
/// Its time is the database's, the one clock that all replicas share. Nothing of it belongs to a session.
enum DriverLeaseSQL {
    /// One row, the fence, unless another replica's lease lives. One statement: of two that take it at once the second waits for
    /// the first, and then sees it.
    static func take(_ holder: String, for duration: Duration) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO driver_lease AS lease (holder, fence, expires_at)
            VALUES ($1, 1, clock_timestamp() + $2 * interval '1 millisecond')
            ON CONFLICT (id) DO UPDATE SET holder = excluded.holder,
                fence = lease.fence + CASE WHEN lease.holder = excluded.holder THEN 0 ELSE 1 END,
                expires_at = clock_timestamp() + $2 * interval '1 millisecond'
            WHERE lease.holder = excluded.holder OR lease.expires_at <= clock_timestamp()
            RETURNING fence
            """, [name(holder), .integer(duration.wholeMilliseconds)])
    }

    static func end(_ lease: DriverLease) -> PostgresStatement {
        PostgresStatement(
            """
            UPDATE driver_lease SET expires_at = least(expires_at, clock_timestamp()) WHERE holder = $1 AND fence = $2
            """, [name(lease.holder), .integer(lease.fence)])
    }

    /// One row while the lease is this one and lives. Locked to the end of the transaction, so that whoever takes it over waits
    /// for what was written under it.
    static func require(_ lease: DriverLease) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT FROM driver_lease WHERE holder = $1 AND fence = $2 AND expires_at > clock_timestamp() FOR UPDATE
            """, [name(lease.holder), .integer(lease.fence)])
    }

    private static func name(_ replica: String) -> PostgresValue { .text(StorableText.replacingNUL(replica)) }
}
