/// What one client, and all clients together, may take of a door.
package struct DoorLimits: Sendable, Hashable {
    /// Connections open at a time, over all clients. Each costs a descriptor (usual limit: 20,000) and about 100 KB, so
    /// this bounds memory at some 1.6 GB; one beyond it is closed at once.
    package var connections = 16_000
    /// Of those, the most from one address (IPv6: one /64). Three quarters: a whole fleet may be behind one NAT or, with sidecars,
    /// on one host, and yet no address takes the last places from all others. Lower it where proxies have addresses of their
    /// own.
    package var connectionsPerAddress = 12_000
    /// TLS handshakes under way at a time on a gRPC door; the rest wait unread. Each takes about a millisecond of a processor, so
    /// that with two of them one that has begun is done well within any client's patience; and with 200 ms to a client, still
    /// more than a thousand are done in a second.
    package var handshakes = 256
    /// RPCs at a time on one connection. Envoy opens one for each secret that it is configured with.
    package var streamsPerConnection = 100
    /// How long a connection may be without any RPC after its last one. Envoy keeps an SDS stream open always, and one that
    /// was refused asks again within 30 s.
    package var idle: Duration = .seconds(60)
    /// How long a gRPC connection has for its handshake and its first RPC: until then nobody has shown a token. Envoy
    /// connects when it has something to ask.
    package var firstCall: Duration = .seconds(20)
    /// How long a TLS handshake may take. It is three messages; ten seconds allow for retransmissions.
    package var handshake: Duration = .seconds(10)
    /// How long the headers of an HTTP request may take from their first byte to their last: they fit into a dozen packets.
    package var headers: Duration = .seconds(10)
    /// How long one HTTP request may take from its first byte to the end of its answer, its body included.
    package var request: Duration = .seconds(60)
    /// The largest gRPC message. A first discovery request carries Envoy's node with all its extensions (about 100 KB) and
    /// up to 100 names of at most 2 KB.
    package var messageBytes = 1 << 20
    /// Octets of messages that are not whole yet, over all connections of one event loop, of which there is one for each
    /// processor: a thousand Envoys' first messages half-way, and a bound for who sends halves alone.
    package var heldBytes = 128 << 20
    /// After how long without a byte a ping asks whether the proxy is still there, and how long it has to answer: a proxy
    /// whose host vanished is gone from the list within a minute.
    package var keepalive: Duration = .seconds(30)
    package var keepaliveTimeout: Duration = .seconds(20)
    /// The shortest interval of a client's own pings that is not taken for an attack: Envoy is told to ping every 30 s.
    package var clientPingInterval: Duration = .seconds(5)
    /// How long connections have to end after the service began to stop; streams are ended at once, so only answers that
    /// are being written need it. The whole stop must fit in 30 s.
    package var shutdownGrace: Duration = .seconds(5)

    package init() {}
}
