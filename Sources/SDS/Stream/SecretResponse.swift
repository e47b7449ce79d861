package import Authority
package import AuthorityService

/// One message to the proxy, in neither protocol form's clothes.
package struct SecretResponse: Sendable {
    package var nonce: String
    /// The versions of all names on the stream, as one text; state of the world only.
    package var version: String
    package var resources: [SecretResource]
    /// Names that have no resource; delta only.
    package var removed: [String]

    package init(nonce: String, version: String, resources: [SecretResource], removed: [String]) {
        self.nonce = nonce
        self.version = version
        self.resources = resources
        self.removed = removed
    }
}

/// A secret under the name that was asked for: Envoy accepts one of another name and loads nothing.
package struct SecretResource: Sendable {
    package var name: String
    package var version: String
    package var content: Content

    package enum Content: Sendable {
        case identity(DeliveredLeaf)
        case trust(ValidationContext)
    }

    package init(name: String, version: String, content: Content) {
        self.name = name
        self.version = version
        self.content = content
    }
}
