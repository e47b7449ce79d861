/// The keys that were put in last, in bounded memory, each step O(1).
///
/// Two generations: when the younger one has half of the capacity it becomes the older one, which is dropped whole.
package struct RecentKeys<Key: Hashable & Sendable>: Sendable {
    /// The most keys that are kept.
    package let capacity: Int

    private var younger: Set<Key> = []
    private var older: Set<Key> = []

    package init(capacity: Int) {
        self.capacity = max(2, capacity)
    }

    /// Keys that are kept now.
    package var count: Int { younger.count + older.count }

    package func contains(_ key: Key) -> Bool { younger.contains(key) || older.contains(key) }

    package mutating func insert(_ key: Key) {
        guard !younger.contains(key) else { return }
        if younger.count >= capacity / 2 {
            older = younger
            younger = []
        }
        older.remove(key)
        younger.insert(key)
    }

    package mutating func remove(_ key: Key) {
        younger.remove(key)
        older.remove(key)
    }
}
