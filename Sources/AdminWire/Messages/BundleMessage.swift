import Foundation
internal import PKI

/// A trust bundle in the SPIFFE bundle format (SPIFFE Trust Domain and Bundle §4): a JWK set of root certificates.
package struct BundleMessage: Codable, Sendable, Hashable {
    /// One root: its public key, and its certificate.
    package struct Key: Codable, Sendable, Hashable {
        /// `x509-svid`: it verifies X.509-SVIDs and nothing else.
        package var use: String
        package var kty: String
        package var crv: String?
        package var x: String?
        package var y: String?
        package var n: String?
        package var e: String?
        /// Exactly one: the root certificate, DER in base64.
        package var x5c: [String]
    }

    package var keys: [Key]
    /// Grows with each change of the contents.
    package var sequence: Int64
    /// In seconds: how often a reader should look again.
    package var refreshHint: Int

    private enum CodingKeys: String, CodingKey {
        case keys
        case refreshHint = "spiffe_refresh_hint"
        case sequence = "spiffe_sequence"
    }

    /// Nil when one of `roots` (DER) is no certificate of a known key algorithm.
    ///
    /// A rotation announces a root long before it signs; five minutes, SPIRE's own hint, are soon enough and cost nothing.
    package init?(roots: [[UInt8]], sequence: Int64, refreshHint: Int = 300) {
        var keys: [Key] = []
        for root in roots {
            guard let key = Key(certificate: root) else { return nil }
            keys.append(key)
        }
        self.keys = keys
        self.sequence = sequence
        self.refreshHint = refreshHint
    }
}

extension BundleMessage.Key {
    fileprivate init?(certificate: [UInt8]) {
        guard let info = BundleMessage.Key.publicKeyInfo(of: certificate),
            let algorithm = SubjectPublicKeyInfo.algorithm(of: info),
            let bits = SubjectPublicKeyInfo.keyBits(of: info)
        else { return nil }
        use = "x509-svid"
        x5c = [Data(certificate).base64EncodedString()]
        switch algorithm {
        case .ecP256, .ecP384:
            // An uncompressed point: 0x04, then both coordinates (RFC 5480 §2.2).
            let coordinates = Array(bits.dropFirst())
            kty = "EC"
            crv = algorithm == .ecP256 ? "P-256" : "P-384"
            x = BundleMessage.Key.base64URL(coordinates[..<(coordinates.count / 2)])
            y = BundleMessage.Key.base64URL(coordinates[(coordinates.count / 2)...])
        case .rsa2048, .rsa3072, .rsa4096:
            var outer = DERReader(bits)
            guard let numbers = outer.read(tag: 0x30) else { return nil }
            var reader = DERReader(numbers)
            guard let modulus = reader.read(tag: 0x02), let exponent = reader.read(tag: 0x02) else { return nil }
            kty = "RSA"
            // Without the sign octet (RFC 7518 §6.3.1.1).
            n = BundleMessage.Key.base64URL(modulus.drop { $0 == 0 })
            e = BundleMessage.Key.base64URL(exponent)
        }
    }

    /// The whole SubjectPublicKeyInfo of a certificate (RFC 5280 §4.1).
    private static func publicKeyInfo(of certificate: [UInt8]) -> [UInt8]? {
        var outer = DERReader(certificate[...])
        guard let contents = outer.read(tag: 0x30) else { return nil }
        var reader = DERReader(contents)
        guard let tbs = reader.read(tag: 0x30) else { return nil }
        var fields = DERReader(tbs)
        // version, serialNumber, signature, issuer, validity, subject; version 1 has no extensions and is none of ours.
        for tag: UInt8 in [0xA0, 0x02, 0x30, 0x30, 0x30, 0x30] where fields.read(tag: tag) == nil { return nil }
        guard let info = fields.read(tag: 0x30) else { return nil }
        return DER.sequence(Array(info))
    }

    private static func base64URL(_ bytes: some Collection<UInt8>) -> String {
        String(Data(bytes).base64EncodedString().map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }.filter { $0 != "=" })
    }
}
