/// The TBSCertificate of a template in its commonest shape, whole but for the new values: a serial made here, both times in the
/// years 1950 to 2049, a P-256 key.
///
/// Such certificates differ only in octets whose places are known. Copying the whole and writing those takes a fraction of the
/// time that joining the parts takes, and gives the same octets: it was joined of them.
struct CertificatePattern: Sendable {
    private let sample: [UInt8]
    private let serialOffset: Int
    /// Of the UTCTime, notAfter's following at once.
    private let notBeforeOffset: Int
    /// Of the SubjectPublicKeyInfo.
    private let keyOffset: Int
    private let subjectKeyIdentifierOffset: Int

    /// `sample` holds `sampleSerial`, `sampleTime` twice and `sampleKey`, at these offsets.
    init(sample: [UInt8], serialOffset: Int, notBeforeOffset: Int, keyOffset: Int, subjectKeyIdentifierOffset: Int) {
        self.sample = sample
        self.serialOffset = serialOffset
        self.notBeforeOffset = notBeforeOffset
        self.keyOffset = keyOffset
        self.subjectKeyIdentifierOffset = subjectKeyIdentifierOffset
    }

    /// The certificate with these values; nil unless they are of the shape. `publicKey` must be that of a P-256 key, the
    /// identifier 20 octets.
    func filled(
        serial: SerialNumber, notBefore: Timestamp, notAfter: Timestamp, publicKey: [UInt8], identifier: [UInt8]
    ) -> [UInt8]? {
        guard publicKey.count == SubjectPublicKeyInfo.p256Count, serial.bytes.count == SerialNumber.count,
            let first = serial.bytes.first, (1..<0x80).contains(first), DER.isUTCTime(notBefore), DER.isUTCTime(notAfter)
        else { return nil }
        return [UInt8](unsafeUninitializedCapacity: sample.count) { buffer, count in
            let target = UnsafeMutableRawBufferPointer(buffer)
            count = sample.count
            CertificatePattern.write(sample, to: target, at: 0)
            CertificatePattern.write(serial.bytes, to: target, at: serialOffset)
            DER.writeUTCTime(notBefore, to: target, at: notBeforeOffset)
            DER.writeUTCTime(notAfter, to: target, at: notBeforeOffset + DER.utcTimeCount)
            CertificatePattern.write(publicKey, to: target, at: keyOffset)
            CertificatePattern.write(identifier, to: target, at: subjectKeyIdentifierOffset)
        }
    }

    private static func write(_ bytes: [UInt8], to target: UnsafeMutableRawBufferPointer, at offset: Int) {
        bytes.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + $0.count]).copyMemory(from: $0)
        }
    }

    static let sampleSerial = SerialNumber(bytes: [UInt8](repeating: 1, count: SerialNumber.count))
    static let sampleTime = Timestamp(seconds: 0)
    static let sampleKey = SubjectPublicKeyInfo.p256Prefix + [0x04] + [UInt8](repeating: 0, count: 64)
}
