/// A row of `signet get proxies -o json`.
struct ProxyReport: Decodable, Sendable {
    let identity: String
    let name: String
    let connected: Bool
    let subscriptions: [Subscription]

    struct Subscription: Decodable, Sendable {
        let resource: String
        let sentVersion: String?
        let ackedVersion: String?
        let nack: Nack?
    }

    struct Nack: Decodable, Sendable {
        let version: String
        let message: String
    }
}
