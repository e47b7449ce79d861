internal import Synchronization

/// Hands what event loops ask for to a task, in order.
///
/// Not bounded by itself: each call of a connection has at most one entry here, and those are limited.
final class Mailbox<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])
    private let bell = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    func put(_ element: Element) {
        let isFirst = elements.withLock { elements in
            elements.append(element)
            return elements.count == 1
        }
        if isFirst { bell.continuation.yield() }
    }

    /// The oldest, at most `count`.
    func take(_ count: Int) -> [Element] {
        elements.withLock { elements in
            let taken = Array(elements.prefix(count))
            elements.removeFirst(taken.count)
            return taken
        }
    }

    /// One element whenever something may be here; for one task.
    var rings: AsyncStream<Void> { bell.stream }
}
