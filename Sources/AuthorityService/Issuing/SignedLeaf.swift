internal import Authority
internal import PKI

/// A leaf that was recorded and signed, without a key.
struct SignedLeaf: Sendable {
    var serial: SerialNumber
    var grant: LeafGrant
    /// Leaf, issuing certificate and, while its root is being rotated in, the cross certificate, PEM.
    var chainPEM: [UInt8]
}
