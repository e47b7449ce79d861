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
    private var weight: (octets: String, most: Int)?

    /// Rows are counted up to here, which takes about 10 ms; beyond it the total is an estimate.
    static let countedRows: Int64 = 10_000

    /// Goes before the two: a page is read in the order of an index, and no further than its end. PostgreSQL takes the mesh and the
    /// identity of a certificate for independent, expects a row or two of both, and would fetch all there are to sort them.
    static let inOrder = PostgresStatement(
        "SELECT set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true)")

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

    /// Ends the page early where its rows weigh `most`, `octets` each; it always has one row.
    mutating func weigh(_ octets: String, most: Int) {
        weight = (octets, most)
    }

    /// One row more than the page holds: whether there is a next one. Of a page that is weighed, the last column says instead how
    /// many there would be.
    var rows: PostgresStatement {
        var conditions = conditions
        var parameters = parameters
        if let cursor {
            parameters.append(.integer(cursor.before))
            conditions.append("seq < $\(parameters.count)")
        }
        let rows = "FROM \(table)\(PageStatements.clause(conditions)) ORDER BY seq DESC LIMIT \(size + 1)"
        guard let weight else { return PostgresStatement("SELECT \(columns) \(rows)", parameters) }
        return PostgresStatement(
            """
            SELECT \(columns), found FROM (\(PageStatements.weighed(rows, by: weight.octets, order: "seq DESC"))) AS weighed
            WHERE octets_before < \(weight.most) ORDER BY seq DESC
            """, parameters)
    }

    /// The rows with the octets of those before them, and how many they are. Only their sizes are read to know that.
    static func weighed(_ rows: String, by octets: String, order: String) -> String {
        """
        SELECT *, count(*) OVER () AS found, sum(octets) OVER (ORDER BY \(order)) - octets AS octets_before
        FROM (SELECT *, \(octets) AS octets \(rows)) AS sized
        """
    }

    /// Exact up to `countedRows`; beyond it, as many to the row numbers of the whole as the newest of them are to theirs: the first
    /// and the last number are one step into an index each, and what grows without end is never read for a number in a footer.
    var total: PostgresStatement {
        let counted = "$\(parameters.count + 1)"
        let rows = "FROM \(table)\(PageStatements.clause(conditions))"
        return PostgresStatement(
            """
            WITH newest AS MATERIALIZED (
                SELECT count(*) AS counted, min(seq) AS first, max(seq) AS last
                FROM (SELECT seq \(rows) ORDER BY seq DESC LIMIT \(counted) + 1) AS newest
            )
            SELECT CASE WHEN counted <= \(counted) THEN counted ELSE greatest(counted, 1 + (
                (counted - 1)::numeric * (last - (SELECT seq \(rows) ORDER BY seq LIMIT 1)) / greatest(last - first, 1))::bigint) END
            FROM newest
            """, parameters + [.integer(PageStatements.countedRows)])
    }

    /// The page in the results of `rows` and `total`.
    func page<Item>(
        _ rows: PostgresResult, _ total: PostgresResult, _ read: (inout RowReader) throws(PostgresError) -> (Int64, Item)
    ) throws(PostgresError) -> Page<Item> {
        var items: [(Int64, Item)] = []
        var found = Int64(rows.rows.count)
        for row in rows.rows.prefix(size) {
            var reader = RowReader(row)
            items.append(try read(&reader))
            if weight != nil { found = try reader.integer() }
        }
        guard let counted = total.rows.first else { throw .unexpectedResult(detail: "no count") }
        var reader = RowReader(counted)
        let next = found > items.count ? items.last.map { PageCursor(before: $0.0) } : nil
        return Page(items: items.map(\.1), next: next, total: try reader.integer())
    }

    private static func clause(_ conditions: [String]) -> String {
        conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
    }
}
