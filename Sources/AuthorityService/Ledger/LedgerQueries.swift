package import PKI

/// Which certificates of the ledger.
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
package struct AuditQuery: Hashable, Sendable {
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
