import TestSupport

@testable import AuthorityService

extension Service {
    /// Runs the service's own tasks until `body` has ended.
    func whileRunning(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try? await authority.run()
                return false
            }
            group.addTask {
                try await body()
                return true
            }
            defer { group.cancelAll() }
            while let isDone = try await group.next() { if isDone { return } }
        }
    }
}

extension MemoryLedger {
    /// Another server answers from now on, with what `store` has.
    func failOver(to store: MemoryLedgerStore) {
        var store = store
        store.timeline = disk.store.timeline + 1
        disk.restore(store)
    }
}
