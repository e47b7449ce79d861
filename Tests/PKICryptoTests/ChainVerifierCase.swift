import Crypto
import Foundation
import PKI
import Testing

/// A chain that has exactly one defect or none, and the verdicts on it.
struct ChainVerifierCase: Sendable, CustomTestStringConvertible {
    /// What `openssl verify -x509_strict` says, and why where it differs from us.
    enum OpenSSL: Sendable {
        case accepts, refuses
        case acceptsSince(String)
        case refusesSince(String)
        /// There is nothing to hand to the tool.
        case notAsked

        var isAcceptance: Bool? {
            switch self {
            case .accepts, .acceptsSince: true
            case .refuses, .refusesSince: false
            case .notAsked: nil
            }
        }
    }

    struct Scenario: Sendable {
        var chain: [[UInt8]]
        /// The roots of the trust domain `payments`.
        var roots: [[UInt8]]
        var time = Forge.now
    }

    let name: String
    /// Nil: accepted.
    let refusal: @Sendable () throws -> ChainRefusal?
    let openSSL: OpenSSL
    let scenario: @Sendable () throws -> Scenario

    var testDescription: String { name }

    init(
        _ name: String, _ refusal: @autoclosure @escaping @Sendable () throws -> ChainRefusal?, _ openSSL: OpenSSL,
        scenario: @escaping @Sendable () throws -> Scenario
    ) {
        self.name = name
        self.refusal = refusal
        self.openSSL = openSSL
        self.scenario = scenario
    }

    /// A sound hierarchy with one change before it is signed.
    static func hierarchy(
        _ name: String, _ refusal: @autoclosure @escaping @Sendable () throws -> ChainRefusal?, _ openSSL: OpenSSL,
        change: @escaping @Sendable (inout CertificateHierarchy) throws -> Void
    ) -> ChainVerifierCase {
        ChainVerifierCase(name, try refusal(), openSSL) {
            var hierarchy = CertificateHierarchy()
            try change(&hierarchy)
            return Scenario(chain: try hierarchy.chain(), roots: [try hierarchy.root.selfSigned()])
        }
    }

    /// A sound chain with one change after it is signed.
    static func chain(
        _ name: String, _ refusal: @autoclosure @escaping @Sendable () throws -> ChainRefusal?, _ openSSL: OpenSSL,
        change: @escaping @Sendable (inout Scenario) throws -> Void
    ) -> ChainVerifierCase {
        ChainVerifierCase(name, try refusal(), openSSL) {
            let hierarchy = CertificateHierarchy()
            var scenario = Scenario(chain: try hierarchy.chain(), roots: [try hierarchy.root.selfSigned()])
            try change(&scenario)
            return scenario
        }
    }

    static let leafName = "spiffe://payments/api"
    static let issuingName = "CN=issuing 01,O=Signet"
    static let rootName = "CN=root 01,O=Signet"
}
