internal import AuthorityService
internal import Synchronization

/// How many requests are being handled: each may hold a connection of the database's pool and a page of rows in memory.
package final class RunningRequests: Sendable {
    private let limit: Int
    private let running = Atomic(0)

    /// Eight for each connection of the database's pool: each is answered within the pool's time-out if one takes half a second.
    package static let most = 64

    init(limit: Int) {
        self.limit = limit
    }

    /// Throws where there are too many; else `end` must follow.
    func begin() throws(LimitRefusal) {
        guard running.wrappingAdd(1, ordering: .relaxed).newValue > limit else { return }
        end()
        // A request takes milliseconds; a second is the shortest that HTTP can say.
        throw LimitRefusal(limit: .adminRequests, retryAfter: .seconds(1))
    }

    func end() {
        running.wrappingSubtract(1, ordering: .relaxed)
    }
}
