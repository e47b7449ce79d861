/// Drafts in the order in which they were prepared: each is taken out once, or goes with the queue.
///
/// An array could not hold them, since they are not copyable.
struct LeafDrafts: ~Copyable {
    private let memory: UnsafeMutablePointer<LeafDraft>
    private let capacity: Int
    /// Those that were taken out and those that were put in, counted from the first.
    private var taken = 0
    private var count = 0

    init(capacity: Int) {
        self.capacity = capacity
        memory = .allocate(capacity: max(1, capacity))
    }

    deinit {
        (memory + taken).deinitialize(count: count - taken)
        memory.deallocate()
    }

    mutating func append(_ draft: consuming LeafDraft) {
        precondition(count < capacity)
        (memory + count).initialize(to: draft)
        count += 1
    }

    /// The one that has waited longest.
    mutating func removeFirst() -> LeafDraft {
        precondition(taken < count)
        taken += 1
        return (memory + taken - 1).move()
    }
}
