internal import ServiceLifecycle

/// Runs what event loops cannot: whatever awaits, such as judging credentials and fetching. Structured, so that it ends with
/// the service, and bounded.
struct TaskDesk: Sendable {
    private let mailbox = Mailbox<@Sendable () async -> Void>()

    /// At a time: enough that the ledger's look-ups share its batches, and few enough that ten thousand proxies that come at
    /// once are ten thousand short waits and not ten thousand tasks.
    private static let mostTasks = 256

    /// Runs `work` when there is room.
    func run(_ work: @escaping @Sendable () async -> Void) {
        mailbox.put(work)
    }

    /// Serves until the service stops.
    func serve() async {
        await withTaskGroup(of: Void.self) { group in
            var underWay = 0
            for await _ in mailbox.rings.cancelOnGracefulShutdown() {
                while case let works = mailbox.take(TaskDesk.mostTasks), !works.isEmpty {
                    for work in works {
                        if underWay == TaskDesk.mostTasks {
                            await group.next()
                            underWay -= 1
                        }
                        underWay += 1
                        group.addTask { await work() }
                    }
                }
            }
        }
    }
}
