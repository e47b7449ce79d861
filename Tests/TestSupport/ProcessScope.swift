/// The child processes of one test: they start when asked, and none outlives the scope.
package struct ProcessScope: Sendable {
    private let launches: AsyncStream<ChildProcess>.Continuation

    /// Runs `body`, then ends every process that it started and waits for their ends, also when `body` throws.
    package static func open<Value: Sendable>(_ body: (ProcessScope) async throws -> Value) async throws -> Value {
        let (children, launches) = AsyncStream.makeStream(of: ChildProcess.self)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await withDiscardingTaskGroup { running in
                    for await child in children { running.addTask { await child.run() } }
                }
            }
            do {
                let value = try await body(ProcessScope(launches: launches))
                launches.finish()
                group.cancelAll()
                try await group.waitForAll()
                return value
            } catch {
                launches.finish()
                group.cancelAll()
                try? await group.waitForAll()
                throw error
            }
        }
    }

    /// Starts `child` and waits until it is there.
    package func start(_ child: ChildProcess) async throws {
        launches.yield(child)
        try await child.waitForStart()
    }
}
