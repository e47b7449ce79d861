/// One page of a list, as every list of the admin API is answered.
package struct Listing<Item: Codable & Sendable>: Codable, Sendable {
    /// How many items there are in all, on every page.
    package var total: Int64
    package var items: [Item]
    /// The absolute URL of the next page; `null` on the last one.
    package var next: String?

    package init(total: Int64, items: [Item], next: String?) {
        self.total = total
        self.items = items
        self.next = next
    }

    private enum CodingKeys: String, CodingKey {
        case items, next, total
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(total, forKey: .total)
        try container.encode(items, forKey: .items)
        // Written even when it is null: Kuma's clients look for the key.
        try container.encode(next, forKey: .next)
    }
}
