import Glibc

/// The `Date` header of a response (RFC 9110 §5.6.7).
enum HTTPDate {
    /// `Sat, 21 Nov 2026 07:31:16 GMT`.
    static func now() -> String {
        format(time(nil))
    }

    static func format(_ seconds: time_t) -> String {
        var seconds = seconds
        var parts = tm()
        gmtime_r(&seconds, &parts)
        // 29 characters and the terminator. The process never leaves the C locale, so the names are English.
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { buffer in
            guard let base = buffer.baseAddress, strftime(base, buffer.count, "%a, %d %b %Y %H:%M:%S GMT", &parts) > 0 else {
                return ""
            }
            return String(cString: base)
        }
    }
}
