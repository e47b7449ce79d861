package import NIOSSL

/// What a door shows its clients: a certificate chain and its key, which belong together.
package struct ServingCertificate: Sendable {
    /// Leaf first.
    package let chain: [NIOSSLCertificate]
    let key: NIOSSLPrivateKey

    /// Parses PEM and checks that the key is the first certificate's; the names are those of the sources, for errors.
    package init(
        certificatePEM: [UInt8], keyPEM: [UInt8], certificateName: String, keyName: String
    ) throws(DoorFailure) {
        do {
            chain = try NIOSSLCertificate.fromPEMBytes(certificatePEM)
        } catch {
            throw .certificateMalformed(path: certificateName, detail: "no certificate in it")
        }
        guard !chain.isEmpty else { throw .certificateMalformed(path: certificateName, detail: "no certificate in it") }
        do {
            key = try NIOSSLPrivateKey(bytes: keyPEM, format: .pem)
        } catch {
            throw .certificateMalformed(path: keyName, detail: "no private key in it, or an encrypted one")
        }
        do {
            _ = try NIOSSLContext(configuration: configuration())
        } catch {
            throw .keyOfAnotherCertificate(certificate: certificateName, key: keyName)
        }
    }

    /// A server's configuration with this certificate, which trusts nobody. `trustRoots` must not be nil: that would load
    /// the system's.
    func configuration() -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.trustRoots = .certificates([])
        return configuration
    }
}
