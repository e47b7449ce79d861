import Logging
import Postgres
import ServiceLifecycle

/// Starts the private PostgreSQL again when it has ended by itself: killed, or out of memory. The service goes on meanwhile, and
/// what it issues is in the journal.
///
/// One that does not start, or does not live for long, is tried again after a longer pause each time, and ends the program in the
/// end: whatever is wrong with it takes a person.
struct ClusterKeeper: Service, CustomStringConvertible {
    let description = "private PostgreSQL"
    let cluster: PrivateCluster
    let logger: Logger

    /// So many starts in a row: half a minute with the pauses between them.
    private static let mostStarts = 5
    /// A server that has lived for so long was started well.
    private static let soundLife = Duration.seconds(30)

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            var starts = 0
            var startedAt = ContinuousClock.now
            while (try? await Task.sleep(for: .seconds(1))) != nil {
                if cluster.serverPID != nil {
                    if ContinuousClock.now - startedAt > ClusterKeeper.soundLife { starts = 0 }
                    continue
                }
                guard starts < ClusterKeeper.mostStarts else {
                    throw CommandFailure.failed(
                        "the private PostgreSQL ended, and ended again after \(starts) starts: see \(cluster.log ?? "its log")")
                }
                // 0, 1, 2, 4, 8 s.
                if starts > 0 { guard (try? await Task.sleep(for: .seconds(1 << (starts - 1)))) != nil else { return } }
                starts += 1
                logger.warning("the private PostgreSQL ended: starting it again", metadata: ["start": "\(starts)"])
                do {
                    try await cluster.restart()
                    logger.notice("the private PostgreSQL was started again")
                } catch {
                    if Task.isCancelled { return }
                    logger.error("the private PostgreSQL does not start", metadata: ["error": "\(error)"])
                    guard starts < ClusterKeeper.mostStarts else {
                        throw CommandFailure.failed("\(error), at start \(starts) in a row: see \(cluster.log ?? "its log")")
                    }
                }
                startedAt = .now
            }
        }
    }
}
