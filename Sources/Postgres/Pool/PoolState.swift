/// What a pool knows, as a value without I/O: who has a connection, who waits, and what is being opened.
struct PoolState: ~Copyable {
    struct Waiter: Sendable {
        /// Given out in the order of arrival.
        let ticket: UInt64
        /// Nil: no connection, since the wait was given up or the pool closed.
        let resume: @Sendable (PostgresConnection?) -> Void
    }

    let size: Int
    private(set) var idle: [PostgresConnection] = []
    private(set) var used = 0
    private(set) var opening = 0
    private var waiters: [Waiter] = []
    private var lastTicket: UInt64 = 0
    /// Failed attempts since the last success.
    private(set) var failures = 0
    private(set) var lastFailure: String?
    private(set) var isClosed = false
    /// Called when the last used connection is back after the pool was closed.
    private var drained: (@Sendable () -> Void)?

    init(size: Int) {
        self.size = size
    }

    var waitingCount: Int { waiters.count }

    enum Checkout {
        case closed
        case connection(PostgresConnection)
        /// Wait with this ticket.
        case wait(UInt64)
    }

    /// An idle connection, unless others wait for one already.
    mutating func checkout() -> Checkout {
        guard !isClosed else { return .closed }
        idle.removeAll { !$0.isUsable }
        if waiters.isEmpty, let connection = idle.popLast() {
            used += 1
            return .connection(connection)
        }
        lastTicket += 1
        return .wait(lastTicket)
    }

    /// Puts the waiter in its place; false when it must not wait, since the pool has closed.
    mutating func enqueue(_ waiter: Waiter) -> Bool {
        guard !isClosed else { return false }
        let place = waiters.firstIndex { $0.ticket > waiter.ticket } ?? waiters.endIndex
        waiters.insert(waiter, at: place)
        return true
    }

    /// Removes a waiter that gives up; nil when it has its connection already.
    mutating func abandon(_ ticket: UInt64) -> Waiter? {
        guard let place = waiters.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        return waiters.remove(at: place)
    }

    /// The waiter that `connection` goes to; without one it is idle from now on.
    mutating func offer(_ connection: PostgresConnection) -> Waiter? {
        guard !waiters.isEmpty else {
            idle.append(connection)
            return nil
        }
        used += 1
        return waiters.removeFirst()
    }

    /// The first waiter and an idle connection for it, if there are both.
    mutating func takeIdleForWaiter() -> (Waiter, PostgresConnection)? {
        idle.removeAll { !$0.isUsable }
        guard !waiters.isEmpty, let connection = idle.popLast() else { return nil }
        used += 1
        return (waiters.removeFirst(), connection)
    }

    /// Counts a used connection as returned.
    mutating func returned() {
        used -= 1
    }

    /// Whether one more connection is to be opened now; counts it. After a failure one attempt at a time is enough.
    mutating func takeOpening() -> Bool {
        guard !isClosed, waiters.count > opening, idle.count + used + opening < size, failures == 0 || opening == 0 else {
            return false
        }
        opening += 1
        return true
    }

    mutating func opened() {
        opening -= 1
        failures = 0
        lastFailure = nil
    }

    /// Records a failed attempt, which still counts as opening until its pause is over; gives the failures in a row.
    mutating func openingFailed(_ detail: String) -> Int {
        failures += 1
        lastFailure = detail
        return failures
    }

    mutating func openingEnded() {
        opening -= 1
    }

    /// Lets nobody in any more; gives everything that is to be closed and told.
    mutating func close() -> (idle: [PostgresConnection], waiters: [Waiter]) {
        isClosed = true
        defer {
            idle = []
            waiters = []
        }
        return (idle, waiters)
    }

    /// Calls `done` when no connection is used any more: now, if so.
    mutating func whenDrained(_ done: @escaping @Sendable () -> Void) -> Bool {
        if used == 0 { return true }
        drained = done
        return false
    }

    mutating func takeDrained() -> (@Sendable () -> Void)? {
        guard isClosed, used == 0 else { return nil }
        defer { drained = nil }
        return drained
    }
}
