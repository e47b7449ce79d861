import AdminWire
import Foundation
import PKI

/// Times and durations as messages write them, for arithmetic and for people.
enum WireTime {
    /// The time of an ISO 8601 text; nil where it is none.
    static func time(_ text: String) -> Timestamp? {
        guard let date = try? Date(text, strategy: .iso8601) else { return nil }
        return Timestamp(milliseconds: Int64((date.timeIntervalSince1970 * 1000).rounded()))
    }

    /// The duration of a text such as `1s250ms`; nil where it is none.
    static func duration(_ text: String) -> Duration? {
        text == "0s" ? .zero : try? WireDuration(text).duration
    }

    /// `850 ms`, `1.3 s`, `2 s`, `42 s`, `3 min 20 s`, `5 h 7 min`, `12 d 4 h`: two figures are enough for a person.
    static func words(_ duration: Duration) -> String {
        let milliseconds = max(0, duration.wholeMilliseconds)
        let seconds = milliseconds / 1000
        switch seconds {
        case 0: return milliseconds == 0 ? "0 s" : "\(milliseconds) ms"
        case ..<10 where milliseconds % 1000 >= 100: return "\(seconds).\(milliseconds % 1000 / 100) s"
        case ..<60: return "\(seconds) s"
        case ..<3600: return joined(seconds / 60, "min", seconds % 60, "s")
        case ..<86_400: return joined(seconds / 3600, "h", seconds % 3600 / 60, "min")
        default: return joined(seconds / 86_400, "d", seconds % 86_400 / 3600, "h")
        }
    }

    private static func joined(_ large: Int64, _ largeUnit: String, _ small: Int64, _ smallUnit: String) -> String {
        "\(large) \(largeUnit)" + (small == 0 ? "" : " \(small) \(smallUnit)")
    }
}
