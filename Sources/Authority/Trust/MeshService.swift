package import PKI

/// A service of a mesh by its selector: names the identities behind it. What a certificate authority needs of Kuma's MeshService.
package struct MeshService: Hashable, Sendable, Codable {
    package var mesh: MeshName
    /// A DNS label, unique in its mesh: the `<name>` of `…:service:<name>`.
    package var name: String
    /// `spec.selector.dataplaneTags`: a proxy with all of these tags is of the service. Never empty.
    package var selector: [String: String]
    /// The document as it was read, as one JSON object: given back without loss.
    package var document: String

    package init(mesh: MeshName, name: String, selector: [String: String], document: String) {
        self.mesh = mesh
        self.name = name
        self.selector = selector
        self.document = document
    }
}
