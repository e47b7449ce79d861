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

    /// The document of a door, as it is given back.
    func document(createdAt: Timestamp? = nil, modifiedAt: Timestamp? = nil) -> CrossMeshAccessDocument {
        CrossMeshAccessDocument(
            name: name, from: CrossMeshAccessDocument.Side(mesh: from.mesh, services: from.services),
            to: CrossMeshAccessDocument.Side(mesh: to.mesh, services: to.services),
            creationTime: createdAt?.iso8601, modificationTime: modifiedAt?.iso8601)
    }
}

extension AuthorityState.CrossMeshAccessEntry {
    /// The document of the door with the server's times.
    var document: CrossMeshAccessDocument { access.document(createdAt: createdAt, modifiedAt: modifiedAt) }
}
