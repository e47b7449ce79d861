internal import Authority
internal import AuthorityService
internal import GRPCCore

/// Where errors become gRPC statuses. The message begins with a stable word, then says what to do.
extension RPCError {
    init(_ error: AuthorityError) {
        switch error {
        case .conflict(let detail): self.init(code: .aborted, message: detail)
        // The proxy can do nothing about it, and the log has the words.
        case .crypto: self.init(code: .internalError, message: "internal: see the service's log")
        case .invalid: self.init(code: .invalidArgument, message: "\(error)")
        case .ledger(let failure): self.init(failure)
        case .notFound: self.init(code: .notFound, message: "\(error)")
        case .preconditionFailed(let detail): self.init(code: .failedPrecondition, message: detail)
        case .refused(let refusal): self.init(refusal)
        }
    }

    init(_ failure: LedgerFailure) {
        switch failure {
        case .conflict: self.init(code: .aborted, message: "\(failure)")
        case .outcomeUnknown, .unavailable: self.init(code: .unavailable, message: "unavailable: try again")
        case .rejected: self.init(code: .internalError, message: "internal: see the service's log")
        }
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

    /// The service is stopping: the proxy reconnects, to another replica or to this one started again.
    static var goingAway: RPCError { RPCError(code: .unavailable, message: "going away: reconnect") }
}
