import NIOCore

/// What every proxy of a run does and shares.
struct LoadPlan: Sendable {
    /// Why a proxy connects.
    enum Purpose: Sendable {
        /// For the first time: it is served when it has its identity and its trust bundle.
        case admission
        /// For TLS alone, and HTTP/2's settings: the floor of what admitting anybody costs.
        case handshakes
        /// Again, naming the versions that it holds: it is served when the service has dealt with that, whether it sent anything or not.
        case returning
        /// With a token, for the leaf by which it comes to the mTLS port afterwards.
        case seeding
    }

    var proxies: Int
    var width: Int
    /// Of node ids.
    var prefix: String
    /// Whether each proxy brings a leaf of its own to the mTLS port, or a few share theirs.
    var hasLeafEach: Bool
    var usesCertificates: Bool
    var tokenDoor: SocketAddress
    var certificateDoor: SocketAddress
    /// Of a proxy that is served.
    var streams: [StreamPlan]
    var seedingStreams: [StreamPlan]

    /// How many proxies bring leaves where they share them: one for each core to renew.
    static let sharedLeaves = 2

    /// How many proxies have to be seeded.
    var leaves: Int { usesCertificates ? (hasLeafEach ? proxies : min(proxies, LoadPlan.sharedLeaves)) : 0 }

    func streams(for purpose: Purpose) -> [StreamPlan] {
        switch purpose {
        case .admission, .returning: streams
        case .handshakes: []
        case .seeding: seedingStreams
        }
    }

    func door(for purpose: Purpose) -> SocketAddress {
        usesCertificates && purpose != .seeding ? certificateDoor : tokenDoor
    }
}
