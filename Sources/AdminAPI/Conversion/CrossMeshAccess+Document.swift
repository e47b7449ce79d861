internal import AdminWire
internal import Authority
internal import PKI

extension CrossMeshAccess {
    /// The core's door of a document.
    init(_ document: CrossMeshAccessDocument) {
        self.init(
            name: document.name, from: Side(mesh: document.from.mesh, services: document.from.services),
            to: Side(mesh: document.to.mesh, services: document.to.services))
    }
}

extension AuthorityState.CrossMeshAccessEntry {
    /// The document of a door, as it is given back.
    var document: CrossMeshAccessDocument {
        CrossMeshAccessDocument(
            name: access.name,
            from: CrossMeshAccessDocument.Side(mesh: access.from.mesh, services: access.from.services),
            to: CrossMeshAccessDocument.Side(mesh: access.to.mesh, services: access.to.services),
            creationTime: createdAt.iso8601, modificationTime: modifiedAt.iso8601)
    }
}
