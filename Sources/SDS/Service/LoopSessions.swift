internal import NIOCore

/// The sessions of one event loop: tells them when the authority's state has changed.
///
/// In slices, so that ten thousand of them, each with something to push, leave the loop free for others in between. A change
/// that comes while a round is under way is told in a round after it: every session looks after the last change. Bound to
/// its event loop.
final class LoopSessions {
    private let eventLoop: any EventLoop
    private var sessions: [ObjectIdentifier: SecretSession] = [:]
    /// Those that the round under way has yet to tell, last first.
    private var untold: [SecretSession] = []
    private var isTelling = false
    private var hasChangedSince = false

    /// Some thirty microseconds each when there is something to push: two milliseconds a slice.
    private static let slice = 64

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func add(_ session: SecretSession) {
        sessions[ObjectIdentifier(session)] = session
    }

    func remove(_ session: SecretSession) {
        sessions[ObjectIdentifier(session)] = nil
    }

    func changed() {
        guard !isTelling else {
            hasChangedSince = true
            return
        }
        isTelling = true
        untold = Array(sessions.values)
        tellSome()
    }

    private func tellSome() {
        for session in untold.suffix(LoopSessions.slice) { session.changed() }
        untold.removeLast(min(untold.count, LoopSessions.slice))
        if untold.isEmpty {
            untold = []
            isTelling = false
            guard hasChangedSince else { return }
            hasChangedSince = false
            changed()
        } else {
            eventLoop.assumeIsolated().execute { self.tellSome() }
        }
    }
}
