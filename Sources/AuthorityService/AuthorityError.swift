package import Authority

/// Why an operation did not happen. The doors turn it into gRPC statuses and HTTP problems, by a switch without `default`.
package enum AuthorityError: Error, Sendable, Hashable {
    /// The clock ran back behind what was issued by it, by so much.
    case clockBehind(by: Duration)
    /// Something stands in the way; the sentence names it.
    case conflict(detail: String)
    /// A key or signature failed: a defect, or a damaged key.
    case crypto(detail: String)
    /// Fields of the request that cannot be what they are.
    case invalid([InvalidParameter])
    /// The HSM does not answer, or failed: not the caller's mistake, and worth another try.
    case keyStoreUnavailable(detail: String)
    case ledger(LedgerFailure)
    /// Asked for too often; the same may be done later.
    case limited(LimitRefusal)
    case notFound(kind: String, name: String)
    /// `If-Match` named a revision that is not the current one.
    case preconditionFailed(detail: String)
    case refused(Refusal)
}

extension AuthorityError {
    /// Whether time alone mends it, or whoever sets the clock.
    package var isOfTheClock: Bool {
        if case .clockBehind = self { true } else { false }
    }
}

extension AuthorityError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .clockBehind(let gap):
            "the service's clock is \(gap.components.seconds) s behind its last issuance: nothing is issued until it has caught up"
        case .conflict(let detail): detail
        case .crypto(let detail): "a cryptographic operation failed: \(detail)"
        case .invalid(let parameters): parameters.map { "\($0.field): \($0.reason)" }.joined(separator: "; ")
        case .keyStoreUnavailable(let detail): "the key store of the certificate authority does not answer: \(detail)"
        case .ledger(let failure): failure.description
        case .limited(let refusal): refusal.description
        case .notFound(let kind, let name): "there is no \(kind) '\(name)'"
        case .preconditionFailed(let detail): detail
        case .refused(let refusal): refusal.description
        }
    }
}

/// One field of a request that is wrong, and what it should be.
package struct InvalidParameter: Sendable, Hashable {
    /// A dotted path, such as `mtls.backends[0].name`.
    package var field: String
    package var reason: String

    package init(field: String, reason: String) {
        self.field = field
        self.reason = reason
    }
}
