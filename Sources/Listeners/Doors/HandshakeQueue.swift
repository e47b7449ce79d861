internal import NIOCore
import Synchronization

/// Lets so many TLS handshakes of one door be under way at a time, and the rest wait their turn.
///
/// When thousands of proxies come at once and all handshakes begin, each waits for the processor behind all others, until the
/// clients' own time-outs end them and the work is lost. Those that wait here have cost nothing yet: nothing is read from them.
/// Addresses take turns, so that who opens many connections waits behind its own. A handshake that does not go on does not keep
/// its place: `HandshakePlace` gives it back after a while.
final class HandshakeQueue: Sendable {
    private struct State {
        var underWay = 0
        var waiting: [ClientAddress?: FirstInFirstOut<EventLoopPromise<Void>>] = [:]
        /// Each address that waits, once, in the order of turns.
        var turns = FirstInFirstOut<ClientAddress?>()
        var hasEnded = false

        mutating func next() -> EventLoopPromise<Void>? {
            guard let address = turns.removeFirst(), let promise = waiting[address]?.removeFirst() else { return nil }
            if waiting[address]?.isEmpty == true {
                waiting[address] = nil
            } else {
                turns.append(address)
            }
            return promise
        }
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) {
        self.limit = limit
    }

    /// Handshakes that wait for their turn.
    var waiting: Int { state.withLock { $0.waiting.values.reduce(0) { $0 + $1.count } } }

    /// Takes a place: nil, or what succeeds when there is one, and fails when the door closes. Each place must be left.
    func enter(_ address: ClientAddress?, on eventLoop: any EventLoop) -> EventLoopFuture<Void>? {
        state.withLock { state in
            if state.underWay < limit || state.hasEnded {
                state.underWay += 1
                return nil
            }
            let promise = eventLoop.makePromise(of: Void.self)
            if state.waiting[address] == nil { state.turns.append(address) }
            state.waiting[address, default: FirstInFirstOut()].append(promise)
            return promise.futureResult
        }
    }

    /// Gives a place back, to the next that waits.
    func leave() {
        let next = state.withLock { state in
            let next = state.next()
            if next == nil { state.underWay -= 1 }
            return next
        }
        next?.succeed()
    }

    /// The door closes: nobody waits any more.
    func end() {
        let waiting = state.withLock { state in
            state.hasEnded = true
            var all: [EventLoopPromise<Void>] = []
            while let next = state.next() { all.append(next) }
            return all
        }
        for promise in waiting { promise.fail(ChannelError.ioOnClosedChannel) }
    }
}

/// A queue whose steps are O(1), taken together.
struct FirstInFirstOut<Element> {
    private var elements: [Element?] = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ element: Element) {
        elements.append(element)
    }

    /// Nil when it is empty.
    mutating func removeFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head]
        elements[head] = nil
        head += 1
        if head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }
}

extension FirstInFirstOut: Sendable where Element: Sendable {}
