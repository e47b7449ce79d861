import NIOCore

/// What a proxy has to know of one `DiscoveryResponse`: its version and nonce, to acknowledge it, and what it says of each secret.
struct DiscoveryAnswer {
    let version: [UInt8]
    let nonce: [UInt8]
    /// The leaf's version; nil where the stream holds none.
    private(set) var identity: [UInt8]?
    /// The trust bundle's version; nil where the stream holds none.
    private(set) var bundle: [UInt8]?
    /// Whether the stream's barrier was answered.
    private(set) var hasBarrier = false
    private let resources: [ByteBuffer]

    private static let identityName = SecretName.identity.octets
    private static let bundleName = SecretName.bundle.octets
    private static let barrierName = SecretName.barrier.octets

    /// The version text names every secret of the stream: `name=version`, joined by commas.
    init(_ message: ByteBuffer) throws(MessageFields.Malformed) {
        var (version, nonce, resources): ([UInt8], [UInt8], [ByteBuffer]) = ([], [], [])
        var fields = MessageFields(message)
        while let (number, value) = try fields.next() {
            switch number {
            case 1: version = Array(value.readableBytesView)
            case 2: resources.append(value)
            case 5: nonce = Array(value.readableBytesView)
            default: break
            }
        }
        guard !nonce.isEmpty else { throw MessageFields.Malformed() }
        (self.version, self.nonce, self.resources) = (version, nonce, resources)
        for entry in version.split(separator: UInt8(ascii: ",")) {
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let held = Array(entry[(equals + 1)...])
            switch entry[..<equals] {
            case DiscoveryAnswer.identityName[...]: identity = held
            case DiscoveryAnswer.bundleName[...]: bundle = held
            case DiscoveryAnswer.barrierName[...]: hasBarrier = true
            default: break
            }
        }
    }

    /// Certificate chain and private key, PEM, of the identity in this response; nil where it brings none.
    func leaf() throws(MessageFields.Malformed) -> (chain: [UInt8], key: [UInt8])? {
        for resource in resources {
            // Any.value is a Secret; its tls_certificate has a certificate_chain and a private_key, each with inline_bytes.
            guard let secret = try MessageFields.field(2, of: resource), let pair = try MessageFields.field(2, of: secret),
                let chain = try MessageFields.field(1, of: pair), let key = try MessageFields.field(2, of: pair),
                let chainText = try MessageFields.field(2, of: chain), let keyText = try MessageFields.field(2, of: key)
            else { continue }
            return (Array(chainText.readableBytesView), Array(keyText.readableBytesView))
        }
        return nil
    }
}
