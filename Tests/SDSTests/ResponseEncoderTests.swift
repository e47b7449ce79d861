import Authority
import AuthorityService
import EnvoyAPI
import Foundation
import PKI
import PKICrypto
import SDS
import SwiftProtobuf
import Testing

/// Responses written by hand, beside SwiftProtobuf's of the same content.
@Suite struct ResponseEncoderTests {
    private typealias Secret = Envoy_Extensions_TransportSockets_Tls_V3_Secret

    private let context = ValidationContext(
        trustDomains: [StreamBench.identity.trustDomain: [[1, 2, 3]]], trustedCA: [[1, 2, 3]], subjectAltNames: nil)

    /// A leaf whose chain and key have these lengths: lengths take one, two and three octets to say.
    private func leaf(_ chain: Int, _ key: Int) -> DeliveredLeaf {
        let leaf = StreamBench(.delta).leaf(1)
        return DeliveredLeaf(
            serial: leaf.serial, issuer: leaf.issuer, notBefore: leaf.notBefore, notAfter: leaf.notAfter,
            renewAt: leaf.renewAt, version: leaf.version, chainPEM: Array(repeating: 0x61, count: chain),
            privateKeyPEM: SecretBytes(Array(repeating: 0x62, count: key)))
    }

    private func packed(_ resource: SecretResource) throws -> Google_Protobuf_Any {
        guard case .identity(let leaf) = resource.content else {
            // Written by SwiftProtobuf in any case; read back and packed anew.
            let octets = try DiscoveryMessage.response(
                SecretResponse(nonce: "", version: "", resources: [resource], removed: []), form: .stateOfTheWorld, replica: "")
            let secret = try Secret(
                unpackingAny: try #require(
                    try Envoy_Service_Discovery_V3_DiscoveryResponse(serializedBytes: octets).resources.first))
            return try Google_Protobuf_Any(message: secret)
        }
        return try Google_Protobuf_Any(
            message: Secret.with {
                $0.name = resource.name
                $0.tlsCertificate.certificateChain.inlineBytes = Data(leaf.chainPEM)
                $0.tlsCertificate.privateKey.inlineBytes = leaf.privateKeyPEM.withUnsafeBytes { Data($0) }
            })
    }

    private var responses: [SecretResponse] {
        let name = String(repeating: "n", count: 300)
        let leaves = [(1, 1), (127, 128), (2_000, 241), (16_384, 16_383), (70_000, 1)].map { leaf($0.0, $0.1) }
        let identities = leaves.map { SecretResource(name: "default", version: $0.version, content: .identity($0)) }
        let trust = SecretResource(name: name, version: "t", content: .trust(context))
        return identities.map { SecretResponse(nonce: "n-1", version: "default=\($0.version)", resources: [$0], removed: []) } + [
            SecretResponse(nonce: "n-2", version: "", resources: identities + [trust], removed: []),
            SecretResponse(nonce: "", version: "v", resources: [], removed: ["a", "", name]),
            SecretResponse(nonce: "n-3", version: "ä", resources: [trust, trust], removed: []),
        ]
    }

    @Test func `A state-of-the-world response has SwiftProtobuf's octets`() throws {
        for response in responses {
            let expected: [UInt8] = try Envoy_Service_Discovery_V3_DiscoveryResponse.with {
                $0.versionInfo = response.version
                $0.resources = try response.resources.map(packed)
                $0.typeURL = SecretStream.typeURL
                $0.nonce = response.nonce
                $0.controlPlane.identifier = "replica-1"
            }.serializedBytes()
            #expect(
                try DiscoveryMessage.response(response, form: .stateOfTheWorld, replica: "replica-1") == expected,
                "\(response.nonce)")
        }
    }

    @Test func `A delta response has SwiftProtobuf's octets`() throws {
        for response in responses {
            let expected: [UInt8] = try Envoy_Service_Discovery_V3_DeltaDiscoveryResponse.with {
                $0.resources = try response.resources.map { resource in
                    try .with {
                        $0.name = resource.name
                        $0.version = resource.version
                        $0.resource = try packed(resource)
                    }
                }
                $0.typeURL = SecretStream.typeURL
                $0.nonce = response.nonce
                $0.removedResources = response.removed
                $0.controlPlane.identifier = "replica-1"
            }.serializedBytes()
            #expect(
                try DiscoveryMessage.response(response, form: .delta, replica: "replica-1") == expected, "\(response.nonce)")
        }
    }

    @Test func `A context is kept under its name and version, and identities are not`() throws {
        let encoder = ResponseEncoder(replica: "r")
        func encode(_ resources: SecretResource...) throws -> [UInt8] {
            Array(
                try encoder.encode(SecretResponse(nonce: "n", version: "v", resources: resources, removed: []), as: .delta)
                    .message)
        }
        let first = try encode(SecretResource(name: "ROOTCA", version: "1", content: .trust(context)))
        #expect(try encode(SecretResource(name: "ROOTCA", version: "1", content: .trust(context))) == first)
        #expect(encoder.keptCount == 1)
        var other = context
        other.trustedCA = nil
        #expect(try encode(SecretResource(name: "ROOTCA", version: "2", content: .trust(other))) != first)
        #expect(try encode(SecretResource(name: "ALL", version: "1", content: .trust(context))) != first)
        #expect(encoder.keptCount == 3)
        _ = try encode(SecretResource(name: "default", version: "1", content: .identity(leaf(10, 10))))
        #expect(encoder.keptCount == 3)
    }

    @Test func `A context that nobody was sent between two changes is forgotten`() throws {
        let encoder = ResponseEncoder(replica: "r")
        func encode(_ version: String) throws {
            let resource = SecretResource(name: "ROOTCA", version: version, content: .trust(context))
            _ = try encoder.encode(
                SecretResponse(nonce: "n", version: "v", resources: [resource], removed: []), as: .delta)
        }
        try encode("1")
        encoder.stateChanged()
        try encode("1")
        try encode("2")
        #expect(encoder.keptCount == 2)
        encoder.stateChanged()
        try encode("2")
        #expect(encoder.keptCount == 2)
        encoder.stateChanged()
        #expect(encoder.keptCount == 1)
    }
}
