package import PKI

/// A `MeshService` document: which proxies of a mesh are a service, parsed and as valid as the document alone can show.
package struct MeshServiceDocument: Sendable, Hashable {
    package struct Port: Sendable, Hashable {
        /// Where the proxies' application listens.
        package enum Target: Sendable, Hashable {
            /// The name of an inbound.
            case name(String)
            case number(Int)
        }

        package var name: String?
        package var port: Int
        package var targetPort: Target?
        package var appProtocol: String?

        package init(port: Int, name: String? = nil, targetPort: Target? = nil, appProtocol: String? = nil) {
            self.port = port
            self.name = name
            self.targetPort = targetPort
            self.appProtocol = appProtocol
        }
    }

    package var mesh: MeshName
    /// A DNS label, unique in its mesh.
    package var name: String
    /// `spec.selector.dataplaneTags`: a proxy with all of these tags is of the service. Never empty.
    package var selector: [String: String]
    package var ports: [Port]
    /// Without `kuma.io/mesh`, which says what `mesh` does; a Kubernetes namespace is the label `k8s.kuma.io/namespace`.
    package var labels: [String: String]
    package var annotations: [String: String]
    /// Kuma's fields that a certificate authority does not act on, by name, sorted: kept and given back.
    package var otherFields: [JSONValue.Member]
    /// ISO 8601; written by the server, ignored when it reads.
    package var creationTime: String?
    package var modificationTime: String?

    package init(
        mesh: MeshName, name: String, selector: [String: String], ports: [Port] = [], labels: [String: String] = [:],
        annotations: [String: String] = [:], otherFields: [JSONValue.Member] = [], creationTime: String? = nil,
        modificationTime: String? = nil
    ) {
        self.mesh = mesh
        self.name = name
        self.selector = selector
        self.ports = ports
        self.labels = labels
        self.annotations = annotations
        self.otherFields = otherFields.sorted { $0.key < $1.key }
        self.creationTime = creationTime
        self.modificationTime = modificationTime
    }

    /// One sentence for each field that is kept and not acted on.
    package var warnings: [String] {
        otherFields.map { member in
            switch member.key {
            case "identities":
                "spec.identities: kept and given back, but a service's identities are those granted to tokens with its tags"
            default:
                "\(MeshServiceDocument.path(of: member.key)): kept and given back, but a certificate authority does not act on it"
            }
        }
    }

    /// Kuma's fields of `spec` beyond what an identity needs.
    static let unusedSpecFields = ["identities", "state"]
    /// Kuma's fields beside `spec`, written by its control plane.
    static let unusedOuterFields = ["status"]
    static let meshLabel = "kuma.io/mesh"
    static let namespaceLabel = "k8s.kuma.io/namespace"

    private static func path(of key: String) -> String { unusedOuterFields.contains(key) ? key : "spec.\(key)" }
}
