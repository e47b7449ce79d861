internal import Authority
internal import AuthorityService
internal import EnvoyAPI
internal import GRPCCore
internal import PKI

extension SecretServer {
    /// The unary form: every name that has a secret, at once; names without one are left out.
    func fetch(
        _ request: Envoy_Service_Discovery_V3_DiscoveryRequest, metadata: Metadata, context: ServerContext
    ) async throws(RPCError) -> Envoy_Service_Discovery_V3_DiscoveryResponse {
        guard request.typeURL.isEmpty || request.typeURL == SecretStream.typeURL else {
            throw RPCError(code: .invalidArgument, message: "only \(SecretStream.typeURL) is served here")
        }
        let names = Set(request.resourceNames).sorted()
        guard names.count <= limits.mostNames else { throw RPCError(.tooManyNames(limit: limits.mostNames)) }
        if let long = names.first(where: { $0.utf8.count > limits.mostNameBytes }) {
            throw RPCError(.nameTooLong(bytes: long.utf8.count, limit: limits.mostNameBytes))
        }
        let caller = try await authenticate(metadata: metadata, nodeID: request.node.id, context: context)
        var log = StreamLog(logger: logger(for: caller), mesh: caller.mesh, mostLines: limits.mostLogLines)
        var resources: [SecretResource] = []
        var leaf: DeliveredLeaf?
        for name in names {
            do {
                switch try SecretName.parse(name, for: caller) {
                case .identity:
                    // Aliases share one leaf, which is nobody's subscription: it has no node.
                    let issued = if let leaf { leaf } else { try await authority.issueLeaf(for: caller, node: nil) }
                    leaf = issued
                    resources.append(SecretResource(name: name, version: issued.version, content: .identity(issued)))
                case let secret:
                    let served = try authority.trust(secret, for: caller)
                    resources.append(SecretResource(name: name, version: served.version, content: .trust(served.context)))
                }
            } catch let refusal as Refusal {
                log.note(.nameRefused(name: name, refusal))
                audit(.nameRefused(name: name, refusal), of: caller, source: context.remotePeer)
            } catch AuthorityError.refused(let refusal) {
                log.note(.nameRefused(name: name, refusal))
                audit(.nameRefused(name: name, refusal), of: caller, source: context.remotePeer)
            } catch let error as AuthorityError {
                log.leafDelayed(error)
                throw RPCError(error)
            } catch {
                throw RPCError(code: .internalError, message: "internal: see the service's log")
            }
        }
        let versions = Dictionary(uniqueKeysWithValues: resources.map { ($0.name, $0.version) })
        let response = SecretResponse(
            nonce: String(UInt64.random(in: .min ... .max), radix: 36), version: StreamVersions(versions).text,
            resources: resources, removed: [])
        do {
            return try StateOfTheWorldForm.encode(response, from: authority.instance)
        } catch {
            throw RPCError(code: .internalError, message: "internal: a secret could not be encoded")
        }
    }
}
