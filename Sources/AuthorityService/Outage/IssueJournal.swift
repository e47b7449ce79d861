@preconcurrency import Dispatch
import Foundation
import Glibc
package import PKI
import Synchronization

/// A directory of one process: the journal of certificates that were issued while the ledger was away, and what the process
/// remembers of the ledger. Everything in it is synced before it counts.
///
/// A queue of its own does the blocking calls. A lock keeps a second process out, in whatever way the first one ends.
package final class IssueJournal: Sendable {
    package let directory: String
    private let queue = DispatchQueue(label: "signet.journal")
    /// Used on the queue alone, but for the counts.
    private let file: Mutex<JournalFile>
    private let memory: Mutex<LedgerMemory>
    private let lock: CInt

    /// Opens or makes the directory, takes its lock, cuts a torn tail. Blocks: for the start of a process.
    package init(directory: String) throws(JournalFailure) {
        self.directory = directory
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else { throw JournalFile.unusable(directory) }
        let lock = open(directory + "/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else { throw JournalFile.unusable(directory) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw .locked(path: directory)
        }
        do {
            memory = Mutex(try IssueJournal.readMemory(directory + "/ledger.json"))
            file = Mutex(try JournalFile(path: directory + "/leaves.journal"))
        } catch {
            close(lock)
            throw error
        }
        self.lock = lock
    }

    deinit {
        file.withLock { $0.finish() }
        flock(lock, LOCK_UN)
        close(lock)
    }

    /// How many certificates are in it.
    package var count: Int { file.withLock { $0.count } }

    package var remembered: LedgerMemory { memory.withLock { $0 } }

    /// Returns when the records are durable: one sync for all of them.
    package func append(_ records: [CertificateRecord]) async throws(JournalFailure) {
        try await onQueue { () throws(JournalFailure) in
            try self.file.withLock { file throws(JournalFailure) in try file.append(records) }
        }
    }

    /// Hands what is in it to `record`, step by step, and removes the file when all of it was taken; what is appended meanwhile is
    /// handed over too. Returns how many there were.
    package func replay<Failure: Error>(
        _ record: ([CertificateRecord]) async throws(Failure) -> Void
    ) async throws -> Int {
        var offset = JournalFile.firstFrame
        var replayed = 0
        while true {
            let from = offset
            let step = try await onQueue { () throws(JournalFailure) in
                try self.file.withLock { file throws(JournalFailure) in
                    if let step = try file.records(at: from) { return Optional(step) }
                    try file.remove(upTo: from)
                    return nil
                }
            }
            guard let step else { return replayed }
            try await record(step.records)
            replayed += step.records.count
            offset = step.next
        }
    }

    /// Makes the change durable; the file is replaced whole.
    package func remember(_ change: @escaping @Sendable (inout LedgerMemory) -> Void) async throws(JournalFailure) {
        let path = directory + "/ledger.json"
        try await onQueue { () throws(JournalFailure) in
            var next = self.memory.withLock { $0 }
            change(&next)
            guard next != self.memory.withLock({ $0 }) else { return }
            try IssueJournal.write(next, to: path)
            self.memory.withLock { [next] in $0 = next }
        }
    }

    private func onQueue<Value: Sendable>(
        _ body: @escaping @Sendable () throws(JournalFailure) -> Value
    ) async throws(JournalFailure) -> Value {
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, JournalFailure>, Never>) in
            queue.async {
                do throws(JournalFailure) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    private static func readMemory(_ path: String) throws(JournalFailure) -> LedgerMemory {
        guard access(path, F_OK) == 0 else { return LedgerMemory() }
        guard let bytes = FileManager.default.contents(atPath: path) else { throw JournalFile.unusable(path) }
        do {
            return try JSONDecoder().decode(LedgerMemory.self, from: bytes)
        } catch {
            throw .damaged(path: path, detail: "it is not what this program wrote")
        }
    }

    private static func write(_ memory: LedgerMemory, to path: String) throws(JournalFailure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let bytes = try? encoder.encode(memory) else { throw .unusable(path: path, detail: "it cannot be written") }
        let next = path + ".new"
        let descriptor = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw JournalFile.unusable(path) }
        let isWritten =
            bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) == $0.count } && fsync(descriptor) == 0
        let failure = JournalFile.unusable(path)
        close(descriptor)
        guard isWritten, rename(next, path) == 0 else {
            unlink(next)
            throw failure
        }
        JournalFile.syncDirectory(of: path)
    }
}
