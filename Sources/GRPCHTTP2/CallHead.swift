internal import NIOCore
internal import NIOHPACK

/// The request line and headers of a call, as far as the transport must know them.
struct CallHead {
    let path: String
    /// How long the caller waits; nil: as long as it takes.
    let timeout: TimeAmount?

    /// Why a request is no gRPC call, and is answered with an HTTP status alone.
    enum Refusal: Error, Equatable {
        case methodNotAllowed
        case unsupportedMediaType

        var headers: HPACKHeaders {
            switch self {
            case .methodNotAllowed: [":status": "405", "allow": "POST"]
            case .unsupportedMediaType: [":status": "415"]
            }
        }
    }

    /// Reads them by gRPC's HTTP/2 mapping. `te: trailers` is not insisted on: some proxies drop it, and no answer depends
    /// on it.
    init(_ headers: HPACKHeaders) throws(Refusal) {
        guard headers.first(name: ":method") == "POST" else { throw .methodNotAllowed }
        guard let type = headers.first(name: "content-type"), CallHead.isGRPC(type) else { throw .unsupportedMediaType }
        path = headers.first(name: ":path") ?? ""
        timeout = headers.first(name: "grpc-timeout").flatMap(CallHead.timeout)
    }

    /// `application/grpc`, alone or with a subtype (`+proto`) or parameters.
    private static func isGRPC(_ type: String) -> Bool {
        let expected = "application/grpc"
        let start = type.utf8.prefix(expected.utf8.count)
        guard start.count == expected.utf8.count, zip(start, expected.utf8).allSatisfy({ $0 | 0x20 == $1 | 0x20 }) else {
            return false
        }
        guard let next = type.utf8.dropFirst(expected.utf8.count).first else { return true }
        return next == UInt8(ascii: "+") || next == UInt8(ascii: ";") || next == UInt8(ascii: " ")
    }

    /// At most eight digits and a unit; nil for anything else.
    static func timeout(_ text: String) -> TimeAmount? {
        let digits = text.utf8.dropLast()
        guard (1...8).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = Int64(text.dropLast()), let unit = text.utf8.last
        else { return nil }
        switch unit {
        case UInt8(ascii: "H"): return .hours(value)
        case UInt8(ascii: "M"): return .minutes(value)
        case UInt8(ascii: "S"): return .seconds(value)
        case UInt8(ascii: "m"): return .milliseconds(value)
        case UInt8(ascii: "u"): return .microseconds(value)
        case UInt8(ascii: "n"): return .nanoseconds(value)
        default: return nil
        }
    }
}
