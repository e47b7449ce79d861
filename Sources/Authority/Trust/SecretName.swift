package import PKI

/// What an SDS resource name asks for. Several names may mean the same: the answer carries the name that was asked.
package enum SecretName: Sendable, Hashable {
    /// The mesh's own trust domain and those that share its CA: `ALL`, `mesh_ca:secret:all`.
    case allTrust
    /// Outbound: `mesh_ca:secret:<mesh>:destinations`.
    case destinations
    /// The proxy's own certificate and key: `default`, `identity_cert:secret:<mesh>`, its `spiffe://…`.
    case identity
    /// The mesh's own trust domain: `ROOTCA`, `mesh_ca:secret:<mesh>`, `spiffe://<trust domain>`.
    case meshTrust
    /// Inbound: `mesh_ca:secret:<mesh>:peers`.
    case peers
    /// Outbound to one service: `mesh_ca:secret:<mesh>:service:<name>` or `…:service:<mesh>/<name>`.
    case service(mesh: MeshName, name: String)

    /// Reads `text` as asked by a proxy of `caller`'s mesh.
    ///
    /// Throws `secretUnknown` for a name of no known form, `secretForbidden` for a secret of another mesh or identity.
    package static func parse(_ text: String, for caller: Caller) throws(Refusal) -> SecretName {
        switch text {
        case "default": return .identity
        case "ROOTCA": return .meshTrust
        case "ALL", "mesh_ca:secret:all": return .allTrust
        default: break
        }
        if text.hasPrefix("spiffe://") {
            if text == caller.identity.uri { return .identity }
            if text == caller.identity.trustDomain.uri { return .meshTrust }
            throw .secretForbidden(name: text)
        }
        if let mesh = text.suffix(after: "identity_cert:secret:") {
            guard mesh == caller.mesh.name else { throw forbiddenOrUnknown(text, mesh: mesh) }
            return .identity
        }
        if let rest = text.suffix(after: "mesh_ca:secret:") {
            let parts = rest.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard parts[0] == caller.mesh.name else { throw forbiddenOrUnknown(text, mesh: parts[0]) }
            switch parts.dropFirst() {
            case []: return .meshTrust
            case ["peers"]: return .peers
            case ["destinations"]: return .destinations
            case let tail where tail.count == 2 && tail.first == "service":
                let target = parts[2].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                if target.count == 1, !target[0].isEmpty { return .service(mesh: caller.mesh, name: target[0]) }
                if target.count == 2, !target[1].isEmpty, let mesh = try? MeshName(target[0]) {
                    return .service(mesh: mesh, name: target[1])
                }
                throw .secretUnknown(name: text)
            default: throw .secretUnknown(name: text)
            }
        }
        throw .secretUnknown(name: text)
    }

    private static func forbiddenOrUnknown(_ text: String, mesh: String) -> Refusal {
        (try? MeshName(mesh)) == nil ? .secretUnknown(name: text) : .secretForbidden(name: text)
    }
}

extension String {
    fileprivate func suffix(after prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
