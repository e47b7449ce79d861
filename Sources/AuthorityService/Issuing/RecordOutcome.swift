internal import PKI

/// What became of certificates that were to be recorded together.
enum RecordOutcome: Sendable {
    /// For each, in their order, why it was not recorded; nil: it was. One that the ledger does not take fails alone.
    case each([LedgerFailure?])
    /// None, or nobody knows.
    case failed(LedgerFailure)
    case recorded

    /// Why the certificate at `index` must not be delivered; nil: it is durable.
    func failure(at index: Int) -> LedgerFailure? {
        switch self {
        case .each(let failures): failures[index]
        case .failed(let failure): failure
        case .recorded: nil
        }
    }

    /// Whether nothing was written, for want of a connection.
    var isUnavailable: Bool {
        switch self {
        case .each(let failures): failures.allSatisfy { if case .unavailable = $0 { true } else { false } }
        case .failed(.unavailable): true
        case .failed, .recorded: false
        }
    }

    /// The outcome of the certificates in `range` alone.
    subscript(range: Range<Int>) -> RecordOutcome {
        switch self {
        case .each(let failures): .each(Array(failures[range]))
        case .failed, .recorded: self
        }
    }
}
