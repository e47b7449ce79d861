import Authority
import AuthorityService
import EnvoyAPI
import Foundation
import PKI
import PKICrypto
import SDS
import SwiftProtobuf

/// A stream from its first message to its end. The first octet chooses the form of the protocol; then come events, an octet
/// each: a message in protobuf, which follows in a block, or something that happens on our side.
///
/// Laws: a response is written only when the one before it is on the wire; no nonce comes twice; a key goes only under a name
/// that means the proxy's own identity, and a bundle never; nothing is said after the end; what a response says survives
/// protobuf; what is kept for a stream is bounded; and a note is one readable line.
struct DiscoveryFuzz {
    private let form: SecretStream.Form
    private let caller: Caller
    private let limits = StreamLimits()
    private var stream: SecretStream
    private var now = FuzzKeys.now
    private var revision: Int64 = 1
    private var refusal: Refusal?
    /// What a name of trust means now; nil: nothing.
    private var content: UInt8? = 1
    private var isWriting = false
    private var isIssuing = false
    private var hasEnded = false
    private var leaves = 0
    private var nonces: Set<String> = []
    private var last: SecretResponse?
    private var names: [String] = []

    static func run(_ bytes: [UInt8]) throws -> FuzzTarget.Verdict {
        var input = FuzzInput(bytes)
        var fuzz = try DiscoveryFuzz(input.byte() & 1 == 0 ? .stateOfTheWorld : .delta)
        var events = 0
        while !input.isAtEnd, events < 400 {
            try fuzz.step(&input)
            events += 1
        }
        return FuzzTarget.Verdict(!fuzz.nonces.isEmpty)
    }

    private init(_ form: SecretStream.Form) throws {
        self.form = form
        caller = Caller(
            mesh: try MeshName("payments"), identity: try SPIFFEID("spiffe://payments/api"), proxy: "api-1",
            tags: ["kuma.io/service": ["api"]], tokenID: "token-1")
        stream = SecretStream(form: form, caller: caller, nonceTag: "f", limits: limits)
    }

    private mutating func step(_ input: inout FuzzInput) throws {
        switch input.byte() % 12 {
        case 0, 1, 2: try receive(input.block())
        case 3: try answer(rejecting: false)
        case 4: try answer(rejecting: true)
        case 5, 6:
            guard isWriting, !hasEnded else { return }
            isWriting = false
            try obey(stream.written(in: outlook))
        case 7:
            guard isIssuing, !hasEnded else { return }
            isIssuing = false
            let directives =
                switch input.byte() % 4 {
                case 0: stream.leafFailed(jitter: 1, in: outlook)
                case 1: stream.leafRefused(.meshWithoutMTLS(caller.mesh), in: outlook)
                default: stream.leafIssued(nextLeaf(), in: outlook)
                }
            try obey(directives)
        case 8, 9:
            let octet = Int64(input.byte())
            now = now + .milliseconds(octet * octet * 10)
            try obey(stream.noticed(outlook))
        case 10:
            revision += 1
            let octet = input.byte()
            content = octet < 16 ? nil : octet
            try obey(stream.noticed(outlook))
        default:
            revision += 1
            if input.byte() == 0 { refusal = .tokenRevoked(id: caller.tokenID) }
            try obey(stream.noticed(outlook))
        }
        if !hasEnded, let wake = stream.nextWake(after: now) {
            try BrokenInvariant.require(wake > now, "a wake in the past")
        }
    }

    /// A message from the wire, as it is.
    private mutating func receive(_ message: [UInt8]) throws {
        guard let request = try? DiscoveryMessage.request(message, form: form) else { return }
        switch request.names {
        case .delta(let subscribe, let unsubscribe, _):
            names = names.filter { !unsubscribe.contains($0) } + subscribe
        case .stateOfTheWorld(let names, _): self.names = names
        }
        try obey(stream.requested(request, in: outlook))
    }

    /// The last response is answered, as a proxy does it.
    private mutating func answer(rejecting: Bool) throws {
        guard let last else { return }
        let names: SecretRequest.Names =
            form == .delta
            ? .delta(subscribe: [], unsubscribe: [], held: [:]) : .stateOfTheWorld(names, version: last.version)
        let request = SecretRequest(
            typeURL: SecretStream.typeURL, nonce: last.nonce, rejection: rejecting ? "no\n\u{202E}" : nil, names: names)
        try obey(stream.requested(request, in: outlook))
    }

