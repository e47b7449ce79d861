internal import AuthorityService

/// What can happen to a stream that is served.
enum StreamEvent: Sendable {
    case asked(SecretRequest)
    /// The server is shutting down.
    case cancelled
    /// The authority's state changed.
    case changed
    /// The proxy has said all it will.
    case halfClosed
    case issued(Result<DeliveredLeaf, AuthorityError>)
    /// An alarm that was set.
    case woke
    case written
}
