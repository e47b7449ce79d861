/// One message from the proxy, in neither protocol form's clothes.
package struct SecretRequest: Sendable, Hashable {
    package var typeURL: String
    /// The response that this answers; empty: none.
    package var nonce: String
    /// Envoy's words when it rejects that response; nil: it accepts.
    package var rejection: String?
    package var names: Names

    package enum Names: Sendable, Hashable {
        /// Incremental: `held` are the versions that a reconnecting proxy has, by name.
        case delta(subscribe: [String], unsubscribe: [String], held: [String: String])
        /// State of the world: all names that are wanted, and the version text of the last response that was accepted.
        case stateOfTheWorld([String], version: String)
    }

    package init(typeURL: String, nonce: String, rejection: String?, names: Names) {
        self.typeURL = typeURL
        self.nonce = nonce
        self.rejection = rejection
        self.names = names
    }
}
