import SwiftASN1

/// A rule of the encoding that a certificate or CSR breaks, where the parser of ASN.1 alone would not mind.
struct MalformedDER: Error {
    /// Completes "not a certificate: …".
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }

    /// What a message says of any error that reading DER has thrown.
    static func detail(of error: any Error) -> String {
        switch error {
        case let malformed as MalformedDER: malformed.reason
        case let error as ASN1Error: "\(error.code)"
        default: PrintableText.of("\(error)")
        }
    }
}
