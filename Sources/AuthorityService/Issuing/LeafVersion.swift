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
    func sealed(for identity: SPIFFEID, key: AuthenticationKey) -> String {
        withMessage(for: identity) { message, body in
            withUnsafeTemporaryAllocation(byteCount: AuthenticationKey.codeCount, alignment: 8) { code in
                key.writeCode(of: message, to: code)
                return String(unsafeUninitializedCapacity: body.count + 1 + 2 * LeafVersion.codeCount) { target in
                    var position = target.update(fromContentsOf: body)
                    target[position] = LeafVersion.separator
                    position += 1
                    return LeafVersion.append(hexOf: code[..<LeafVersion.codeCount], to: target, at: position)
                }
            }
        }
    }

    /// Nil unless `text` was sealed for `identity` with this key.
    init?(_ text: String, identity: SPIFFEID, key: AuthenticationKey) {
        // Two ids and two times of known size: anything longer is none of ours.
        guard text.utf8.count <= 160 else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 5, let issuer = IssuerID(String(parts[0])), let serial = SerialNumber(hex: String(parts[1])),
            let notBefore = Int64(parts[2]), let notAfter = Int64(parts[3]), notBefore < notAfter,
            (0...253_402_300_799).contains(notBefore), (0...253_402_300_799).contains(notAfter)
        else { return nil }
        self.init(
            issuer: issuer, serial: serial, notBefore: Timestamp(seconds: notBefore), notAfter: Timestamp(seconds: notAfter))
        guard Digest.constantTimeEqual(Array(sealed(for: identity, key: key).utf8), Array(text.utf8)) else { return nil }
    }

    init(issuer: IssuerID, serial: SerialNumber, notBefore: Timestamp, notAfter: Timestamp) {
        self.issuer = issuer
        self.serial = serial
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    /// Hands `body` what the MAC is over, and within it the text that it follows.
    private func withMessage<Result>(
        for identity: SPIFFEID, _ body: (UnsafeRawBufferPointer, Slice<UnsafeRawBufferPointer>) -> Result
    ) -> Result {
        let times = (String(notBefore.seconds), String(notAfter.seconds))
        let count =
            LeafVersion.purpose.utf8.count + issuer.text.utf8.count + 1 + 2 * serial.bytes.count + 1 + times.0.utf8.count + 1
            + times.1.utf8.count
        return withUnsafeTemporaryAllocation(
            of: UInt8.self, capacity: count + 1 + identity.uri.utf8.count
        ) { target in
            var position = LeafVersion.append(LeafVersion.purpose, to: target, at: 0)
            let start = position
            position = LeafVersion.append(issuer.text, to: target, at: position)
            target[position] = LeafVersion.separator
            position = LeafVersion.append(hexOf: serial.bytes, to: target, at: position + 1)
            target[position] = LeafVersion.separator
            position = LeafVersion.append(times.0, to: target, at: position + 1)
            target[position] = LeafVersion.separator
            position = LeafVersion.append(times.1, to: target, at: position + 1)
            let end = position
            target[position] = 0x0A
            position = LeafVersion.append(identity.uri, to: target, at: position + 1)
            let message = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(target)[..<position])
            return body(message, message[start..<end])
        }
    }

    private static func append(_ text: String, to target: UnsafeMutableBufferPointer<UInt8>, at position: Int) -> Int {
        position + UnsafeMutableBufferPointer(rebasing: target[position...]).update(fromContentsOf: text.utf8)
    }

    private static func append(
        hexOf bytes: some Collection<UInt8>, to target: UnsafeMutableBufferPointer<UInt8>, at position: Int
    ) -> Int {
        var position = position
        for byte in bytes {
            target[position] = Hex.digit(byte >> 4)
            target[position + 1] = Hex.digit(byte & 15)
            position += 2
        }
        return position
    }

    /// Sets these codes apart from any other use of the key.
    private static let purpose = "signet leaf version\n"
    /// A full stop.
    private static let separator: UInt8 = 0x2E
    /// How many octets of the code stand in the text.
    private static let codeCount = 16
}
