/// Who answers: `GET /`.
package struct ProductMessage: Codable, Sendable, Hashable {
    package var product: String
    package var version: String
    /// The replica, random at each start.
    package var instance: String

    package init(product: String, version: String, instance: String) {
        self.product = product
        self.version = version
        self.instance = instance
    }
}
