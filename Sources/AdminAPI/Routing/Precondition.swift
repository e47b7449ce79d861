internal import AuthorityService
internal import Hummingbird

/// What `If-Match` and `If-None-Match` of a write ask for (RFC 9110 §13.1).
enum Precondition {
    /// The revision that the write is to replace: nil for any, 0 for none at all.
    ///
    /// Throws where the answer is known already: a tag that is not the current one, or `*` against nothing.
    static func revision(_ headers: HTTPFields, current: Int64?, what: String) throws(AdminError) -> Int64? {
        if let absent = headers[.ifNoneMatch] {
            guard absent.trimmed == "*" else {
                throw .invalid([.init(field: "If-None-Match", reason: "must be * on a write: use If-Match with an ETag")])
            }
            guard current == nil else {
                throw .authority(.preconditionFailed(detail: "\(what) exists already: use If-Match to replace it"))
            }
            return 0
        }
        guard let wanted = headers[.ifMatch]?.trimmed else { return nil }
        if wanted == "*" {
            guard let current else { throw .authority(.preconditionFailed(detail: "there is no \(what)")) }
            return current
        }
        let tags = try tags(wanted)
        guard let current, tags.contains(entityTag(current)) else {
            throw .authority(.preconditionFailed(detail: outdated(what)))
        }
        return current
    }

    /// Refuses an order to what has another ETag by now than the one that `If-Match` asks for; without it, any will do.
    static func confirm(_ headers: HTTPFields, current: String, what: String) throws(AdminError) {
        guard let wanted = headers[.ifMatch]?.trimmed, wanted != "*" else { return }
        guard try tags(wanted).contains(current) else { throw .authority(.preconditionFailed(detail: outdated(what))) }
    }

    /// The tags of an `If-Match`. A weak one never matches a write (RFC 9110 §13.1.1): no current one has its `W/`.
    private static func tags(_ wanted: String) throws(AdminError) -> [String] {
        let tags = wanted.split(separator: ",").map(\.trimmed)
        guard tags.allSatisfy({ $0.count >= 2 && $0.last == "\"" && ($0.first == "\"" || $0.hasPrefix("W/\"")) }) else {
            throw .invalid([.init(field: "If-Match", reason: "must be an ETag with its quotes, such as \"3\"")])
        }
        return tags
    }

    private static func outdated(_ what: String) -> String {
        "\(what) is not what it was when it was read: read it again and repeat"
    }

    /// A race that is lost inside the ledger is a failed precondition for whoever stated one, and a conflict for others.
    static func changing<Outcome>(
        _ what: String, from revision: Int64?, _ change: () async throws(AuthorityError) -> Outcome
    ) async throws(AuthorityError) -> Outcome {
        do {
            return try await change()
        } catch {
            guard revision != nil, case .ledger(.conflict) = error else { throw error }
            throw .preconditionFailed(detail: "\(what) was changed by somebody else at the same time: read it again and repeat")
        }
    }

    /// The ETag of a document at a revision.
    static func entityTag(_ revision: Int64) -> String { "\"\(revision)\"" }
}

extension StringProtocol {
    /// Without the blanks around it that HTTP allows in a field's value (RFC 9110 §5.6.3).
    var trimmed: String {
        var text = Substring(self)
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
