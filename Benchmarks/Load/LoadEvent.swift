import Foundation

/// Something that happened to all proxies together, for the one who watches.
struct LoadEvent: Encodable, Sendable {
    enum Name: String, Encodable, Sendable {
        /// All hold an identity of the same issuer, or the same trust bundle, and have acknowledged it.
        case acknowledged
        /// All of a round have TLS and HTTP/2.
        case connected
        /// As `connected`, where that was all that they came for.
        case handshakes
        case report
        case returned
        case seeded
        case served

        init(_ purpose: LoadPlan.Purpose) {
            self =
                switch purpose {
                case .admission: .served
                case .handshakes: .handshakes
                case .returning: .returned
                case .seeding: .seeded
                }
        }
    }

    var event: Name
    var count: Int
    /// Of a round: since the first of it had connected. Of what was acknowledged: since the first was given it.
    var seconds: Double
    /// User and system time of this program since its start.
    var cpuSeconds = ProcessUsage.cpuSeconds
    /// Of a round: until the last had connected.
    var connectedSeconds: Double?
    /// Of a round: how many got an identity that they did not hold.
    var newIdentities: Int?
    /// Of a round: how many attempts failed and were repeated.
    var retries: Int?
    /// Of what was acknowledged: `identity`, and its issuer, or `bundle`, and its version.
    var kind: String?
    var version: String?
    /// Of a report.
    var identities: Int?
    var bundles: Int?
    var lost: Int?
    var firstLoss: String?

    /// For people.
    var text: String {
        let rounded = (seconds * 1000).rounded() / 1000
        return switch event {
        case .acknowledged: "\(count) acknowledged \(kind ?? "") \(version ?? "") within \(rounded) seconds"
        case .connected, .handshakes, .seeded: "\(event.rawValue) \(count) after \(rounded) seconds"
        case .report:
            "served \(count); identities \(identities ?? 0), bundles \(bundles ?? 0); lost \(lost ?? 0)"
                + (firstLoss.map { ", first: \($0)" } ?? "")
        case .returned, .served:
            "\(event.rawValue) \(count) after \(rounded) seconds; new identities \(newIdentities ?? 0), retries \(retries ?? 0)"
        }
    }

    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
