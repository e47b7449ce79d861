@preconcurrency import Dispatch
import Foundation
import Glibc
package import PKI
import Synchronization

/// A directory of one process: the journal of certificates that were issued while the ledger was away, and what the process
/// remembers of the ledger. Everything in it is synced before it counts.
///
/// A queue of its own does the blocking calls, and nobody waits for it longer than `patience`: from then on the journal takes nothing
/// until the disk has answered, and what came too late is undone. A lock keeps a second process out, in whatever way the first one ends.
package final class IssueJournal: Sendable {
    package let directory: String
    private let queue = DispatchQueue(label: "signet.journal")
    /// Used on the queue alone, but for the counts.
    private let file: Mutex<JournalFile>
    private let memory: Mutex<LedgerMemory>
    private let lock: CInt
    private let patience: Duration
    private let sync: @Sendable (CInt) -> CInt
    /// Where the deadlines run out while the other queue hangs.
    private let deadlines = DispatchQueue(label: "signet.journal.deadlines")
    /// Steps that nobody waits for any more, and that have not ended.
    private let overdue = Overdue()
    /// Certificates of a file that was removed after `replay` had given up on it. Used on the queue alone.
    private let unreported = Mutex(0)

    /// What a local disk takes for a sync, many times over: whoever waits for a leaf has asked again by then.
    package static let patience = Duration.seconds(5)

    /// Opens or makes the directory, takes its lock, cuts a torn tail. Blocks: for the start of a process.
    ///
    /// `sync` is what makes a descriptor durable, with the result of `fsync`: tests hand in disks that hang and fail.
    package init(
        directory: String, patience: Duration = IssueJournal.patience, sync: @escaping @Sendable (CInt) -> CInt = { fsync($0) }
    ) throws(JournalFailure) {
        self.directory = directory
        self.patience = patience
        self.sync = sync
        if mkdir(directory, 0o700) == 0 {
            try JournalFile.syncDirectory(of: directory, by: sync)
        } else {
            guard errno == EEXIST else { throw JournalFile.unusable(directory) }
        }
        let lock = open(directory + "/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else { throw JournalFile.unusable(directory) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw .locked(path: directory)
        }
        do {
            memory = Mutex(try IssueJournal.readMemory(directory + "/ledger.json"))
            file = Mutex(try JournalFile(path: directory + "/leaves.journal", sync: sync))
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

    /// Returns when the records are durable: one sync for all of them. After a failure none of them is in it.
    package func append(_ records: [CertificateRecord]) async throws(JournalFailure) {
        _ = try await onQueue { () throws(JournalFailure) in
            try self.file.withLock { file throws(JournalFailure) in
                let place = file.place
                try file.append(records)
                return place
            }
        } late: { place in
            // Whoever asked was told that they are not in it.
            self.file.withLock { $0.cut(to: place) }
        }
    }

    /// Hands what is in it to `record`, step by step, and removes the file when all of it was taken; what is appended meanwhile is
    /// handed over too. Returns how many there were.
    package func replay<Failure: Error>(
        _ record: ([CertificateRecord]) async throws(Failure) -> Void
    ) async throws -> Int {
        var offset = JournalFile.firstFrame
        while true {
            let from = offset
            let step = try await onQueue { () throws(JournalFailure) in
                try self.file.withLock { file throws(JournalFailure) in
                    if let (records, next) = try file.records(at: from) { return Step.records(records, next: next) }
                    let count = file.count
                    try file.remove(upTo: from)
                    return .removed(
                        self.unreported.withLock { unreported in
                            defer { unreported = 0 }
                            return unreported + count
                        })
                }
            } late: { step in
                // The next replay tells of them.
                if case .removed(let count) = step { self.unreported.withLock { $0 += count } }
            }
            switch step {
            case .records(let records, let next):
                try await record(records)
                offset = next
            case .removed(let count): return count
            }
        }
    }

    private enum Step: Sendable {
        case records([CertificateRecord], next: Int)
        case removed(Int)
    }

    /// Makes the change durable; the file is replaced whole.
    package func remember(_ change: @escaping @Sendable (inout LedgerMemory) -> Void) async throws(JournalFailure) {
        let path = directory + "/ledger.json"
        try await onQueue { () throws(JournalFailure) in
            var next = self.memory.withLock { $0 }
            change(&next)
            guard next != self.memory.withLock({ $0 }) else { return }
            try self.write(next, to: path)
            self.memory.withLock { [next] in $0 = next }
        }
    }

    /// Runs `body` on the queue. Where it does not end in time, this throws: what has not begun by then never does, and `late` undoes
    /// what ended after that, on the queue too.
    private func onQueue<Value: Sendable>(
        _ body: @escaping @Sendable () throws(JournalFailure) -> Value,
        late: @escaping @Sendable (Value) -> Void = { _ in }
    ) async throws(JournalFailure) -> Value {
        guard overdue.count == 0 else { throw hanging }
        let (overdue, hanging) = (overdue, hanging)
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, JournalFailure>, Never>) in
            let waiting = Once(continuation)
            let deadline = DispatchWorkItem {
                // Counted before anybody is told.
                overdue.add(1)
                if !waiting.resume(.failure(hanging)) { overdue.add(-1) }
            }
            queue.async {
                guard waiting.isWaiting else { return overdue.add(-1) }
                let result: Result<Value, JournalFailure>
                do throws(JournalFailure) {
                    result = .success(try body())
                } catch {
                    result = .failure(error)
                }
                deadline.cancel()
                guard !waiting.resume(result) else { return }
                if case .success(let value) = result { late(value) }
                overdue.add(-1)
            }
            deadlines.asyncAfter(deadline: .now() + .milliseconds(Int(patience / .milliseconds(1))), execute: deadline)
        }
        return try result.get()
    }

    private var hanging: JournalFailure {
        .unusable(path: directory, detail: "the disk has not answered for \(patience.components.seconds) s")
    }

    /// Apart from the journal, which a deadline that is not needed any more must not keep from closing.
    private final class Overdue: Sendable {
        private let steps = Mutex(0)

        var count: Int { steps.withLock { $0 } }

        func add(_ change: Int) { steps.withLock { $0 += change } }
    }

    /// Whoever waits for the queue, and is told once.
    private final class Once<Value: Sendable>: Sendable {
        private let continuation: Mutex<CheckedContinuation<Value, Never>?>

        init(_ continuation: CheckedContinuation<Value, Never>) { self.continuation = Mutex(continuation) }

        var isWaiting: Bool { continuation.withLock { $0 != nil } }

        /// False where it was told before.
        func resume(_ value: Value) -> Bool {
            let continuation = continuation.withLock { continuation in
                defer { continuation = nil }
                return continuation
            }
            continuation?.resume(returning: value)
            return continuation != nil
        }
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

    private func write(_ memory: LedgerMemory, to path: String) throws(JournalFailure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let bytes = try? encoder.encode(memory) else { throw .unusable(path: path, detail: "it cannot be written") }
        let next = path + ".new"
        let descriptor = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw JournalFile.unusable(path) }
        let isWritten =
            bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) == $0.count } && sync(descriptor) == 0
        let failure = JournalFile.unusable(path)
        close(descriptor)
        guard isWritten, rename(next, path) == 0 else {
            unlink(next)
            throw failure
        }
        try JournalFile.syncDirectory(of: path, by: sync)
    }
}
