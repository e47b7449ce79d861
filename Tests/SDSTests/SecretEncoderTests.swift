import Authority
import AuthorityService
import EnvoyAPI
import Foundation
import PKI
import SDS
import SwiftProtobuf
import Testing

/// Secrets as octets, read back as Envoy reads them.
@Suite struct SecretEncoderTests {
    private typealias Secret = Envoy_Extensions_TransportSockets_Tls_V3_Secret

    private func decoded(_ resource: SecretResource) throws -> Secret {
        let response = SecretResponse(nonce: "n", version: "v", resources: [resource], removed: [])
        let message = try Envoy_Service_Discovery_V3_DiscoveryResponse(
            serializedBytes: DiscoveryMessage.response(response, form: .stateOfTheWorld, replica: "r"))
        let any = try #require(message.resources.first)
        #expect(any.typeURL == SecretStream.typeURL)
        return try Secret(unpackingAny: any)
    }

    @Test func `An identity is chain and key inline, under the name that was asked`() throws {
        let leaf = StreamBench(.delta).leaf(5)
        let secret = try decoded(SecretResource(name: "spiffe://payments/api", version: "v", content: .identity(leaf)))
        #expect(secret.name == "spiffe://payments/api")
        #expect(secret.tlsCertificate.certificateChain.inlineBytes == Data("CHAIN 5".utf8))
        #expect(secret.tlsCertificate.privateKey.inlineBytes == Data("KEY 5".utf8))
    }

    @Test func `Each trust domain is bound to its own roots, sorted by name`() throws {
        let context = ValidationContext(
            trustDomains: [
                try TrustDomain("b.example"): [[1, 2, 3]], try TrustDomain("a.example"): [Array(repeating: 9, count: 60), [4]],
            ],
            trustedCA: nil, subjectAltNames: nil)
        let secret = try decoded(SecretResource(name: "ALL", version: "v", content: .trust(context)))
        let validator = secret.validationContext.customValidatorConfig
        #expect(validator.name == "envoy.tls.cert_validator.spiffe")
        let spiffe = try Envoy_Extensions_TransportSockets_Tls_V3_SPIFFECertValidatorConfig(unpackingAny: validator.typedConfig)
        #expect(spiffe.trustDomains.map(\.name) == ["a.example", "b.example"])
        let first = String(decoding: spiffe.trustDomains[0].trustBundle.inlineBytes, as: UTF8.self)
        #expect(first.components(separatedBy: "-----BEGIN CERTIFICATE-----\n").count == 3)
        #expect(first.hasSuffix("-----BEGIN CERTIFICATE-----\nBA==\n-----END CERTIFICATE-----\n"))
        #expect(first.split(separator: "\n").allSatisfy { $0.count <= 64 })
        #expect(!secret.validationContext.hasTrustedCa)
        #expect(secret.validationContext.matchTypedSubjectAltNames.isEmpty)
    }

    @Test func `Meshes that share a root, one of them on its way to another, are each bound to their own bundle`() throws {
        let (shared, coming): ([UInt8], [UInt8]) = ([1], [2])
        let bundles = ["orders": [shared], "payments": [shared, coming], "web": [shared]]
        let context = ValidationContext(
            trustDomains: try Dictionary(uniqueKeysWithValues: bundles.map { (try TrustDomain($0.key), $0.value) }),
            trustedCA: nil, subjectAltNames: nil)
        let secret = try decoded(SecretResource(name: "mesh_ca:secret:all", version: "v", content: .trust(context)))
        let spiffe = try Envoy_Extensions_TransportSockets_Tls_V3_SPIFFECertValidatorConfig(
            unpackingAny: secret.validationContext.customValidatorConfig.typedConfig)
        let sharedPEM = "-----BEGIN CERTIFICATE-----\nAQ==\n-----END CERTIFICATE-----\n"
        let comingPEM = "-----BEGIN CERTIFICATE-----\nAg==\n-----END CERTIFICATE-----\n"
        #expect(
            spiffe.trustDomains.map { "\($0.name) \(String(decoding: $0.trustBundle.inlineBytes, as: UTF8.self))" }
                == ["orders \(sharedPEM)", "payments \(sharedPEM)\(comingPEM)", "web \(sharedPEM)"])
        // A client without the SPIFFE validator would take any of the shared root's meshes for its own.
        #expect(!secret.validationContext.hasTrustedCa)
    }

    @Test func `Plain roots stand beside the validator where they are given`() throws {
        let context = ValidationContext(
            trustDomains: [StreamBench.identity.trustDomain: [[1]]], trustedCA: [[1]], subjectAltNames: nil)
        let secret = try decoded(SecretResource(name: "ROOTCA", version: "v", content: .trust(context)))
        #expect(
            String(decoding: secret.validationContext.trustedCa.inlineBytes, as: UTF8.self)
                == "-----BEGIN CERTIFICATE-----\nAQ==\n-----END CERTIFICATE-----\n")
    }

    @Test func `Matchers are of type URI, and a trust domain's ends in a slash`() throws {
        let context = ValidationContext(
            trustDomains: [StreamBench.identity.trustDomain: [[1]]], trustedCA: nil,
            subjectAltNames: [.trustDomain(StreamBench.identity.trustDomain), .exact(StreamBench.identity)])
        let secret = try decoded(SecretResource(name: "x", version: "v", content: .trust(context)))
        let matchers = secret.validationContext.matchTypedSubjectAltNames
        #expect(matchers.map(\.sanType) == [.uri, .uri])
        #expect(matchers[0].matcher.prefix == "spiffe://payments/")
        #expect(matchers[1].matcher.exact == "spiffe://payments/api")
    }
}
