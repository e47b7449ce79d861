import Foundation
import PKI
import PKICrypto
import Subprocess
import Testing

/// The verdict of `openssl verify` beside ours, case by case; where they differ the case says why.
@Suite struct `Chain verification beside OpenSSL` {
    @Test(arguments: ChainVerifierCase.accepted + ChainVerifierCase.refused + ChainVerifierCase.undecodable)
    func `agrees, or differs for a known reason`(_ sample: ChainVerifierCase) async throws {
        guard let expected = sample.openSSL.isAcceptance else { return }
        let scenario = try sample.scenario()
        let verdict = try await OpenSSLVerifier().verdict(on: scenario.chain, roots: scenario.roots, at: scenario.time)
        #expect(verdict.accepted == expected, "openssl said: \(verdict.text)")
        let differs: Bool
        switch sample.openSSL {
        case .acceptsSince, .refusesSince: differs = true
        case .accepts, .refuses, .notAsked: differs = false
        }
        if !differs { #expect(try (sample.refusal() == nil) == expected) }
    }

    @Test(arguments: `Name constraints`.samples)
    func `agrees on name constraints, or is the less strict`(_ sample: `Name constraints`.Sample) async throws {
        var hierarchy = CertificateHierarchy()
        hierarchy.issuing.nameConstraints = sample.constraints
        hierarchy.leaf.names += sample.names
        let verdict = try await OpenSSLVerifier().verdict(
            on: hierarchy.chain(), roots: [hierarchy.root.selfSigned()], at: Forge.now)
        if sample.refused == nil {
            #expect(verdict.accepted, "openssl said: \(verdict.text)")
        }
    }
}

/// Runs `openssl verify -x509_strict` for the purposes that an SVID serves.
struct OpenSSLVerifier {
    struct Verdict {
        let accepted: Bool
        let text: String
    }

    /// Both as a server's certificate and as a client's: one refusal is a refusal.
    func verdict(on chain: [[UInt8]], roots: [[UInt8]], at time: Timestamp) async throws -> Verdict {
        let directory = FileManager.default.temporaryDirectory.appending(path: "signet-chain-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        func write(_ name: String, _ certificates: ArraySlice<[UInt8]>) throws -> String {
            let file = directory.appending(path: name)
            try Data(certificates.map(Forge.pem).joined().utf8).write(to: file)
            return file.path
        }
        let leaf = try write("leaf.pem", chain.prefix(1))
        let others = try write("others.pem", chain.dropFirst())
        let trusted = try write("roots.pem", roots[...])
        var text = ""
        for purpose in ["sslserver", "sslclient"] {
            var arguments = ["verify", "-x509_strict", "-attime", "\(time.seconds)", "-purpose", purpose]
            arguments += ["-no-CApath", "-no-CAstore", "-CAfile", trusted]
            if chain.count > 1 { arguments += ["-untrusted", others] }
            let result = try await runOpenSSL(arguments + [leaf])
            text += result.text
            guard result.accepted else { return Verdict(accepted: false, text: text) }
        }
        return Verdict(accepted: true, text: text)
    }

    private func runOpenSSL(_ arguments: [String]) async throws -> Verdict {
        let result: ExecutionResult<Void, StringOutput<UTF8>, StringOutput<UTF8>>
        do {
            result = try await run(
                .name("openssl"), arguments: Arguments(arguments), output: .string(limit: 65_536), error: .string(limit: 65_536))
        } catch {
            Issue.record("openssl cannot be run (\(error)): install it with 'apt-get install openssl'")
            throw error
        }
        let text = result.standardOutput + result.standardError
        return Verdict(accepted: result.terminationStatus.isSuccess, text: text)
    }
}
