/// Which pairs of meshes begin or cease to accept each other by a change.
package struct TrustChangeMessage: Codable, Sendable, Hashable {
    /// Proxies of `to` accept those of `from`.
    package struct Pair: Codable, Sendable, Hashable {
        package var from: String
        package var to: String

        package init(from: String, to: String) {
            self.from = from
            self.to = to
        }
    }

    package var begins: [Pair]
    package var ceases: [Pair]

    package init(begins: [Pair], ceases: [Pair]) {
        self.begins = begins
        self.ceases = ceases
    }
}
