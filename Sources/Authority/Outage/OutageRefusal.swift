/// Why a leaf is not issued while the ledger is away.
package enum OutageRefusal: Hashable, Sendable {
    /// No directory for one is configured.
    case noJournal
    /// The ledger has not confirmed a permit since this process started.
    case noPermit
    /// For so long after the last contact, and no longer.
    case windowOver(after: Duration)
}

extension OutageRefusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noJournal: "there is no journal to issue certificates without it (journal.directory)"
        case .noPermit: "it has not been reached since the start"
        case .windowOver(let window): "certificates are issued without it for \(window.components.seconds) s at most"
        }
    }
}
