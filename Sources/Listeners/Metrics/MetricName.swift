/// Names and values as the Prometheus text format allows them (version 0.0.4).
enum MetricName {
    /// A metric name: `[a-zA-Z_:][a-zA-Z0-9_:]*`; each other character becomes an underscore.
    static func metric(_ label: String) -> String { sanitised(label, colon: true) }

    /// A label name: as a metric name, without the colon.
    static func label(_ label: String) -> String { sanitised(label, colon: false) }

    /// A label value: backslash, quote and line feed escaped.
    static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 == 0x0A }) else { return value }
        var result = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// One line of the text: `name{labels} value`, without an interpolation's detours, for there may be thousands.
    static func write(_ name: String, _ labels: String, _ value: Double, to text: inout String) {
        text += name
        if !labels.isEmpty {
            text += "{"
            text += labels
            text += "}"
        }
        text += " "
        text += number(value)
        text += "\n"
    }

    /// A number as Go's `ParseFloat` reads it.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
        return "\(value)"
    }

    private static func sanitised(_ text: String, colon: Bool) -> String {
        var bytes = text.utf8.map { byte -> UInt8 in
            switch byte {
            case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x5F: byte
            case 0x3A where colon: byte
            default: 0x5F
            }
        }
        if let first = bytes.first, (0x30...0x39).contains(first) { bytes.insert(0x5F, at: 0) }
        return bytes.isEmpty ? "_" : String(decoding: bytes, as: UTF8.self)
    }
}