    private var outlook: Outlook {
        let (content, domain) = (content, caller.identity.trustDomain)
        return Outlook(
            now: now, revision: revision, refusal: refusal,
            trust: { name in
                guard let content else { return .failure(.secretEmpty(name: "\(name)")) }
                let context = ValidationContext(trustDomains: [domain: [[content]]], trustedCA: nil, subjectAltNames: nil)
                return .success(ServedTrust(context: context, version: "v\(content)"))
            },
            held: { [held] in $0 == held.version ? held.held : nil }, replacement: { _ in nil })
    }

    /// The leaf that a proxy may name after a reconnect.
    private var held: DeliveredLeaf { leaf(0) }

    private mutating func nextLeaf() -> DeliveredLeaf {
        leaves += 1
        return leaf(leaves)
    }

    private func leaf(_ number: Int) -> DeliveredLeaf {
        DeliveredLeaf(
            serial: SerialNumber(bytes: [UInt8(number % 127 + 1)]), issuer: IssuerID(random: [UInt8](repeating: 7, count: 8)),
            notBefore: now, notAfter: now + .seconds(1000), renewAt: now + .seconds(500), version: "leaf\(number)",
            chainPEM: Array("CHAIN".utf8), privateKeyPEM: SecretBytes(DiscoveryFuzz.key))
    }

    private static let key = Array("THE PRIVATE KEY".utf8)

    // MARK: Laws

    private mutating func obey(_ directives: [StreamDirective]) throws {
        try BrokenInvariant.require(!hasEnded || directives.isEmpty, "something is said after the end")
        for directive in directives {
            try BrokenInvariant.require(!hasEnded, "something is said after the end")
            switch directive {
            case .end: hasEnded = true
            case .forget, .report: break
            case .issueLeaf:
                try BrokenInvariant.require(!isIssuing, "two leaves are asked for at once")
                isIssuing = true
            case .note(let note): try check(note)
            case .send(let response): try check(response)
            }
        }
    }

    private func check(_ note: StreamNote) throws {
        switch note {
        case .nameRefused(_, let refusal): try SpokenText.check(LogText.escaped("\(refusal)"))
        case .rejected(_, let message): try SpokenText.check(message)
        case .ignoredType, .silent, .staleNonce: break
        }
    }

    private mutating func check(_ response: SecretResponse) throws {
        try BrokenInvariant.require(!isWriting, "a response is written over another")
        try BrokenInvariant.require(nonces.insert(response.nonce).inserted, "a nonce comes twice")
        try BrokenInvariant.require(!response.resources.isEmpty || !response.removed.isEmpty, "a response says nothing")
        isWriting = true
        last = response
        for resource in response.resources {
            let meaning = try SecretName.parse(resource.name, for: caller)
            switch resource.content {
            case .identity: try BrokenInvariant.require(meaning == .identity, "a key under '\(resource.name)'")
            case .trust: try BrokenInvariant.require(meaning != .identity, "a bundle under '\(resource.name)'")
            }
        }
        let octets = try DiscoveryMessage.response(response, form: form, replica: "r")
        var packed: [(name: String, secret: Google_Protobuf_Any)] = []
        switch form {
        case .delta:
            let message = try Envoy_Service_Discovery_V3_DeltaDiscoveryResponse(serializedBytes: octets)
            try BrokenInvariant.require(
                message.nonce == response.nonce && message.removedResources == response.removed && message.resources.count <= 1,
                "another response on the wire")
            packed = message.resources.map { ($0.name, $0.resource) }
        case .stateOfTheWorld:
            let message = try Envoy_Service_Discovery_V3_DiscoveryResponse(serializedBytes: octets)
            try BrokenInvariant.require(
                message.nonce == response.nonce && message.versionInfo == response.version && response.removed.isEmpty,
                "another response on the wire")
            let versions = StreamVersions(parsing: message.versionInfo).versions
            packed = zip(response.resources, message.resources).map { ($0.name, $1) }
            for resource in response.resources where message.versionInfo.utf8.count <= 65_536 {
                try BrokenInvariant.require(versions[resource.name] == resource.version, "a version that is not listed")
            }
        }
        try BrokenInvariant.require(packed.count == response.resources.count, "another number of resources on the wire")
        for (resource, item) in zip(response.resources, packed) {
            let secret = try Envoy_Extensions_TransportSockets_Tls_V3_Secret(unpackingAny: item.secret)
            try BrokenInvariant.require(secret.name == resource.name && item.name == resource.name, "another name on the wire")
            let isIdentity = if case .identity = resource.content { true } else { false }
            let hasKey = secret.tlsCertificate.privateKey.inlineBytes == Data(DiscoveryFuzz.key)
            try BrokenInvariant.require(hasKey == isIdentity, "a key where none should be, or none where one should")
        }
    }
}
