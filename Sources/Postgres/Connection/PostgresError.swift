/// Why a statement has no result.
package enum PostgresError: Error, Hashable, Sendable {
    /// The caller's task was cancelled.
    case cancelled(mayHaveRun: Bool)
    /// No server could be reached, or none accepted us. Nothing was sent.
    case connectionFailed(detail: String)
    /// The connection ended under the statement.
    case connectionLost(detail: String, mayHaveRun: Bool)
    /// No answer in time, from a server that may be gone without a word.
    case deadlineExceeded(mayHaveRun: Bool)
    /// The server refused a statement; everything of its transaction is undone.
    case server(PostgresServerError)
    /// The server answered what this program does not understand.
    case unexpectedResult(detail: String)

    /// Whether the statements may have taken effect all the same.
    package var mayHaveRun: Bool {
        switch self {
        case .cancelled(let mayHaveRun), .connectionLost(_, let mayHaveRun), .deadlineExceeded(let mayHaveRun): mayHaveRun
        case .connectionFailed, .server, .unexpectedResult: false
        }
    }
}

/// The server's own report of an error. Holds no parameter: PostgreSQL's "detail" field, which quotes rows, is left out.
package struct PostgresServerError: Hashable, Sendable {
    /// Five characters (PostgreSQL documentation, appendix A).
    package var sqlState: String
    package var message: String
    /// The constraint that was violated.
    package var constraint: String?
    /// Which of the statements that were sent together; 0 is the first.
    package var statement: Int

    package init(sqlState: String, message: String, constraint: String?, statement: Int) {
        self.sqlState = sqlState
        self.message = message
        self.constraint = constraint
        self.statement = statement
    }

    /// The session is over, or useless for writing: 22012 is a server that is not the ledger's primary any more (`LoadSQL.confirm`),
    /// 25006 a primary that became a standby, 57P01…05 a server going down.
    var endsTheSession: Bool { ["22012", "25006"].contains(sqlState) || sqlState.hasPrefix("57P0") || sqlState.hasPrefix("08") }
}

extension PostgresError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .cancelled: "cancelled"
        case .connectionFailed(let detail): detail
        case .connectionLost(let detail, _): "the connection was lost: \(detail)"
        case .deadlineExceeded: "the server did not answer in time"
        case .server(let error) where error.sqlState == "42501":
            "\(error.message) (SQLSTATE 42501): the role in postgres.user lacks that right: make it the owner of the database, "
                + "or name the role that 'signet migrate' ran as"
        case .server(let error): "\(error.message) (SQLSTATE \(error.sqlState))"
        case .unexpectedResult(let detail): "unexpected result: \(detail)"
        }
    }
}
