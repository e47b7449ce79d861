import NIOSSL
import Synchronization

/// The TLS contexts by which proxies connect: one without a certificate, and one for each leaf.
final class IdentityShelf: Sendable {
    private struct Leaf {
        var chain: [UInt8]
        var key: [UInt8]
        /// Made when it is needed, not when the leaf comes: then the service is being measured.
        var context: NIOSSLContext?
    }

    private let roots: [NIOSSLCertificate]
    private let anonymous: NIOSSLContext
    private let leaves: Mutex<[Leaf?]>

    init(roots: [NIOSSLCertificate], leaves: Int) throws {
        self.roots = roots
        anonymous = try NIOSSLContext(configuration: IdentityShelf.configuration(roots))
        self.leaves = Mutex(Array(repeating: nil, count: leaves))
    }

    /// Whether the leaf of proxy `number` is one that connections are made with.
    func keeps(_ number: Int) -> Bool { leaves.withLock { number < $0.count } }

    func put(_ leaf: (chain: [UInt8], key: [UInt8]), of number: Int) {
        leaves.withLock { $0[number] = Leaf(chain: leaf.chain, key: leaf.key, context: nil) }
    }

    /// Makes all contexts that are missing, before a round is timed.
    func prepare() throws {
        try leaves.withLock { leaves in
            for index in leaves.indices { try prepare(&leaves[index]) }
        }
    }

    /// For proxy `number`, whose leaf may be one that it shares.
    func context(for number: Int) throws -> NIOSSLContext {
        try leaves.withLock { leaves in
            guard !leaves.isEmpty else { return anonymous }
            let slot = number % leaves.count
            try prepare(&leaves[slot])
            return leaves[slot]?.context ?? anonymous
        }
    }

    var contextWithoutCertificate: NIOSSLContext { anonymous }

    private func prepare(_ leaf: inout Leaf?) throws {
        guard var found = leaf, found.context == nil else { return }
        var configuration = IdentityShelf.configuration(roots)
        configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(found.chain).map { .certificate($0) }
        configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: found.key, format: .pem))
        found.context = try NIOSSLContext(configuration: configuration)
        leaf = found
    }

    private static func configuration(_ roots: [NIOSSLCertificate]) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv13
        configuration.applicationProtocols = ["h2"]
        configuration.trustRoots = .certificates(roots)
        // Envoy's default since it speaks the hybrid, which costs both sides another half of a handshake.
        configuration.curves = [.x25519_MLKEM768, .x25519, .secp256r1]
        return configuration
    }
}
