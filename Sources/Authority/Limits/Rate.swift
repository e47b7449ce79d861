/// How often something may be done: so many times at once, and so many more in each second after.
///
/// A bucket of tokens, kept as one number (the generic cell rate algorithm, ITU-T I.371): the time at which the bucket is full
/// again. Taking moves it one interval on, and it may lie at most `burst` intervals ahead.
package struct Rate: Hashable, Sendable {
    /// At least 1.
    package let burst: Int
    /// At least 1.
    package let perSecond: Int

    /// Nil unless both are between 1 and a million: beyond it a limit limits nothing, and nanoseconds would no longer do.
    package init?(burst: Int, perSecond: Int) {
        guard Rate.range.contains(burst), Rate.range.contains(perSecond) else { return nil }
        self.init(lawful: burst, perSecond)
    }

    /// Parses `20+1/s`: twenty at once, and one each second after; nil for anything else.
    package init?(_ text: String) {
        guard text.hasSuffix("/s") else { return nil }
        let parts = text.dropLast(2).split(separator: "+", omittingEmptySubsequences: false)
        guard parts.count == 2, let burst = Rate.number(parts[0]), let perSecond = Rate.number(parts[1]) else { return nil }
        self.init(burst: burst, perSecond: perSecond)
    }

    private init(lawful burst: Int, _ perSecond: Int) {
        self.burst = burst
        self.perSecond = perSecond
    }

    /// A rate that stands in the source; out of range it is brought into it.
    package static func fixed(_ burst: Int, perSecond: Int) -> Rate {
        Rate(
            lawful: min(max(burst, range.lowerBound), range.upperBound), min(max(perSecond, range.lowerBound), range.upperBound))
    }

    /// What `burst` and `perSecond` may be.
    package static let range = 1...1_000_000

    /// Between two tokens, in nanoseconds.
    var interval: Int64 { 1_000_000_000 / Int64(perSecond) }

    /// How long an empty bucket takes to be full, in nanoseconds.
    var refill: Int64 { Int64(burst) * interval }

    private static func number(_ text: Substring) -> Int? {
        guard (1...7).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text)
    }
}

extension Rate: CustomStringConvertible {
    package var description: String { "\(burst)+\(perSecond)/s" }
}
