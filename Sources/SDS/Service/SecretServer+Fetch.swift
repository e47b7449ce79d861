internal import Authority
internal import AuthorityService
internal import GRPCHTTP2
internal import PKI

extension SecretServer {
    /// What `FetchSecrets` answers.
    func fetch(
        _ request: SecretRequest, credentials: ProxyCredentials
    ) async throws(GRPCStatus) -> SecretResponse {
        guard request.typeURL.isEmpty || request.typeURL == SecretStream.typeURL else {
            throw GRPCStatus(code: .invalidArgument, message: "only \(SecretStream.typeURL) is served here")
        }
        guard case .stateOfTheWorld(let wanted, _) = request.names else {
            throw GRPCStatus(code: .invalidArgument, message: "the names are not those of a fetch")
        }
        let names = Set(wanted).sorted()
        guard names.count <= limits.mostNames else {
            SDSMetrics.limited("names-per-stream")
            throw GRPCStatus(.tooManyNames(limit: limits.mostNames))
        }
        if let long = names.first(where: { $0.utf8.count > limits.mostNameBytes }) {
            SDSMetrics.limited("name-bytes")
            throw GRPCStatus(.nameTooLong(bytes: long.utf8.count, limit: limits.mostNameBytes))
        }
        let caller = try await authenticate(credentials).get()
        let node = Conversation.node(credentials.nodeID, of: caller)
        do {
            try authority.admission.admitStream(of: caller, node: node)
        } catch {
            throw GRPCStatus(error)
        }
        var log = StreamLog(server: self)
        var resources: [SecretResource] = []
        var leaf: DeliveredLeaf?
        for name in names {
            do {
                switch try SecretName.parse(name, for: caller) {
                case .identity:
                    // Aliases share one leaf, which is nobody's subscription: it has no node.
                    if leaf == nil { try authority.admission.admitLeaf(for: caller, node: node) }
                    let issued = if let leaf { leaf } else { try await authority.issueLeaf(for: caller, node: nil) }
                    leaf = issued
                    resources.append(SecretResource(name: name, version: issued.version, content: .identity(issued)))
                case let secret:
                    let served = try authority.trust(secret, for: caller)
                    resources.append(SecretResource(name: name, version: served.version, content: .trust(served.context)))
                }
            } catch let refusal as Refusal {
                log.note(.nameRefused(name: name, refusal), of: caller)
                audit(.nameRefused(name: name, refusal), of: caller, source: credentials.source)
            } catch AuthorityError.refused(let refusal) {
                log.note(.nameRefused(name: name, refusal), of: caller)
                audit(.nameRefused(name: name, refusal), of: caller, source: credentials.source)
            } catch let refusal as LimitRefusal {
                throw GRPCStatus(refusal)
            } catch let error as AuthorityError {
                log.leafDelayed(error, of: caller)
                throw GRPCStatus(error)
            } catch {
                throw GRPCStatus(code: .internalError, message: "internal: see the service's log")
            }
        }
        let versions = Dictionary(uniqueKeysWithValues: resources.map { ($0.name, $0.version) })
        return SecretResponse(
            nonce: String(UInt64.random(in: .min ... .max), radix: 36), version: StreamVersions(versions).text,
            resources: resources, removed: [])
    }
}
