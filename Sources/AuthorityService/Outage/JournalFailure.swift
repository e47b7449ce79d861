/// What is wrong with the journal, or with its directory; names the file.
package enum JournalFailure: Error, Hashable, Sendable {
    /// Not by a crash: something else wrote in it, or the disk lost what it had confirmed.
    case damaged(path: String, detail: String)
    /// What is remembered of the ledger cannot be read.
    case forgotten(path: String, detail: String)
    /// Another process has it.
    case locked(path: String)
    case unusable(path: String, detail: String)
}

extension JournalFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .damaged(let path, let detail):
            "\(path) is damaged (\(detail)): certificates that are recorded nowhere else may be in it. Keep a copy, and move it "
                + "away to start without it"
        case .forgotten(let path, let detail):
            "\(path) cannot be read (\(detail)): it says which database was served, and how far. Look that the one that is "
                + "configured is the right one and lacks nothing, then move the file away and start again"
        case .locked(let path): "\(path) is in use by another signet: give each a journal.directory of its own"
        case .unusable(let path, let detail): "\(path) cannot be used: \(detail)"
        }
    }
}
