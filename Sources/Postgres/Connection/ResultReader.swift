internal import CLibPQ

/// Copies libpq's results into Swift values.
enum ResultReader {
    static func read(_ result: OpaquePointer) -> PostgresResult {
        let columns = PQnfields(result)
        var rows: [PostgresRow] = []
        rows.reserveCapacity(Int(PQntuples(result)))
        for row in 0..<PQntuples(result) {
            var cells: [[UInt8]?] = []
            cells.reserveCapacity(Int(columns))
            for column in 0..<columns {
                guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column) else {
                    cells.append(nil)
                    continue
                }
                let length = Int(PQgetlength(result, row, column))
                cells.append(Array(UnsafeRawBufferPointer(start: value, count: length)))
            }
            rows.append(PostgresRow(cells: cells))
        }
        // "UPDATE 3", "INSERT 0 1", "SELECT 12", "COMMIT".
        let tag = String(cString: PQcmdStatus(result))
        return PostgresResult(
            rows: rows, affected: Int(String(cString: PQcmdTuples(result))) ?? 0,
            command: tag.split(separator: " ").first.map(String.init) ?? "")
    }

    static func error(_ result: OpaquePointer, statement: Int) -> PostgresServerError {
        func field(_ code: Character) -> String? {
            guard let ascii = code.asciiValue, let text = PQresultErrorField(result, CInt(ascii)) else { return nil }
            return String(cString: text)
        }
        // The codes are of the protocol's ErrorResponse message: C SQLSTATE, M message, n constraint.
        return PostgresServerError(
            sqlState: field("C") ?? "XX000", message: field("M") ?? "no message", constraint: field("n"),
            statement: statement)
    }
}
