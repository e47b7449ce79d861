import Foundation
import TestSupport

/// A certificate as another implementation reads it (Python's `cryptography`), from PEM that went over a connection.
struct WireCertificate: Decodable, Hashable, Sendable {
    /// Lower-case hexadecimal, without leading zeros.
    let serial: String
    /// SHA-256 of the TBSCertificate, lower-case hexadecimal.
    let digest: String
    let uris: [String]

    private static let reader = """
        import hashlib, json, re, sys
        from cryptography import x509
        certificates = []
        for pem in re.findall(r'-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----', sys.stdin.read(), re.S):
            c = x509.load_pem_x509_certificate(pem.encode())
            try:
                names = c.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
                uris = names.get_values_for_type(x509.UniformResourceIdentifier)
            except x509.ExtensionNotFound:
                uris = []
            digest = hashlib.sha256(c.tbs_certificate_bytes).hexdigest()
            certificates.append({'serial': '%x' % c.serial_number, 'digest': digest, 'uris': uris})
        print(json.dumps(certificates))
        """

    /// The certificates in a text that may hold other things, in their order.
    static func all(in text: String) async throws -> [WireCertificate] {
        let json = try await Tool.python().output(["-c", reader], input: text)
        return try JSONDecoder().decode([WireCertificate].self, from: Data(json.utf8))
    }

    /// What a server at a loopback port shows to a client that has no certificate.
    static func served(at port: Int) async throws -> [WireCertificate] {
        let result = try await Tool.openssl.run(["s_client", "-connect", "127.0.0.1:\(port)", "-showcerts", "-tls1_3"])
        let handshake = result.output.components(separatedBy: "\nServer certificate\n")[0]
        return try await all(in: handshake)
    }

    /// Whether the ledger has this very certificate.
    func isIn(_ ledger: [LedgerCertificate]) -> Bool {
        ledger.contains { $0.digest.lowercased() == digest && $0.serial.plainSerial == serial }
    }
}

extension String {
    /// A serial without separators and leading zeros, in lower case.
    fileprivate var plainSerial: String {
        String(lowercased().filter { $0 != ":" }.drop { $0 == "0" })
    }
}
