internal import AuthorityService
internal import PKI

/// The two statements of a page: its rows, newest first, and how many there are in all.
struct PageStatements {
    private let table: String
    private let columns: String
    private let size: Int
    private let cursor: PageCursor?
    private var conditions: [String] = []
    private var parameters: [PostgresValue] = []

    /// Beyond this many rows an unfiltered total is taken from the last row number instead of counted: counting 100,000 takes
    /// about 10 ms. Rows of these tables are only ever added, so the number is short of nothing but inserts that failed.
    static let countedRows: Int64 = 100_000

    init(table: String, columns: String, size: Int, cursor: PageCursor?) {
        self.table = table
        self.columns = columns
        self.size = min(max(size, 1), 1000)
        self.cursor = cursor
    }

    /// Keeps rows whose `column` equals `value`.
    mutating func filter(_ column: String, _ value: PostgresValue) {
        parameters.append(value)
        conditions.append("\(column) = $\(parameters.count)")
    }

    /// Keeps rows for which `condition` holds; it is handed the name of the parameter that has `value`.
    mutating func filter(_ value: PostgresValue, _ condition: (String) -> String) {
        parameters.append(value)
        conditions.append(condition("$\(parameters.count)"))
    }

    /// One row more than the page holds: whether there is a next one.
    var rows: PostgresStatement {
        var conditions = conditions
        var parameters = parameters
        if let cursor {
            parameters.append(.integer(cursor.before))
            conditions.append("seq < $\(parameters.count)")
        }
        return PostgresStatement(
            "SELECT \(columns) FROM \(table)\(PageStatements.clause(conditions)) ORDER BY seq DESC LIMIT \(size + 1)", parameters)
    }

    /// Exact when filtered, through the filter's index; else exact up to `countedRows`.
    var total: PostgresStatement {
        if conditions.isEmpty {
            return PostgresStatement(
                """
                SELECT CASE WHEN counted <= $1 THEN counted ELSE (SELECT max(seq) FROM \(table)) END
                FROM (SELECT count(*) AS counted FROM (SELECT FROM \(table) LIMIT $1 + 1) AS first_rows) AS counting
                """, [.integer(PageStatements.countedRows)])
        }
        return PostgresStatement("SELECT count(*) FROM \(table)\(PageStatements.clause(conditions))", parameters)
    }

    /// The page in the results of `rows` and `total`.
    func page<Item>(
        _ rows: PostgresResult, _ total: PostgresResult, _ read: (inout RowReader) throws(PostgresError) -> (Int64, Item)
    ) throws(PostgresError) -> Page<Item> {
        var items: [(Int64, Item)] = []
        for row in rows.rows.prefix(size) {
            var reader = RowReader(row)
            items.append(try read(&reader))
        }
        guard let counted = total.rows.first else { throw .unexpectedResult(detail: "no count") }
        var reader = RowReader(counted)
        let next = rows.rows.count > size ? items.last.map { PageCursor(before: $0.0) } : nil
        return Page(items: items.map(\.1), next: next, total: try reader.integer())
    }

    private static func clause(_ conditions: [String]) -> String {
        conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
    }
}
