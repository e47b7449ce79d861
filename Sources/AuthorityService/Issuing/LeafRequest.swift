package import Authority

/// One leaf with a fresh key that is asked for: by whom, and for which Envoy node.
package struct LeafRequest: Sendable {
    package var caller: Caller
    /// The Envoy node whose stream it goes to; nil where it is nobody's subscription.
    package var node: String?

    package init(caller: Caller, node: String?) {
        self.caller = caller
        self.node = node
    }
}
