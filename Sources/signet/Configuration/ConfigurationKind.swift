import AdminWire
import Authority
import Foundation
import Listeners

/// What a configuration value must be.
enum ConfigurationKind: Sendable {
    /// `ip:port`; an optional one may be empty, which closes that door.
    case address
    case boolean
    case choice([String])
    case duration(ClosedRange<Duration>)
    case integer(ClosedRange<Int>)
    /// A YAML list, or text with commas between.
    case list
    /// A path, or empty.
    case path
    /// So many at once, and so many more in each second after: `20+1/s`.
    case rate
    case text

    /// How the reference names the type and range.
    var title: String {
        switch self {
        case .address: "ip:port"
        case .boolean: "true or false"
        case .choice(let values): values.joined(separator: ", ").replacingLastComma()
        case .duration(let range): "duration, \(WireDuration(range.lowerBound).text) to \(WireDuration(range.upperBound).text)"
        case .integer(let range): "integer, \(range.lowerBound) to \(range.upperBound)"
        case .list: "list"
        case .path: "path"
        case .rate: "rate, such as 20+1/s: so many at once, and so many in each second after"
        case .text: "text"
        }
    }

    /// Nil if `text` is acceptable, else what it must be, as the end of "… must be".
    func complaint(about text: String) -> String? {
        switch self {
        case .address:
            return ListenAddress(text) == nil ? "an address such as 127.0.0.1:5678 or [::1]:5678" : nil
        case .boolean:
            return ["true", "false"].contains(text) ? nil : "true or false"
        case .choice(let values):
            return values.contains(text) ? nil : values.joined(separator: ", ").replacingLastComma()
        case .duration(let range):
            let meaning = "a duration such as 30s or 1h30m"
            guard let duration = (try? WireDuration(text))?.duration else { return meaning }
            if range.contains(duration) { return nil }
            return "between \(WireDuration(range.lowerBound).text) and \(WireDuration(range.upperBound).text)"
        case .integer(let range):
            guard let number = Int(text) else { return "an integer" }
            return range.contains(number) ? nil : "between \(range.lowerBound) and \(range.upperBound)"
        case .rate:
            let bounds = "\(Rate.range.lowerBound) to \(Rate.range.upperBound)"
            return Rate(text) == nil ? "a rate such as 20+1/s, both numbers \(bounds)" : nil
        case .list, .path, .text:
            return text.utf8.contains(where: { $0 < 0x20 }) ? "text without control characters" : nil
        }
    }
}

extension String {
    fileprivate func replacingLastComma() -> String {
        guard let comma = range(of: ", ", options: .backwards) else { return self }
        return replacingCharacters(in: comma, with: " or ")
    }
}
