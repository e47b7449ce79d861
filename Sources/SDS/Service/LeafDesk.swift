internal import AuthorityService
internal import NIOCore
internal import ServiceLifecycle

/// Has leaves issued for the streams that need one, many in one batch where many wait.
///
/// Nothing is held back to fill a batch: a single order is a batch of its own at once. When thousands come together, what
/// waits while others are under way becomes the next batches, and a batch is one commit.
struct LeafDesk: Sendable {
    private let authority: MeshAuthority
    private let mailbox = Mailbox<LeafOrder>()

    /// Leaves of a batch: as many rows as the ledger's group commit was measured to like best.
    private static let mostOrders = 128
    /// Batches at a time: one signs while one is being recorded, on two cores, with as many to spare.
    private static let mostBatches = 4

    init(authority: MeshAuthority) {
        self.authority = authority
    }

    /// `SecretSession.issued` is called with the outcome, on the session's event loop.
    func put(_ order: LeafOrder) {
        mailbox.put(order)
    }

    /// Serves until the service stops.
    func serve() async {
        await withTaskGroup(of: Void.self) { group in
            var underWay = 0
            for await _ in mailbox.rings.cancelOnGracefulShutdown() {
                var isEmpty = false
                while !isEmpty {
                    // A place first, so that the batch is as large as it can be.
                    if underWay == LeafDesk.mostBatches {
                        await group.next()
                        underWay -= 1
                    }
                    let taken = mailbox.take(LeafDesk.mostOrders)
                    isEmpty = taken.isEmpty
                    let orders = taken.filter(\.isWanted)
                    guard !orders.isEmpty else { continue }
                    underWay += 1
                    group.addTask { await issue(orders) }
                }
            }
        }
    }

    private func issue(_ orders: [LeafOrder]) async {
        let outcomes = await authority.issueLeaves(orders.map(\.request))
        // One errand to each event loop, not one for each leaf.
        var errands: [ObjectIdentifier: [(LeafOrder, Result<DeliveredLeaf, AuthorityError>)]] = [:]
        for (order, outcome) in zip(orders, outcomes) {
            errands[ObjectIdentifier(order.eventLoop), default: []].append((order, outcome))
        }
        for errand in errands.values {
            errand[0].0.eventLoop.execute {
                for (order, outcome) in errand { order.session.value.issued(outcome) }
            }
        }
    }
}
