package import PKI

/// Which certificates of the ledger.
///
/// A query that names neither a mesh nor an identity reads the whole ledger: no index serves it, and no route asks it.
package struct CertificateQuery: Hashable, Sendable {
    package var mesh: MeshName?
    package var kind: CertificateRecord.Kind?
    package var identity: SPIFFEID?
    package var cursor: PageCursor?
    /// 1 to 1000.
    package var size: Int

    package init(
        mesh: MeshName? = nil, kind: CertificateRecord.Kind? = nil, identity: SPIFFEID? = nil,
        cursor: PageCursor? = nil, size: Int = 100
    ) {
        self.mesh = mesh
        self.kind = kind
        self.identity = identity
        self.cursor = cursor
        self.size = size
    }
}

/// Which tokens of the ledger.
package struct TokenQuery: Hashable, Sendable {
    package var mesh: MeshName?
    package var cursor: PageCursor?
    /// 1 to 1000.
    package var size: Int

    package init(mesh: MeshName? = nil, cursor: PageCursor? = nil, size: Int = 100) {
        self.mesh = mesh
        self.cursor = cursor
        self.size = size
    }
}

/// Which audit entries.
///
/// A page ends early where its entries found and left more than `mostOctets`: each may be two documents of a megabyte.
package struct AuditQuery: Hashable, Sendable {
    package var mesh: MeshName?
    /// As in the entries, such as `user:alice`.
    package var actor: String?
    /// Whether entries come with what they found and left.
    package var hasDocuments: Bool
    package var cursor: PageCursor?
    /// 1 to 1000.
    package var size: Int

    package init(
        mesh: MeshName? = nil, actor: String? = nil, hasDocuments: Bool = true, cursor: PageCursor? = nil, size: Int = 100
    ) {
        self.mesh = mesh
        self.actor = actor
        self.hasDocuments = hasDocuments
        self.cursor = cursor
        self.size = size
    }

    /// Where a page ends that is not full yet, by the octets of what its entries found and left. As many requests as may be under
    /// way at once may ask for the largest.
    package static let mostOctets = 8 << 20
}

/// Which rotations.
package struct RotationQuery: Hashable, Sendable {
    package var mesh: MeshName?
    /// Of `to` or of `from`.
    package var certificateAuthority: String?
    package var cursor: PageCursor?
    /// 1 to 1000.
    package var size: Int

    package init(
        mesh: MeshName? = nil, certificateAuthority: String? = nil, cursor: PageCursor? = nil, size: Int = 100
    ) {
        self.mesh = mesh
        self.certificateAuthority = certificateAuthority
        self.cursor = cursor
        self.size = size
    }
}
