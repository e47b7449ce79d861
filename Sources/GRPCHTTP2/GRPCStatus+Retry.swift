internal import Foundation

extension GRPCStatus {
    /// The trailers that say when to try again, both as clients know them: gRPC's own retries read `grpc-retry-pushback-ms`
    /// (gRFC A6), and programs `google.rpc.RetryInfo` in `grpc-status-details-bin`. None where nothing is said of it.
    var retryFields: [(String, String)] {
        guard let retryAfter else { return [] }
        // Whole milliseconds, rounded up: who waits so long is not refused for the rest of one.
        let (seconds, attoseconds) = retryAfter.components
        let milliseconds = max(0, seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
        return [
            ("grpc-retry-pushback-ms", "\(milliseconds)"),
            ("grpc-status-details-bin", Self.unpadded(details(milliseconds: milliseconds))),
        ]
    }

    /// A `google.rpc.Status` (code = 1, message = 2, details = 3) with one `RetryInfo` (retry_delay = 1) in an `Any`.
    private func details(milliseconds: Int64) -> [UInt8] {
        let delay = Self.field(1, number: milliseconds / 1000) + Self.field(2, number: milliseconds % 1000 * 1_000_000)
        let detail =
            Self.field(1, octets: Array("type.googleapis.com/google.rpc.RetryInfo".utf8))
            + Self.field(2, octets: Self.field(1, octets: delay))
        return Self.field(1, number: Int64(code.rawValue)) + Self.field(2, octets: Array(message.utf8))
            + Self.field(3, octets: detail)
    }

    private static func field(_ tag: UInt8, number: Int64) -> [UInt8] {
        number == 0 ? [] : [tag << 3] + varint(UInt64(bitPattern: number))
    }

    private static func field(_ tag: UInt8, octets: [UInt8]) -> [UInt8] {
        [tag << 3 | 2] + varint(UInt64(octets.count)) + octets
    }

    private static func varint(_ number: UInt64) -> [UInt8] {
        var (rest, octets) = (number, [UInt8]())
        while rest >= 0x80 {
            octets.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return octets + [UInt8(rest)]
    }

    /// Base64 as gRPC sends it in a header whose name ends in `-bin`.
    private static func unpadded(_ octets: [UInt8]) -> String {
        String(Data(octets).base64EncodedString().prefix { $0 != "=" })
    }
}
