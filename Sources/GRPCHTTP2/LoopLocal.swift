package import NIOCore
internal import Synchronization

/// One value for each event loop, made when it is first asked for there, and touched on that loop alone.
package final class LoopLocal<Value>: Sendable {
    private let make: @Sendable (any EventLoop) -> Value
    private let values = Mutex<[ObjectIdentifier: (eventLoop: any EventLoop, value: NIOLoopBound<Value>)]>([:])

    package init(_ make: @escaping @Sendable (any EventLoop) -> Value) {
        self.make = make
    }

    /// The value of `eventLoop`, which must be the current one.
    package func value(on eventLoop: any EventLoop) -> Value {
        values.withLock { values in
            let key = ObjectIdentifier(eventLoop)
            if let known = values[key] { return known.value }
            let value = NIOLoopBound(make(eventLoop), eventLoop: eventLoop)
            values[key] = (eventLoop, value)
            return value
        }.value
    }

    /// Runs `body` on each loop that has a value, some time soon.
    package func runOnEach(_ body: @escaping @Sendable (Value) -> Void) {
        for (eventLoop, value) in values.withLock({ Array($0.values) }) {
            eventLoop.execute { body(value.value) }
        }
    }
}
