import AdminWire

extension AdminClient {
    /// What the answer to a document says.
    func report(_ answer: Answer, of document: PolicyDocument) throws(CommandFailure) -> ChangeReport {
        switch document.kind {
        case .certificateAuthority: ChangeReport(try decode(CertificateAuthorityChangeMessage.self, answer))
        case .crossMeshAccess, .mesh, .meshService: ChangeReport(try decode(MeshChangeMessage.self, answer))
        }
    }
}
