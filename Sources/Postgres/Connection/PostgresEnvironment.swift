internal import CLibPQ
internal import Synchronization

/// The `PG…` variables of this process, which libpq and the server's programs would let decide where nothing else is said.
///
/// Several cannot be overruled by a parameter: `PGSERVICE`, `PGHOSTADDR` beside a unix socket, `PGOPTIONS`, `PGDATESTYLE`. So
/// they are removed from the environment, before each connection and before each program of PostgreSQL that is run: no part of
/// this program reads one.
enum PostgresEnvironment {
    /// One at a time: nobody goes on while another is half done.
    private static let turn = Mutex(())

    /// Removes them; false when the system has no memory left.
    static func clear() -> Bool {
        turn.withLock { _ in signet_unset_postgres_environment() == 1 }
    }
}
