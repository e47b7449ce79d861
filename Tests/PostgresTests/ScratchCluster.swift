import Glibc
import Postgres
import Synchronization
import TestSupport

/// A private cluster of one test's own, in a new folder that is gone afterwards, whatever happens.
enum ScratchCluster {
    private static let number = Atomic<Int>(0)

    /// A path that nothing uses; its folder is watched, and removed with the process.
    static func newPath() throws -> String {
        let path = "/tmp/signet-scratch-\(getpid())-\(number.add(1, ordering: .relaxed).newValue)"
        try ClusterWatchdog.watch(path)
        return path
    }

    static func withCluster(_ body: (PrivateCluster, String) async throws -> Void) async throws {
        let path = try newPath()
        let cluster = make(path)
        do {
            try await body(cluster, path)
        } catch {
            await cluster.stop()
            throw error
        }
        await cluster.stop()
    }

    static func make(_ path: String) -> PrivateCluster {
        PrivateCluster(dataDirectory: path, durability: .volatile, logger: TestDatabase.logger)
    }
}
