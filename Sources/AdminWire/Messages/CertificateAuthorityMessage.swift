/// A certificate authority as the API shows it; keys are never part of it.
package struct CertificateAuthorityMessage: Codable, Sendable, Hashable {
    package var type: String
    package var name: String
    package var keyType: String
    /// How long its roots live, as a duration such as `10y`.
    package var expiration: String
    /// The mesh that owns it alone; absent when it is shared.
    package var owner: String?
    /// The meshes whose trust is bound to one of its roots.
    package var meshes: [String]
    /// The ids of its issuers, oldest first.
    package var issuers: [String]

    package init(name: String, keyType: String, expiration: String, owner: String?, meshes: [String], issuers: [String]) {
        self.type = "CertificateAuthority"
        self.name = name
        self.keyType = keyType
        self.expiration = expiration
        self.owner = owner
        self.meshes = meshes
        self.issuers = issuers
    }
}
