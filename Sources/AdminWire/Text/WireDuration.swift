package import PKI

/// A duration as documents and requests write it: `24h`, `1h30m`, `10y`. Keeps its spelling, so that a document is given back as it came.
package struct WireDuration: Sendable, Hashable {
    package let text: String
    package let duration: Duration

    /// Parses one or more of `\d+(y|w|d|h|m|s|ms)`, each unit at most once; throws a sentence that completes "the duration …".
    package init(_ text: String) throws(InvalidName) {
        let form = InvalidName("must be a duration such as 30s, 1h30m, 24h or 10y (units: y w d h m s ms)")
        var rest = text.utf8[...]
        var total: Int64 = 0
        var seen: Set<String> = []
        guard !rest.isEmpty else { throw form }
        while !rest.isEmpty {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            rest = rest.dropFirst(digits.count)
            let unit = String(Substring(rest.prefix { !(0x30...0x39).contains($0) }))
            rest = rest.dropFirst(unit.utf8.count)
            guard !digits.isEmpty, let milliseconds = WireDuration.units.first(where: { $0.name == unit })?.milliseconds else {
                throw form
            }
            guard seen.insert(unit).inserted else { throw InvalidName("names the unit '\(unit)' twice") }
            guard let count = Int64(String(Substring(digits))), count <= WireDuration.longest / milliseconds,
                total + count * milliseconds <= WireDuration.longest
            else { throw InvalidName("must not be longer than 1000y") }
            total += count * milliseconds
        }
        guard total > 0 else { throw InvalidName("must not be zero") }
        self.text = text
        self.duration = .milliseconds(total)
    }

    /// Spells a whole number of milliseconds, the largest units first, weeks left out: `1d12h`.
    package init(_ duration: Duration) {
        var rest = duration.wholeMilliseconds
        var text = ""
        for unit in WireDuration.units where unit.name != "w" && rest >= unit.milliseconds {
            text += "\(rest / unit.milliseconds)\(unit.name)"
            rest %= unit.milliseconds
        }
        self.text = text.isEmpty ? "0s" : text
        self.duration = duration
    }

    /// A year is 365 days and a week 7, as Kuma counts them.
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("y", 365 * 86_400_000), ("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000),
        ("ms", 1),
    ]

    /// A certificate states its end in a year of four digits (RFC 5280 §4.1.2.5.2).
    private static let longest: Int64 = 1000 * 365 * 86_400_000
}
