import COpenSSL

/// An operation of OpenSSL that failed, with what its error queue said.
package struct CryptoFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was being done, such as `sign with EC-P256`.
    package let operation: String
    /// OpenSSL's reasons, the earliest first; or our own, where the mistake was found before OpenSSL saw it.
    package let reasons: [String]

    package init(_ operation: String, reasons: [String]) {
        self.operation = operation
        self.reasons = reasons
    }

    /// Takes all errors off this thread's queue, so that none is blamed on a later call.
    static func drained(_ operation: String) -> CryptoFailure {
        var reasons: [String] = []
        // The queue holds 16 errors (ERR_NUM_ERRORS).
        while reasons.count < 16 {
            let code = ERR_get_error()
            guard code != 0 else { break }
            // ERR_error_string_n's documentation: 256 bytes hold every message.
            let text = [UInt8](unsafeUninitializedCapacity: 256) { buffer, count in
                buffer.withMemoryRebound(to: CChar.self) { ERR_error_string_n(code, $0.baseAddress, $0.count) }
                count = buffer.firstIndex(of: 0) ?? 0
            }
            reasons.append(String(decoding: text, as: UTF8.self))
        }
        return CryptoFailure(operation, reasons: reasons)
    }

    package var description: String {
        reasons.isEmpty ? "cannot \(operation)" : "cannot \(operation): \(reasons.joined(separator: "; "))"
    }
}
