/// Reads a row's columns from left to right; a column of another type or length than asked is an error, not a guess.
struct RowReader: ~Copyable {
    private let row: PostgresRow
    /// The number of the column that was read last, from 1.
    private(set) var column = 0

    init(_ row: PostgresRow) {
        self.row = row
    }

    mutating func boolean() throws(PostgresError) -> Bool {
        let cell = try cell()
        guard cell.count == 1 else { throw wrongType("boolean") }
        return cell[0] != 0
    }

    mutating func bytes() throws(PostgresError) -> [UInt8] {
        try cell()
    }

    mutating func integer() throws(PostgresError) -> Int64 {
        guard let value = try optionalInteger() else { throw missing() }
        return value
    }

    mutating func optionalBytes() throws(PostgresError) -> [UInt8]? {
        try optionalCell()
    }

    mutating func optionalInteger() throws(PostgresError) -> Int64? {
        guard let cell = try optionalCell() else { return nil }
        guard cell.count == 8 else { throw wrongType("bigint") }
        return Int64(bitPattern: cell.reduce(0) { $0 << 8 | UInt64($1) })
    }

    mutating func optionalText() throws(PostgresError) -> String? {
        guard let cell = try optionalCell() else { return nil }
        guard let text = String(validating: cell, as: UTF8.self) else { throw wrongType("text") }
        return text
    }

    mutating func text() throws(PostgresError) -> String {
        guard let value = try optionalText() else { throw missing() }
        return value
    }

    /// Reads a text column and parses it; `what` completes "is not …".
    mutating func text<Value>(as what: String, _ parse: (String) throws -> Value?) throws(PostgresError) -> Value {
        let text = try text()
        guard let value = try? parse(text) else { throw wrongType(what) }
        return value
    }

    private mutating func cell() throws(PostgresError) -> [UInt8] {
        guard let cell = try optionalCell() else { throw missing() }
        return cell
    }

    private mutating func optionalCell() throws(PostgresError) -> [UInt8]? {
        guard column < row.cells.count else {
            throw .unexpectedResult(detail: "the row has \(row.cells.count) columns, and more were expected")
        }
        column += 1
        return row.cells[column - 1]
    }

    private func missing() -> PostgresError { .unexpectedResult(detail: "column \(column) is NULL") }

    private func wrongType(_ type: String) -> PostgresError { .unexpectedResult(detail: "column \(column) is not \(type)") }
}
