/// One proxy as the answering replica sees it. Times are ISO 8601.
package struct ProxyMessage: Codable, Sendable, Hashable {
    package struct Nack: Codable, Sendable, Hashable {
        package var version: String
        /// Envoy's own words.
        package var message: String
        package var at: String

        package init(version: String, message: String, at: String) {
            self.version = version
            self.message = message
            self.at = at
        }
    }

    package struct Leaf: Codable, Sendable, Hashable {
        package var serial: String
        package var issuer: String
        package var notAfter: String
        package var renewAt: String

        package init(serial: String, issuer: String, notAfter: String, renewAt: String) {
            self.serial = serial
            self.issuer = issuer
            self.notAfter = notAfter
            self.renewAt = renewAt
        }
    }

    package struct Subscription: Codable, Sendable, Hashable {
        /// The SDS resource name as the proxy asks for it.
        package var resource: String
        package var sentVersion: String?
        package var sentAt: String?
        package var ackedVersion: String?
        package var ackedAt: String?
        package var nack: Nack?
        /// Why the name has no resource: `reason: sentence`.
        package var refusal: String?
        /// Whether the proxy has not answered in time.
        package var silent: Bool
        /// The certificate that was last delivered under this name, or that the proxy still holds.
        package var certificate: Leaf?

        package init(
            resource: String, sentVersion: String?, sentAt: String?, ackedVersion: String?, ackedAt: String?, nack: Nack?,
            refusal: String?, silent: Bool, certificate: Leaf?
        ) {
            self.resource = resource
            self.sentVersion = sentVersion
            self.sentAt = sentAt
            self.ackedVersion = ackedVersion
            self.ackedAt = ackedAt
            self.nack = nack
            self.refusal = refusal
            self.silent = silent
            self.certificate = certificate
        }
    }

    package var name: String
    package var mesh: String
    /// The SPIFFE ID.
    package var identity: String
    /// Envoy's node id.
    package var node: String
    /// The replica that it is, or was last, connected to.
    package var replica: String
    package var connected: Bool
    package var connectedAt: String
    package var disconnectedAt: String?
    package var certificateExpiresAt: String?
    package var subscriptions: [Subscription]

    package init(
        name: String, mesh: String, identity: String, node: String, replica: String, connected: Bool, connectedAt: String,
        disconnectedAt: String?, certificateExpiresAt: String?, subscriptions: [Subscription]
    ) {
        self.name = name
        self.mesh = mesh
        self.identity = identity
        self.node = node
        self.replica = replica
        self.connected = connected
        self.connectedAt = connectedAt
        self.disconnectedAt = disconnectedAt
        self.certificateExpiresAt = certificateExpiresAt
        self.subscriptions = subscriptions
    }
}
