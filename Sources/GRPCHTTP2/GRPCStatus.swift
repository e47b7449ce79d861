/// How a call ended, as gRPC says it: a code and a sentence.
package struct GRPCStatus: Error, Hashable, Sendable {
    package var code: Code
    /// Any text; it is percent-encoded on its way out. Empty with `ok`.
    package var message: String
    /// When the client may try again; nil: nothing is said of it.
    package var retryAfter: Duration?

    /// The codes that a server of ours gives, with gRPC's numbers (`doc/statuscodes.md` of grpc/grpc).
    package enum Code: Int, Hashable, Sendable {
        case ok = 0
        case cancelled = 1
        case invalidArgument = 3
        case deadlineExceeded = 4
        case notFound = 5
        case permissionDenied = 7
        case resourceExhausted = 8
        case failedPrecondition = 9
        case aborted = 10
        case unimplemented = 12
        case internalError = 13
        case unavailable = 14
        case unauthenticated = 16
    }

    package init(code: Code, message: String, retryAfter: Duration? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    package static let ok = GRPCStatus(code: .ok, message: "")

    /// The server is stopping: the client reconnects, to another replica or to this one started again.
    package static let goingAway = GRPCStatus(code: .unavailable, message: "going away: reconnect")

    /// `grpc-message` by gRPC's HTTP/2 mapping: octets of UTF-8, those outside 0x20…0x7E and `%` itself as `%XX`.
    var encodedMessage: String {
        let isPlain: (UInt8) -> Bool = { (0x20...0x7E).contains($0) && $0 != 0x25 }
        guard !message.utf8.allSatisfy(isPlain) else { return message }
        var encoded: [UInt8] = []
        for octet in message.utf8 {
            if isPlain(octet) {
                encoded.append(octet)
            } else {
                encoded += [0x25, GRPCStatus.digits[Int(octet >> 4)], GRPCStatus.digits[Int(octet & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static let digits = Array("0123456789ABCDEF".utf8)
}

extension GRPCStatus: CustomStringConvertible {
    package var description: String { code == .ok ? "ok" : "\(code): \(message)" }
}
