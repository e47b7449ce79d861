/// What one proxy holds, from one connection to the next.
///
/// Sendable because each proxy belongs to one event loop, on which alone it is touched.
final class SimulatedProxy: @unchecked Sendable {
    let number: Int
    /// Envoy's node id.
    let node: [UInt8]
    /// Of the leaf; empty until there is one.
    var identity: [UInt8] = []
    /// Of the trust bundle.
    var bundle: [UInt8] = []
    /// The version that each stream acknowledged last, as the first request after a reconnect names it.
    var versions: [[UInt8]]

    init(number: Int, node: String, streams: Int) {
        self.number = number
        self.node = Array(node.utf8)
        versions = Array(repeating: [], count: streams)
    }
}
