internal import Hummingbird

/// What a body is, as `Content-Type` and `Content-Encoding` say (RFC 9110 §8.3, §8.4).
enum MediaType {
    /// The type in lower case without its parameters, the first of `accepted` where none is named.
    ///
    /// Throws for another type, and for a body that would have to be recoded before it is read: a text in another charset
    /// would be taken for something else than what was meant, and one that is packed says nothing of its true size.
    static func accepted(_ headers: HTTPFields, among accepted: [String]) throws(AdminError) -> String {
        let codings = (headers[.contentEncoding] ?? "").split(separator: ",").map { $0.trimmed.lowercased() }
        guard codings.allSatisfy({ $0.isEmpty || $0 == "identity" }) else {
            throw .unsupportedMediaType(detail: "the body must not be encoded: send it without Content-Encoding")
        }
        guard let value = headers[.contentType] else { return accepted[0] }
        let parts = value.split(separator: ";", omittingEmptySubsequences: false).map(\.trimmed)
        let type = parts[0].lowercased()
        guard accepted.contains(type) else {
            throw .unsupportedMediaType(detail: "send Content-Type: \(accepted.joined(separator: " or "))")
        }
        for parameter in parts.dropFirst() {
            let sides = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides[0].lowercased() == "charset" else { continue }
            let charset = sides.count > 1 ? sides[1].lowercased() : ""
            guard charset == "utf-8" || charset == "\"utf-8\"" else {
                throw .unsupportedMediaType(detail: "the body must be UTF-8: send Content-Type: \(type); charset=utf-8")
            }
        }
        return type
    }
}
