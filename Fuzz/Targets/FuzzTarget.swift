/// What a fuzzer feeds: each takes any octets, and gives its verdict or the law that they break.
///
/// The same functions run under libFuzzer, by `make fuzz`, and in the ordinary tests, with the seeds and with every input that
/// once broke something.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// A peer's certificate chain, through the verifier.
    case certificateChain = "certificate-chain"
    /// A certificate template filled in, beside the encoder of swift-certificates.
    case certificateTemplate = "certificate-template"
    /// A certificate signing request.
    case certificateSigningRequest = "csr"
    /// A stream's messages, through protobuf and the state machine of a stream.
    case discovery
    /// A text of documents, as YAML and as JSON.
    case document
    /// What a client sends on a connection of the proxies' door, from HTTP/2's preface on.
    case grpcConnection = "grpc-connection"
    /// A SPIFFE ID and a trust domain.
    case spiffeID = "spiffe-id"
    /// A dataplane token.
    case token

    /// Whether the input was taken for what it should be.
    package enum Verdict: String, Sendable {
        case accepted, refused

        init(_ isAccepted: Bool) {
            self = isAccepted ? .accepted : .refused
        }
    }

    /// Throws `BrokenInvariant` for a find; everything else that goes wrong is a crash.
    package func run(_ bytes: [UInt8]) async throws -> Verdict {
        switch self {
        case .certificateChain: try CertificateChainFuzz.run(bytes)
        case .certificateTemplate: try CertificateTemplateFuzz.run(bytes)
        case .certificateSigningRequest: try CSRFuzz.run(bytes)
        case .discovery: try DiscoveryFuzz.run(bytes)
        case .document: try DocumentFuzz.run(bytes)
        case .grpcConnection: try GRPCConnectionFuzz.run(bytes)
        case .spiffeID: try SPIFFEIDFuzz.run(bytes)
        case .token: try await TokenFuzz.run(bytes)
        }
    }

    /// 256 KiB: four times the largest request and certificate; a document may be larger, but what is beyond is more of the same.
    package static let maximumBytes = 256 << 10
}
