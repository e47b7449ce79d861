internal import AuthorityService
internal import NIOCore
internal import Synchronization

/// A leaf that a stream waits for.
final class LeafOrder: Sendable {
    let request: LeafRequest
    let session: NIOLoopBound<SecretSession>
    let eventLoop: any EventLoop
    private let withdrawn = Atomic(false)

    init(_ request: LeafRequest, for session: SecretSession, on eventLoop: any EventLoop) {
        self.request = request
        self.session = NIOLoopBound(session, eventLoop: eventLoop)
        self.eventLoop = eventLoop
    }

    /// Whether the stream still waits.
    var isWanted: Bool { !withdrawn.load(ordering: .relaxed) }

    /// The stream is gone.
    func withdraw() {
        withdrawn.store(true, ordering: .relaxed)
    }
}
