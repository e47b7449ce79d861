internal import Authority
internal import AuthorityService
internal import GRPCHTTP2

/// Where errors become gRPC statuses. The message begins with a stable word, then says what to do.
extension GRPCStatus {
    init(_ error: AuthorityError) {
        switch error {
        case .clockBehind: self.init(code: .unavailable, message: "\(error)")
        case .conflict(let detail): self.init(code: .aborted, message: detail)
        // The proxy can do nothing about it, and the log has the words.
        case .crypto: self.init(code: .internalError, message: "internal: see the service's log")
        case .keyStoreUnavailable:
            self.init(code: .unavailable, message: "the key store of a certificate authority does not answer: try again later")
        case .invalid: self.init(code: .invalidArgument, message: "\(error)")
        case .ledger(let failure): self.init(failure)
        case .limited(let refusal): self.init(refusal)
        case .notFound: self.init(code: .notFound, message: "\(error)")
        case .preconditionFailed(let detail): self.init(code: .failedPrecondition, message: detail)
        case .refused(let refusal): self.init(refusal)
        }
    }

    init(_ failure: LedgerFailure) {
        switch failure {
        case .conflict: self.init(code: .aborted, message: "\(failure)")
        case .behind, .outcomeUnknown, .unavailable: self.init(code: .unavailable, message: "unavailable: try again")
        case .rejected: self.init(code: .internalError, message: "internal: see the service's log")
        }
    }

    init(_ refusal: LimitRefusal) {
        self.init(code: .resourceExhausted, message: "\(refusal)", retryAfter: refusal.retryAfter)
    }

    init(_ refusal: Refusal) {
        self.init(
            code: refusal.isAboutTheCredential ? .unauthenticated : .permissionDenied,
            message: "\(refusal.reason): \(refusal)")
    }

    init(_ end: StreamEnd) {
        switch end {
        case .nameTooLong(let bytes, let limit):
            self.init(
                code: .invalidArgument, message: "a resource name has \(bytes) octets, more than the \(limit) of any secret")
        case .refused(let refusal): self.init(refusal)
        case .tooManyNames(let limit):
            self.init(code: .resourceExhausted, message: "more than \(limit) resource names on one stream: open another")
        case .tooManyUnanswered(let limit):
            self.init(code: .resourceExhausted, message: "more than \(limit) responses are neither acknowledged nor rejected")
        }
    }
}
