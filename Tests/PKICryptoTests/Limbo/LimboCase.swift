import PKI
import Testing

/// A chain that is sound but for one thing, the verdict that RFC 5280 and X509-SVID call for, and where they do.
struct LimboCase: Sendable, CustomTestStringConvertible {
    /// Kebab-case; `differences.md` calls it so.
    let id: String
    /// The section that decides.
    let source: String
    let expected: Verdict
    let scenario: @Sendable () throws -> Scenario

    enum Verdict: Hashable, Sendable, CustomStringConvertible {
        case accepted
        /// The `reason` of the `ChainRefusal`.
        case refused(String)

        var description: String {
            switch self {
            case .accepted: "accepted"
            case .refused(let reason): reason
            }
        }
    }

    /// What the verifiers are given.
    struct Scenario {
        /// DER, the leaf first.
        var chain: [[UInt8]]
        /// The roots of `domain`.
        var roots: [[UInt8]]
        var domain = "payments"
        var time = Forge.now
    }

    var testDescription: String { id }

    init(_ id: String, _ source: String, _ expected: Verdict, _ scenario: @escaping @Sendable () throws -> Scenario) {
        self.id = id
        self.source = source
        self.expected = expected
        self.scenario = scenario
    }

    /// A sound hierarchy with one change before it is signed.
    static func hierarchy(
        _ id: String, _ source: String, _ expected: Verdict, _ change: @escaping @Sendable (inout LimboHierarchy) throws -> Void
    ) -> LimboCase {
        LimboCase(id, source, expected) {
            var hierarchy = LimboHierarchy()
            try change(&hierarchy)
            return try hierarchy.scenario()
        }
    }

    /// A sound chain with one change after it is signed.
    static func chain(
        _ id: String, _ source: String, _ expected: Verdict, _ change: @escaping @Sendable (inout Scenario) throws -> Void
    ) -> LimboCase {
        LimboCase(id, source, expected) {
            var scenario = try LimboHierarchy().scenario()
            try change(&scenario)
            return scenario
        }
    }

    static let all: [LimboCase] =
        validity + pathLength + basicConstraints + keyUsage + extendedKeyUsage + names + criticalExtensions + nameConstraints
        + paths + issuers + signatures + publicKeys + encodings
}

/// Root, CAs between if any, issuing certificate and leaf, each sound until a case changes it.
struct LimboHierarchy {
    var root = LimboCertificate.root()
    /// From the root down.
    var middles: [LimboCertificate] = []
    var issuing = LimboCertificate.issuing()
    var leaf = LimboCertificate.leaf()
    var domain = "payments"

    /// The leaf first, then what is above it, without the root.
    func chain() throws -> [[UInt8]] {
        var signer = root
        var certificates: [[UInt8]] = []
        for certificate in middles + [issuing, leaf] {
            certificates.insert(try certificate.signed(by: signer), at: 0)
            signer = certificate
        }
        return certificates
    }

    func scenario() throws -> LimboCase.Scenario {
        LimboCase.Scenario(chain: try chain(), roots: [try root.selfSigned()], domain: domain)
    }
}
