/// Why the database cannot be used as it is.
package enum SchemaError: Error, Hashable, Sendable {
    /// No connection, or the server refused a statement.
    case database(PostgresError)
    /// A migration of this number has another name here: the database belongs to another program or a changed one.
    case foreignMigration(version: Int64, found: String, known: String)
    /// A newer release has migrated it.
    case schemaTooNew(found: Int64, known: Int64)
    /// `signet migrate` has not been run.
    case schemaTooOld(found: Int64, known: Int64)
}

extension SchemaError {
    /// Whether a table was not free within the step's own lock time-out.
    var isLockTimeout: Bool {
        if case .database(.server(let report)) = self { report.sqlState == "55P03" } else { false }
    }
}

extension SchemaError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .database(let error):
            switch error {
            case .server, .unexpectedResult: "the database schema cannot be read or changed: \(error)"
            case .cancelled, .connectionFailed, .connectionLost, .deadlineExceeded: "the database cannot be used: \(error)"
            }
        case .foreignMigration(let version, let found, let known):
            "migration \(version) of the database is '\(found)', and this program knows it as '\(known)': "
                + "name a database of signet's own"
        case .schemaTooNew(let found, let known):
            "the database schema has version \(found), and this program knows \(known): run a newer signet"
        case .schemaTooOld(let found, let known):
            "the database schema has version \(found), and this program needs \(known): run 'signet migrate'"
        }
    }
}
