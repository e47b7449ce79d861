internal import PKI

/// One SQL statement with its parameters.
///
/// The text is always a literal of this program; whatever came from outside is a parameter.
struct PostgresStatement: Sendable {
    var sql: String
    var parameters: [PostgresValue]

    init(_ sql: String, _ parameters: [PostgresValue] = []) {
        self.sql = sql
        self.parameters = parameters
    }

    static let begin = PostgresStatement("BEGIN")
    /// One picture for all statements that follow, whatever is committed meanwhile.
    static let beginSnapshot = PostgresStatement("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    static let commit = PostgresStatement("COMMIT")
    static let rollback = PostgresStatement("ROLLBACK")

    /// Bounds every later statement of the transaction, and how long the server waits for our next one.
    ///
    /// Set in each transaction rather than at connect: a pooler hands the next transaction to another server session. A client
    /// that stops between two statements would else hold the ledger's row for everybody.
    static func limit(_ duration: Duration) -> PostgresStatement {
        PostgresStatement(
            // Compiling a plan over dozens of partitions costs more than any of these statements takes.
            """
            SELECT set_config('statement_timeout', $1, true), set_config('idle_in_transaction_session_timeout', $1, true),
                set_config('jit', 'off', true)
            """,
            [.text("\(max(1, duration.wholeMilliseconds))ms")])
    }
}
