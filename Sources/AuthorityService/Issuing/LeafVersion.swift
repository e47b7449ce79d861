internal import Authority
internal import PKI
internal import PKICrypto

/// The SDS version of an identity: names the leaf under a MAC, so that any replica can tell whether a reconnecting proxy
/// holds a good one, without the database and without the key.
///
/// `<issuer>.<serial>.<notBefore>.<notAfter>.<mac>`: times in seconds, the MAC 16 octets of HMAC-SHA-256 over these and
/// the SPIFFE ID. 128 bits: nobody forges one by guessing, and it stays short in every Envoy log line.
struct LeafVersion: Sendable, Hashable {
    var issuer: IssuerID
    var serial: SerialNumber
    var notBefore: Timestamp
    var notAfter: Timestamp

    /// The text for a leaf of `identity`.
    func sealed(for identity: SPIFFEID, key: SecretBytes) -> String {
        "\(body).\(LeafVersion.mac(of: body, identity: identity, key: key))"
    }

    /// Nil unless `text` was sealed for `identity` with this key.
    init?(_ text: String, identity: SPIFFEID, key: SecretBytes) {
        // Two ids and two times of known size: anything longer is none of ours.
        guard text.utf8.count <= 160 else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 5, let issuer = IssuerID(String(parts[0])), let serial = SerialNumber(hex: String(parts[1])),
            let notBefore = Int64(parts[2]), let notAfter = Int64(parts[3]), notBefore < notAfter,
            (0...253_402_300_799).contains(notBefore), (0...253_402_300_799).contains(notAfter)
        else { return nil }
        self.init(
            issuer: issuer, serial: serial, notBefore: Timestamp(seconds: notBefore), notAfter: Timestamp(seconds: notAfter))
        let expected = LeafVersion.mac(of: body, identity: identity, key: key)
        guard Digest.constantTimeEqual(Array(expected.utf8), Array(parts[4].utf8)) else { return nil }
    }

    init(issuer: IssuerID, serial: SerialNumber, notBefore: Timestamp, notAfter: Timestamp) {
        self.issuer = issuer
        self.serial = serial
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    private var body: String { "\(issuer).\(serial).\(notBefore.seconds).\(notAfter.seconds)" }

    private static func mac(of body: String, identity: SPIFFEID, key: SecretBytes) -> String {
        let message = Array("signet leaf version\n\(body)\n\(identity.uri)".utf8)
        let mac = key.withUnsafeBytes { Digest.hmacSHA256(key: Array($0), message: message) }
        return Hex.encode(mac.prefix(16))
    }
}
