import Foundation
import PKI
import PKICrypto
import Testing

/// Keys beside a sound root, in forms that no tool should write and some people do.
@Suite(.timeLimit(.minutes(5))) struct `The key of a root that is brought` {
    private static func reasons(_ key: String, beside root: ThrowAwayRoot) -> [String] {
        do {
            _ = try ProvidedAuthority(certificate: root.der, key: key, trustDomains: [], now: ThrowAwayRoot.now)
            return []
        } catch {
            return error.problems.map { "\($0.field): \($0.reason)" }
        }
    }

    @Test func `may have any line ends, and white space around its lines`() async throws {
        let root = try await ThrowAwayRoot("ec-p256")
        let lines = root.key.split(separator: "\n")
        for key in [
            lines.joined(separator: "\r\n"), lines.joined(separator: "\r"), lines.map { "  \($0)\t" }.joined(separator: "\n"),
        ] {
            #expect(Self.reasons(key, beside: root) == [])
        }
    }

    @Test func `is refused when it is cut off or changed`() async throws {
        let root = try await ThrowAwayRoot("ec-p256")
        let lines = root.key.split(separator: "\n").map(String.init)
        let damaged = [
            lines.dropLast().joined(separator: "\n"), ([lines[0]] + lines.dropFirst(2)).joined(separator: "\n"),
            lines.joined(separator: "\n").replacingOccurrences(of: "MIGH", with: "!!!!"),
            [lines[0], lines[lines.count - 1]].joined(separator: "\n"),
        ]
        for key in damaged {
            let reasons = Self.reasons(key, beside: root)
            #expect(reasons.count == 1)
            #expect(reasons.first?.hasPrefix("key: ") == true)
            #expect(reasons.first?.hasSuffix("as 'openssl pkey -in KEY' writes it") == true)
        }
    }

    @Test func `is refused when the block holds another form than its label says`() async throws {
        let ec = try await ThrowAwayRoot("key-sec1")
        let rsa = try await ThrowAwayRoot("key-pkcs1")
        let encrypted = try await ThrowAwayRoot("key-encrypted")
        func relabelled(_ key: String, _ old: String, _ new: String) -> String {
            key.replacingOccurrences(of: "\(old) PRIVATE KEY", with: "\(new) PRIVATE KEY")
        }
        for key in [
            relabelled(ec.key, "EC", "RSA"), relabelled(rsa.key, "RSA", "EC"),
            relabelled(encrypted.key, "ENCRYPTED", "RSA"), relabelled(encrypted.key, "ENCRYPTED", "EC"),
            encrypted.key.replacingOccurrences(of: "ENCRYPTED ", with: ""), ec.key.replacingOccurrences(of: "EC ", with: ""),
        ] {
            #expect(Self.reasons(key, beside: ec).count == 1)
        }
    }

    @Test func `is refused before it is parsed when it is far too long`() async throws {
        let root = try await ThrowAwayRoot("ec-p256")
        let reasons = Self.reasons(root.key + String(repeating: "\n", count: 65_536), beside: root)
        #expect(reasons.count == 1)
        #expect(reasons.first?.contains("more than the 65536") == true)
    }

    @Test func `never stands in a message`() async throws {
        let root = try await ThrowAwayRoot("ec-p256")
        let other = try await ThrowAwayRoot("ec-p384")
        let body = try #require(other.key.split(separator: "\n").dropFirst().first)
        let cut = other.key.split(separator: "\n").dropLast().joined(separator: "\n")
        for key in [other.key, cut, String(body), "-----BEGIN \(body) PRIVATE KEY-----\n"] {
            let reasons = Self.reasons(key, beside: root)
            #expect(!reasons.isEmpty)
            if !key.hasPrefix("-----BEGIN \(body)") { #expect(!reasons.joined().contains(body)) }
        }
        let authority = try other.authority()
        var dumped = ""
        dump(authority, to: &dumped)
        #expect(dumped.contains("redacted"))
        #expect(!dumped.contains(body))
    }
}
