/// Columns for people: a head in capitals, two spaces between columns, no lines.
struct TextTable {
    private var rows: [[String]]

    init(_ head: String...) {
        self.init(head)
    }

    init(_ head: [String]) {
        rows = [head]
    }

    mutating func add(_ cells: String...) {
        add(cells)
    }

    /// As many cells as the head has; an empty one is shown as a hyphen.
    mutating func add(_ cells: [String]) {
        rows.append(cells.map { $0.isEmpty ? "-" : Console.oneLine($0) })
    }

    var text: String {
        var widths = [Int](repeating: 0, count: rows.first?.count ?? 0)
        for row in rows {
            for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) }
        }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count + 2)
            }
            return line + "\n"
        }.joined()
    }
}
