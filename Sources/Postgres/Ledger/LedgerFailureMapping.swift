internal import AuthorityService

extension LedgerFailure {
    /// What a failed call means to the service. `conflicts` names what a violated constraint stands for, in a person's words.
    init(_ error: PostgresError, conflicts: (PostgresServerError) -> String = { $0.message }) {
        switch error {
        case .cancelled(let mayHaveRun), .deadlineExceeded(let mayHaveRun):
            self = mayHaveRun ? .outcomeUnknown(detail: "\(error)") : .unavailable(detail: "\(error)")
        case .connectionFailed(let detail):
            self = .unavailable(detail: detail)
        case .connectionLost(let detail, let mayHaveRun):
            self = mayHaveRun ? .outcomeUnknown(detail: detail) : .unavailable(detail: detail)
        case .server(let report):
            self = LedgerFailure(report, description: "\(error)", conflicts: conflicts)
        case .unexpectedResult(let detail):
            self = .rejected(detail: detail)
        }
    }

    /// As `init(_:)`, for statements that change nothing, or not yet: in doubt means in vain.
    init(withoutEffect error: PostgresError, conflicts: (PostgresServerError) -> String = { $0.message }) {
        switch LedgerFailure(error, conflicts: conflicts) {
        case .outcomeUnknown(let detail): self = .unavailable(detail: detail)
        case let failure: self = failure
        }
    }

    private init(_ report: PostgresServerError, description: String, conflicts: (PostgresServerError) -> String) {
        switch report.sqlState {
        case "22012":
            // A division by zero, which no statement has but `LoadSQL.confirm`.
            self = .behind(detail: "whoever answered is another database or server than was seen, or has lost transactions")
        case "23503", "23505":
            // Foreign key, unique key.
            self = .conflict(what: conflicts(report))
        case "25006", "25P03", "40001", "40P01", "53100", "53200", "53300", "55P03", "57014":
            // A standby; we stopped too long; serialization, deadlock; no room on its disk or in its memory; no connection left; a
            // lock; the statement time-out.
            self = .unavailable(detail: description)
        default:
            self = report.endsTheSession ? .unavailable(detail: description) : .rejected(detail: description)
        }
    }
}
