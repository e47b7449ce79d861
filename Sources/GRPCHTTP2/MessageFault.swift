/// Why no message can be read from a call any more.
enum MessageFault: Error, Hashable {
    /// Compression was not agreed on: identity is all that is accepted.
    case compressed
    /// The octet before the length is neither 0 nor 1.
    case flag(UInt8)
    case tooLong(octets: Int, limit: Int)

    var status: GRPCStatus {
        switch self {
        case .compressed: GRPCStatus(code: .unimplemented, message: "compressed messages are not accepted")
        case .flag(let flag): GRPCStatus(code: .internalError, message: "a message begins with \(flag), which is no flag")
        case .tooLong(let octets, let limit):
            GRPCStatus(
                code: .resourceExhausted, message: "a message of \(octets) octets is more than the \(limit) accepted")
        }
    }
}
