/// The figures of a run, for people or for programs.
struct Report {
    private enum Value {
        case integer(Int)
        case number(Double)
        case text(String)
        case truth(Bool)
    }

    private var figures: [(key: String, value: Value, meaning: String)]

    init(part: String) {
        figures = [("part", .text(part), "")]
    }

    mutating func add(_ key: String, _ value: Double, _ meaning: String) { figures.append((key, .number(value), meaning)) }

    mutating func add(_ key: String, _ value: Int, _ meaning: String) { figures.append((key, .integer(value), meaning)) }

    mutating func add(_ key: String, _ value: Bool, _ meaning: String) { figures.append((key, .truth(value), meaning)) }

    /// What issuing cost.
    mutating func add(_ measurement: Measurement) {
        add("perSecond", measurement.perSecond, "leaves a second, each recorded before it was delivered")
        add("seconds", measurement.seconds, "seconds")
        add("serviceMicroseconds", measurement.serviceMicroseconds, "µs of CPU for each, the service's")
        add("databaseMicroseconds", measurement.databaseMicroseconds, "µs of CPU for each, PostgreSQL's")
        add("rowsPerCertificate", measurement.each(measurement.rows), "rows for each")
        add("transactionsPerCertificate", measurement.each(measurement.transactions), "transactions for each")
        add("logOctetsPerCertificate", measurement.each(measurement.logOctets), "octets of write-ahead log for each")
        add("medianMilliseconds", measurement.milliseconds(quantile: 0.5), "ms for a batch of \(Site.width), the median")
        add("slowMilliseconds", measurement.milliseconds(quantile: 0.99), "ms for a batch, 99 of 100")
    }

    func print(asJSON isJSON: Bool) {
        if isJSON {
            Swift.print("{" + figures.map { "\"\($0.key)\": \(Report.json($0.value))" }.joined(separator: ", ") + "}")
        } else {
            for figure in figures.dropFirst() {
                let value = Report.json(figure.value)
                Swift.print(String(repeating: " ", count: max(0, 12 - value.count)) + value + "  " + figure.meaning)
            }
        }
    }

    private static func json(_ value: Value) -> String {
        switch value {
        case .integer(let number): "\(number)"
        // A figure that could not be measured is none: null.
        case .number(let number): number.isFinite ? "\((number * 1000).rounded() / 1000)" : "null"
        case .text(let text): "\"\(text)\""
        case .truth(let value): "\(value)"
        }
    }
}
