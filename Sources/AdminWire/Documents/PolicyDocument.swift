/// A document of any type that this version reads.
package enum PolicyDocument: Sendable, Hashable {
    case crossMeshAccess(CrossMeshAccessDocument)
    case mesh(MeshDocument)

    /// Reads one document, in either form; every fault is found before it throws.
    package init(_ node: DocumentNode) throws(DocumentError) {
        var reader = FieldReader()
        let kind = reader.kind(of: node, among: DocumentKind.allCases)
        try reader.finish()
        switch kind {
        case .crossMeshAccess: self = .crossMeshAccess(try CrossMeshAccessDocument(node))
        case .mesh: self = .mesh(try MeshDocument(node))
        case nil: throw DocumentError(line: node.line, reason: "is not a document of a known type")
        }
    }

    package var kind: DocumentKind {
        switch self {
        case .crossMeshAccess: .crossMeshAccess
        case .mesh: .mesh
        }
    }

    /// Unique among the documents of its kind.
    package var name: String {
        switch self {
        case .crossMeshAccess(let document): document.name
        case .mesh(let document): document.name.name
        }
    }

    /// One sentence for each field that is kept and not acted on.
    package var warnings: [String] {
        switch self {
        case .crossMeshAccess: []
        case .mesh(let document): document.warnings
        }
    }

    /// The document as JSON in one of Kuma's forms.
    package func json(_ form: DocumentForm = .universal) -> JSONValue {
        switch self {
        case .crossMeshAccess(let document): document.json(form)
        case .mesh(let document): document.json(form)
        }
    }
}
