internal import AdminWire
internal import Authority
internal import AuthorityService
internal import PKI

extension MeshService {
    /// The core's MeshService of a document, which is kept beside it without the server's times.
    init(_ document: MeshServiceDocument) {
        var kept = document
        kept.creationTime = nil
        kept.modificationTime = nil
        self.init(mesh: document.mesh, name: document.name, selector: document.selector, document: kept.json().json)
    }

    /// The document as it is given back.
    func json(createdAt: Timestamp? = nil, modifiedAt: Timestamp? = nil) throws(AuthorityError) -> JSONValue {
        do {
            var document = try MeshServiceDocument(json: document)
            document.creationTime = createdAt?.iso8601
            document.modificationTime = modifiedAt?.iso8601
            return document.json()
        } catch {
            throw .ledger(.rejected(detail: "the stored document of MeshService '\(name)' cannot be read: \(error)"))
        }
    }
}

extension AuthorityState.MeshServiceEntry {
    /// The document as it is given back, with the server's times.
    func json() throws(AuthorityError) -> JSONValue {
        try service.json(createdAt: createdAt, modifiedAt: modifiedAt)
    }
}
