internal import Authority
import Synchronization

/// How many connected proxies share the pace of a rotation: every stream asks, and each would count the proxies of all its meshes.
final class ReissueCount: Sendable {
    private struct Counted {
        var changes: UInt64
        var count: Int
    }

    private let counted = Mutex<[String: Counted]>([:])
    /// More than run at a time; beyond it everything is counted anew.
    private static let most = 2000

    /// Counted again when so many proxies came or went that it may be off by a sixteenth; of a few, by every one.
    func count(of rotation: Rotation, in proxies: ProxyRegistry) -> Int {
        let changes = proxies.connectionChanges
        if let known = counted.withLock({ $0[rotation.id] }), changes - min(changes, known.changes) <= UInt64(known.count / 16) {
            return known.count
        }
        let count = proxies.connectedCount(meshes: rotation.meshes)
        counted.withLock { counted in
            if counted.count >= ReissueCount.most { counted.removeAll() }
            counted[rotation.id] = Counted(changes: changes, count: count)
        }
        return count
    }
}
