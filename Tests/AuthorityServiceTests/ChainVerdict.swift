import Foundation
import PKI
import PKICrypto
import TestSupport

/// What two verifiers say of a chain: ours, and `openssl verify`.
struct ChainVerdict: Hashable {
    var ours: Bool
    var openssl: Bool

    static let accepted = ChainVerdict(ours: true, openssl: true)
    static let refused = ChainVerdict(ours: false, openssl: false)

    /// By a peer that binds the trust domain to these roots and no others.
    static func of(_ chain: [[UInt8]], roots: [[UInt8]], in domain: TrustDomain, at now: Timestamp) async throws -> ChainVerdict {
        let isTaken: Bool
        do throws(ChainRefusal) {
            _ = try ChainVerifier(roots: [domain: roots]).verify(chain: chain, at: now)
            isTaken = true
        } catch {
            isTaken = false
        }
        return ChainVerdict(ours: isTaken, openssl: try await openssl(chain, roots: roots, at: now))
    }

    /// Both as a server's certificate and as a client's.
    private static func openssl(_ chain: [[UInt8]], roots: [[UInt8]], at now: Timestamp) async throws -> Bool {
        let folder = "/tmp/signet-verdict-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func write(_ name: String, _ certificates: some Sequence<[UInt8]>) throws -> String {
            let bytes = certificates.flatMap { PEM.encodeBytes(label: "CERTIFICATE", der: $0) }
            try Data(bytes).write(to: URL(filePath: "\(folder)/\(name)"))
            return "\(folder)/\(name)"
        }
        let files = [
            "-CAfile", try write("roots.pem", roots), "-untrusted", try write("others.pem", chain.dropFirst()),
            try write("leaf.pem", chain.prefix(1)),
        ]
        for purpose in ["sslserver", "sslclient"] {
            let options = [
                "verify", "-x509_strict", "-attime", "\(now.seconds)", "-purpose", purpose, "-no-CApath", "-no-CAstore",
            ]
            guard try await Tool.openssl.run(options + files).status == 0 else { return false }
        }
        return true
    }
}
