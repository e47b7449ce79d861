import Synchronization

/// A certificate chain that a test hands to a door.
final class Handed: Sendable {
    private let contents = Mutex<[[UInt8]]?>(nil)

    var value: [[UInt8]]? {
        get { contents.withLock { $0 } }
        set { contents.withLock { $0 = newValue } }
    }
}
