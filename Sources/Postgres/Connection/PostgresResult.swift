/// What a statement gave: its rows, and how many it touched.
struct PostgresResult: Sendable {
    var rows: [PostgresRow]
    /// Rows that an INSERT, UPDATE or DELETE touched, or a SELECT gave.
    var affected: Int
    /// The server's command tag without its numbers, such as `COMMIT` or `ROLLBACK`.
    var command: String
}

/// One row of a result, in PostgreSQL's binary format.
struct PostgresRow: Sendable {
    /// Nil is NULL.
    var cells: [[UInt8]?]
}
