package import PKI

/// A document of any type that this version reads.
package enum PolicyDocument: Sendable, Hashable {
    case certificateAuthority(CertificateAuthorityDocument)
    case crossMeshAccess(CrossMeshAccessDocument)
    case mesh(MeshDocument)
    case meshService(MeshServiceDocument)

    /// Reads one document, in either form; every fault is found before it throws.
    package init(_ node: DocumentNode) throws(DocumentError) {
        var reader = FieldReader()
        let kind = reader.kind(of: node, among: DocumentKind.allCases)
        try reader.finish()
        switch kind {
        case .certificateAuthority: self = .certificateAuthority(try CertificateAuthorityDocument(node))
        case .crossMeshAccess: self = .crossMeshAccess(try CrossMeshAccessDocument(node))
        case .mesh: self = .mesh(try MeshDocument(node))
        case .meshService: self = .meshService(try MeshServiceDocument(node))
        case nil: throw DocumentError(line: node.line, reason: "is not a document of a known type")
        }
    }

    package var kind: DocumentKind {
        switch self {
        case .certificateAuthority: .certificateAuthority
        case .crossMeshAccess: .crossMeshAccess
        case .mesh: .mesh
        case .meshService: .meshService
        }
    }

    /// Unique among the documents of its kind; for a MeshService, only among those of its mesh.
    package var name: String {
        switch self {
        case .certificateAuthority(let document): document.name
        case .crossMeshAccess(let document): document.name
        case .mesh(let document): document.name.name
        case .meshService(let document): document.name
        }
    }

    /// The mesh that a MeshService is of; nil for the documents that stand above the meshes.
    package var mesh: MeshName? {
        if case .meshService(let document) = self { document.mesh } else { nil }
    }

    /// What it is, such as `Mesh 'payments'` or `MeshService 'payments/api'`: unique among all documents.
    package var label: String { "\(kind.rawValue) '\(mesh.map { "\($0)/" } ?? "")\(name)'" }

    /// One sentence for each field that is kept and not acted on.
    package var warnings: [String] {
        switch self {
        case .certificateAuthority, .crossMeshAccess: []
        case .mesh(let document): document.warnings
        case .meshService(let document): document.warnings
        }
    }

    /// The document as JSON in one of Kuma's forms, without the private keys that it may bring.
    package func json(_ form: DocumentForm = .universal) -> JSONValue {
        switch self {
        case .certificateAuthority(let document): document.json(form)
        case .crossMeshAccess(let document): document.json(form)
        case .mesh(let document): document.json(form)
        case .meshService(let document): document.json(form)
        }
    }

    /// The document as a request to the server carries it: with the private keys, if it brings any. For nothing else.
    package var requestJSON: JSONValue {
        switch self {
        case .certificateAuthority(let document): document.requestJSON
        case .crossMeshAccess(let document): document.json()
        case .mesh(let document): document.requestJSON
        case .meshService(let document): document.json()
        }
    }
}
