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
    /// What the opening cut off.
    package let tear: JournalTear?
    private let queue = DispatchQueue(label: "signet.journal")
    /// Used on the queue alone.
    private let place: Mutex<JournalDirectory>
    /// Used on the queue alone, but for the counts.
    private let file: Mutex<JournalFile>
    private let memory: Mutex<LedgerMemory>
    private let lastFailure = Mutex<JournalFailure?>(nil)
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
        var place = try JournalDirectory(path: directory, sync: sync)
        do {
            memory = Mutex(try LedgerMemoryFile.read(directory + "/ledger.json"))
            let leaves = try JournalFile(path: directory + "/leaves.journal", sync: sync)
            tear = leaves.tear
            file = Mutex(leaves)
        } catch {
            place.finish()
            throw error
        }
        self.place = Mutex(place)
    }

    deinit {
        file.withLock { $0.finish() }
        place.withLock { $0.finish() }
    }

    /// How many certificates are in it.
    package var count: Int { file.withLock { $0.count } }

    package var remembered: LedgerMemory { memory.withLock { $0 } }

    /// What the process that uses the directory, or used it last, remembers: for whoever only asks, and takes no lock.
    package static func remembered(in directory: String) throws(JournalFailure) -> LedgerMemory {
        try JournalDirectory.confirmIsNoFile(directory)
        return try LedgerMemoryFile.read(directory + "/ledger.json")
    }

    /// Why it did not take what it was given last; nil: it took it.
    package var failure: JournalFailure? { lastFailure.withLock { $0 } }

    /// Returns when the records are durable: one sync for all of them. After a failure none of them is in it.
    package func append(_ records: [CertificateRecord]) async throws(JournalFailure) {
        _ = try await writing { () throws(JournalFailure) in
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

    /// Hands what is in it to `record`, as many steps at once as fit in a statement, and removes the file when all of it was taken;
    /// what is appended meanwhile is handed over too. Returns how many there were.
    package func replay<Failure: Error>(
        _ record: ([CertificateRecord]) async throws(Failure) -> Void
    ) async throws -> Int {
        var offset = JournalFile.firstFrame
        while true {
            let from = offset
            let step = try await onQueue { () throws(JournalFailure) -> Step in
                try self.file.withLock { file throws(JournalFailure) in
                    if let (records, next) = try IssueJournal.steps(of: file, at: from) { return .records(records, next: next) }
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

    /// Certificates that are replayed at once, unless a single step has more: one certificate is often a step of its own, and each
    /// transaction costs the database a sync.
    package static let mostReplayed = 256

    /// The steps from `offset` on that fit, and where the next begins; nil at the end.
    private static func steps(
        of file: JournalFile, at offset: Int
    ) throws(JournalFailure) -> (records: [CertificateRecord], next: Int)? {
        guard var (records, next) = try file.records(at: offset) else { return nil }
        while records.count < mostReplayed {
            // One that cannot be read is told of when what stands before it was taken.
            guard let step = try? file.records(at: next), records.count + step.records.count <= mostReplayed else { break }
            records += step.records
            next = step.next
        }
        return (records, next)
    }

    private enum Step: Sendable {
        case records([CertificateRecord], next: Int)
        case removed(Int)
    }

    /// Makes the change durable; the file is replaced whole.
    package func remember(_ change: @escaping @Sendable (inout LedgerMemory) -> Void) async throws(JournalFailure) {
        try await writing { () throws(JournalFailure) in
            var next = self.memory.withLock { $0 }
            change(&next)
            // What failed before is tried again, changed or not.
            guard next != self.memory.withLock({ $0 }) || self.failure != nil else { return }
            try self.write(next)
            self.memory.withLock { [next] in $0 = next }
        }
    }

    /// Looks whether it would take a certificate, by writing anew what is remembered: a disk that is full, or read-only, shows so
    /// before it is needed.
    package func probe() async throws(JournalFailure) {
        try await writing { () throws(JournalFailure) in
            try self.file.withLock { file throws(JournalFailure) in try file.confirmPlace() }
            try self.write(self.memory.withLock { $0 })
        }
    }

    /// Runs `body` on the queue, in this process's directory, and keeps how it ended.
    private func writing<Value: Sendable>(
        _ body: @escaping @Sendable () throws(JournalFailure) -> Value,
        late: @escaping @Sendable (Value) -> Void = { _ in }
    ) async throws(JournalFailure) -> Value {
        do throws(JournalFailure) {
            let value = try await onQueue(
                { () throws(JournalFailure) in
                    let isAnother = try self.place.withLock { place throws(JournalFailure) in try place.hold() }
                    if isAnother { try self.write(self.memory.withLock { $0 }) }
                    return try body()
                }, late: late)
            lastFailure.withLock { $0 = nil }
            return value
        } catch {
            lastFailure.withLock { $0 = error }
            throw error
        }
    }

    private func write(_ memory: LedgerMemory) throws(JournalFailure) {
        try LedgerMemoryFile.write(memory, to: directory + "/ledger.json", sync: sync)
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
}
