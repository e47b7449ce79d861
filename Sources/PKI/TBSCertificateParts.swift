/// The encoded parts of a template's TBSCertificate (RFC 5280 §4.1.2), and how they and the new values become the whole.
struct TBSCertificateParts: Sendable {
    /// `signature` and `issuer`.
    private let beforeValidity: [UInt8]
    /// `subject`.
    private let subject: [UInt8]
    /// `extensions`, with 20 zero octets in place of the subject key identifier.
    private let extensions: [UInt8]
    /// Where in `extensions` the subject key identifier is.
    private let subjectKeyIdentifierOffset: Int

    init(beforeValidity: [UInt8], subject: [UInt8], extensions: [UInt8], subjectKeyIdentifierOffset: Int) {
        self.beforeValidity = beforeValidity
        self.subject = subject
        self.extensions = extensions
        self.subjectKeyIdentifierOffset = subjectKeyIdentifierOffset
    }

    /// `times` are notBefore and notAfter, encoded; `publicKey` is a SubjectPublicKeyInfo, `identifier` 20 octets.
    func joined(serial: SerialNumber, times: [UInt8], publicKey: [UInt8], identifier: [UInt8]) -> [UInt8] {
        // What is made here is minimal as it stands; anything else is brought into DER's form.
        let number = serial.bytes.first.map { (1..<0x80).contains($0) } ?? false ? serial.bytes : minimal(serial)
        var count = TBSCertificateParts.version.count + 2 + number.count + beforeValidity.count
        count += 2 + times.count + subject.count + publicKey.count + extensions.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + DER.headerCount(for: count))
        DER.appendHeader(tag: 0x30, count: count, to: &bytes)
        bytes += TBSCertificateParts.version
        DER.appendHeader(tag: 0x02, count: number.count, to: &bytes)
        bytes += number
        bytes += beforeValidity
        DER.appendHeader(tag: 0x30, count: times.count, to: &bytes)
        bytes += times
        bytes += subject
        bytes += publicKey
        let start = bytes.count + subjectKeyIdentifierOffset
        bytes += extensions
        bytes.replaceSubrange(start..<start + identifier.count, with: identifier)
        return bytes
    }

    /// The whole in its commonest shape.
    var pattern: CertificatePattern {
        let time = CertificatePattern.sampleTime
        var times: [UInt8] = []
        _ = DER.append(time, to: &times) && DER.append(time, to: &times)
        let sample = joined(
            serial: CertificatePattern.sampleSerial, times: times, publicKey: CertificatePattern.sampleKey,
            identifier: [UInt8](repeating: 0, count: CertificateTemplate.keyIdentifierCount))
        let afterSerial =
            beforeValidity.count + 2 + times.count + subject.count + SubjectPublicKeyInfo.p256Count + extensions.count
        return CertificatePattern(
            sample: sample, serialOffset: sample.count - afterSerial - SerialNumber.count,
            notBeforeOffset: sample.count - afterSerial + beforeValidity.count + 2,
            keyOffset: sample.count - extensions.count - SubjectPublicKeyInfo.p256Count,
            subjectKeyIdentifierOffset: sample.count - extensions.count + subjectKeyIdentifierOffset)
    }

    /// The contents of the INTEGER: positive, and in the fewest octets.
    private func minimal(_ serial: SerialNumber) -> [UInt8] { Array(DER.integer(serial.bytes).dropFirst(2)) }

    /// v3.
    private static let version = DER.context(0, DER.integer(2))
}
