internal import Authority
internal import PKI
internal import PKICrypto

extension SubscriberKey {
    /// NUL stands in none of the four: names are checked where they come in.
    init(mesh: MeshName, identity: SPIFFEID, proxy: String, node: String) {
        var bytes: [UInt8] = []
        // About what they take; thousands of leaves are compared by this at each gate.
        bytes.reserveCapacity(160)
        bytes += mesh.name.utf8
        bytes.append(0)
        bytes += identity.trustDomain.uri.utf8
        bytes += identity.path.utf8
        bytes.append(0)
        bytes += proxy.utf8
        bytes.append(0)
        bytes += node.utf8
        self.init(Digest.sha256(bytes).prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
    }
}

extension SubscriptionKey {
    /// Never 0, which stands for none.
    static func resource(_ name: String) -> UInt32 {
        max(1, Digest.sha256(Array(name.utf8)).prefix(4).reduce(0) { $0 << 8 | UInt32($1) })
    }
}
