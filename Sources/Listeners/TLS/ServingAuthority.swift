import Foundation
package import PKI
import PKICrypto
import X509

/// A certificate authority for the doors of `signet dev` alone: its root is made once and kept in the data directory.
///
/// It has nothing to do with the meshes' authorities: it vouches for the service's own address, to proxies and commands
/// that are told its root.
package struct ServingAuthority: Sendable {
    /// For the clients: what to trust.
    package let rootPEM: String
    private let root: Certificate
    private let key: Certificate.PrivateKey

    /// Opens the authority in `directory`, or makes it: `ca.pem` (0644) and `ca-key.pem` (0600).
    ///
    /// The key is written before the certificate: after a crash between the two the key is used again.
    package static func open(directory: String, at now: Timestamp) throws -> ServingAuthority {
        let keyPath = directory + "/ca-key.pem"
        let rootPath = directory + "/ca.pem"
        let keyPEM: [UInt8]
        if let stored = try DurableFile.read(keyPath) {
            keyPEM = stored
        } else {
            keyPEM = try freshKey()
            try DurableFile.write(keyPEM, to: keyPath, mode: 0o600)
        }
        guard let key = try? Certificate.PrivateKey(pemEncoded: String(decoding: keyPEM, as: UTF8.self)) else {
            throw DoorFailure.certificateMalformed(path: keyPath, detail: "no private key in it")
        }
        if let stored = try DurableFile.read(rootPath) {
            let pem = String(decoding: stored, as: UTF8.self)
            guard let root = try? Certificate(pemEncoded: pem) else {
                throw DoorFailure.certificateMalformed(path: rootPath, detail: "no certificate in it")
            }
            guard root.publicKey == key.publicKey else {
                throw DoorFailure.keyOfAnotherCertificate(certificate: rootPath, key: keyPath)
            }
            if root.notValidAfter.timeIntervalSince1970 > Double((now + leafLifetime).seconds) {
                return ServingAuthority(rootPEM: pem, root: root, key: key)
            }
        }
        let root = try makeRoot(key, at: now)
        let pem = try root.serializeAsPEM().pemString + "\n"
        try DurableFile.write(Array(pem.utf8), to: rootPath, mode: 0o644)
        return ServingAuthority(rootPEM: pem, root: root, key: key)
    }

    /// 30 days: a process that runs longer renews it at half.
    package static let leafLifetime: Duration = .seconds(30 * 86_400)
    private static let rootLifetime: Duration = .seconds(3650 * 86_400)
    /// For clients whose clock is behind.
    private static let backdate: Duration = .seconds(60)

    /// A certificate for `names`: DNS names or IP addresses.
    package func issue(names: [String], at now: Timestamp) throws -> ServingCertificate {
        let leafKeyPEM = try ServingAuthority.freshKey()
        let leafKey = try Certificate.PrivateKey(pemEncoded: String(decoding: leafKeyPEM, as: UTF8.self))
        let alternatives = names.map { name -> GeneralName in
            ServingAuthority.addressBytes(name).map { .ipAddress(.init(contentBytes: $0[...])) } ?? .dnsName(name)
        }
        let leaf = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: leafKey.publicKey,
            notValidBefore: date(now - ServingAuthority.backdate), notValidAfter: date(now + ServingAuthority.leafLifetime),
            issuer: root.subject, subject: DistinguishedName(),
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                Critical(SubjectAlternativeNames(alternatives))
                SubjectKeyIdentifier(hash: leafKey.publicKey)
                AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: key.publicKey).keyIdentifier)
            },
            issuerPrivateKey: key)
        let chain = try leaf.serializeAsPEM().pemString + "\n"
        return try ServingCertificate(
            certificatePEM: Array(chain.utf8), keyPEM: leafKeyPEM, certificateName: "the serving certificate",
            keyName: "its key")
    }

    private static func makeRoot(_ key: Certificate.PrivateKey, at now: Timestamp) throws -> Certificate {
        let name = try DistinguishedName {
            OrganizationName("Signet")
            CommonName("Signet serving root")
        }
        return try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
            notValidBefore: date(now - backdate), notValidAfter: date(now + rootLifetime), issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: key.publicKey)
            },
            issuerPrivateKey: key)
    }

    private static func freshKey() throws -> [UInt8] {
        try PrivateKey.generate(.ecP256).pkcs8PEM().withUnsafeBytes { Array($0) }
    }

    private static func addressBytes(_ text: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        var six = in6_addr()
        if inet_pton(AF_INET6, text, &six) == 1 { return withUnsafeBytes(of: six) { Array($0) } }
        return nil
    }
}

private func date(_ time: Timestamp) -> Date {
    Date(timeIntervalSince1970: Double(time.seconds))
}
