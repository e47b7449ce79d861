internal import Synchronization

/// What callers and a connection's thread share: the jobs that wait, and which of them were cancelled.
final class ConnectionMailbox: Sendable {
    typealias Answer = Result<[PostgresResult], PostgresError>

    enum Work: Sendable {
        case connect
        /// Sent together, ended by one synchronisation point.
        case execute([PostgresStatement])
        /// Waits for notifications until the deadline, which is its good end.
        case listen
    }

    struct Job: Sendable {
        let id: UInt64
        let work: Work
        let deadline: ContinuousClock.Instant
        let complete: @Sendable (Answer) -> Void
    }

    enum Next: Sendable {
        case close
        case job(Job)
        case nothing
    }

    private struct State {
        var jobs: [Job] = []
        var cancelled: Set<UInt64> = []
        var lastID: UInt64 = 0
        /// Jobs end in the order of their ids; a cancellation of one that ended is too late.
        var lastEnded: UInt64 = 0
        var isClosing = false
        /// The thread is gone or going, and takes no more jobs.
        var isEnded = false
        var isUsable = false
    }

    private let state = Mutex(State())
    let wake: WakeDescriptor

    init() throws(PostgresError) {
        wake = try WakeDescriptor()
    }

    /// Connected, outside a transaction, and not known to be broken.
    var isUsable: Bool { state.withLock { $0.isUsable && !$0.isClosing && !$0.isEnded } }

    func setUsable(_ isUsable: Bool) {
        state.withLock { $0.isUsable = isUsable }
    }

    func nextID() -> UInt64 {
        state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
    }

    /// Hands a job to the thread; false when there is none any more.
    func submit(_ job: Job) -> Bool {
        let accepted = state.withLock { state in
            guard !state.isClosing, !state.isEnded else { return false }
            state.jobs.append(job)
            return true
        }
        wake.signal()
        return accepted
    }

    func cancel(_ id: UInt64) {
        state.withLock { state in
            if id > state.lastEnded { _ = state.cancelled.insert(id) }
        }
        wake.signal()
    }

    /// Asks the thread to end the connection, and itself, as soon as the current job is done.
    func close() {
        state.withLock { $0.isClosing = true }
        wake.signal()
    }

    func isCancelled(_ id: UInt64) -> Bool {
        state.withLock { $0.cancelled.contains(id) }
    }

    func next() -> Next {
        state.withLock { state in
            if !state.jobs.isEmpty { return .job(state.jobs.removeFirst()) }
            return state.isClosing ? .close : .nothing
        }
    }

    func ended(_ id: UInt64) {
        state.withLock { state in
            state.lastEnded = max(state.lastEnded, id)
            state.cancelled.remove(id)
        }
    }

    /// The thread's last act: refuses everything that waits and whatever comes.
    func end() {
        let waiting = state.withLock { state in
            state.isEnded = true
            state.isUsable = false
            defer { state.jobs = [] }
            return state.jobs
        }
        for job in waiting {
            job.complete(.failure(.connectionLost(detail: "it was closed", mayHaveRun: false)))
        }
    }
}
