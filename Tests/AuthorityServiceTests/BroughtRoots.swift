import AuthorityService
import Foundation
import PKI
import PKICrypto
import TestSupport
import Testing

/// Roots that an operator would bring.
enum BroughtRoots {
    /// As `pki/throw-away/make.sh` makes them, by name: certificates as DER, keys as PEM.
    static func made(_ names: String...) async throws -> [ProvidedRoot] {
        let folder = "/tmp/signet-roots-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await Tool("bash", install: "apt-get install bash")
            .output([Repository.path("pki/throw-away/make.sh"), folder] + names)
        return try names.map { name in
            let pem = try String(contentsOfFile: "\(folder)/\(name).pem", encoding: .utf8)
            let certificate = try #require(try PEM.decode(pem, label: "CERTIFICATE").first)
            return ProvidedRoot(
                certificate: certificate, key: .pem(try String(contentsOfFile: "\(folder)/\(name).key", encoding: .utf8)))
        }
    }
}
