import Listeners
import PKI

/// What an Envoy bootstrap is made from; everything in it is checked.
struct BootstrapPlan: Hashable, Sendable {
    /// A port for other proxies, and the application behind it.
    struct Inbound: Hashable, Sendable {
        let listen: SocketTarget
        let application: SocketTarget

        /// Parses `LISTEN=APP`.
        init(_ text: String) throws(InvalidName) {
            let parts = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, let listen = SocketTarget(parts[0]), let application = SocketTarget(parts[1]) else {
                throw InvalidName("is not LISTEN=APP with both as ip:port, such as 127.0.0.1:10080=127.0.0.1:8080")
            }
            self.listen = listen
            self.application = application
        }
    }

    /// A local port that leads to a peer, which must have this identity.
    struct Outbound: Hashable, Sendable {
        let listen: SocketTarget
        let peer: SocketTarget
        let identity: SPIFFEID

        /// Parses `LISTEN=PEER=SPIFFE-ID`.
        init(_ text: String) throws(InvalidName) {
            let parts = text.split(separator: "=", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 3, let listen = SocketTarget(parts[0]), let peer = SocketTarget(parts[1]) else {
                throw InvalidName(
                    "is not LISTEN=PEER=SPIFFE-ID with two ip:port, such as 127.0.0.1:9001=10.0.0.7:10080=spiffe://default/api")
            }
            do {
                identity = try SPIFFEID(parts[2])
            } catch {
                throw InvalidName("names '\(parts[2])', which is not a SPIFFE ID: \(error)")
            }
            self.listen = listen
            self.peer = peer
        }
    }

    var mesh: MeshName
    var service: String
    var nodeID: String
    /// The host may be a name.
    var sds: ListenAddress
    /// PEM: what signs the serving certificate of `sds`.
    var authorityPEM: String
    /// The absolute path of the small file through which Envoy watches the token.
    var tokenSecretFile: String
    var admin: SocketTarget
    /// Whether the mesh also accepts plain text on its inbound ports.
    var isPermissive: Bool
    var inbound: [Inbound]
    var outbound: [Outbound]
}

extension BootstrapPlan {
    /// Refuses two listeners on one address: Envoy would open the first and not the second.
    func checkListeners() throws(CommandFailure) {
        var seen: Set<SocketTarget> = admin.port == 0 ? [] : [admin]
        for listen in inbound.map(\.listen) + outbound.map(\.listen) where !seen.insert(listen).inserted {
            throw .usage("two listeners have the address \(listen): give each --inbound, --outbound and --admin-address its own")
        }
    }
}
