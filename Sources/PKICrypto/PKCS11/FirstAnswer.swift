import Synchronization

/// What one of several gives first to the one who waits; the others' answers are dropped.
final class FirstAnswer<Value: Sendable>: Sendable {
    private enum State {
        case new
        case awaited(CheckedContinuation<Value, Never>)
        case given
    }

    private let state = Mutex<State>(.new)

    /// Whether an answer would still reach somebody.
    var isAwaited: Bool {
        state.withLock { if case .awaited = $0 { true } else { false } }
    }

    /// Called once, before anybody answers.
    func wait(_ continuation: CheckedContinuation<Value, Never>) { state.withLock { $0 = .awaited(continuation) } }

    func give(_ value: Value) {
        let continuation = state.withLock { state -> CheckedContinuation<Value, Never>? in
            guard case .awaited(let continuation) = state else { return nil }
            state = .given
            return continuation
        }
        continuation?.resume(returning: value)
    }
}
