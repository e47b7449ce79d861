import Foundation
import PKI
import PKICrypto
import Testing

/// A root and a key as `pki/throw-away/make.sh` makes them.
struct ThrowAwayRoot {
    let pem: String
    let key: String
    let der: [UInt8]

    init(_ name: String) async throws {
        let scratch = try ScratchDirectory()
        let answer = try await ExternalTool.makeRoots([scratch.url.path, name])
        try #require(answer.isSuccess, "\(answer.text)")
        pem = try String(contentsOf: scratch.url.appending(path: "\(name).pem"), encoding: .utf8)
        key = try String(contentsOf: scratch.url.appending(path: "\(name).key"), encoding: .utf8)
        der = try ProvidedAuthority.certificate(pem: pem)
    }

    func authority(
        for trustDomains: String..., at now: Timestamp = ThrowAwayRoot.now
    ) throws -> ProvidedAuthority {
        try ProvidedAuthority(certificate: der, key: key, trustDomains: trustDomains.map { try TrustDomain($0) }, now: now)
    }

    /// What is wrong with it for a mesh of the trust domain `payments`.
    func problems(at now: Timestamp = ThrowAwayRoot.now) throws -> [ProvidedAuthorityProblem] {
        do {
            _ = try authority(for: "payments", at: now)
            return []
        } catch let refusal as ProvidedAuthorityRefusal {
            return refusal.problems
        }
    }

    static var now: Timestamp { Timestamp(seconds: Int64(Date().timeIntervalSince1970)) }
}
