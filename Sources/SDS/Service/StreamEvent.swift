internal import AuthorityService

/// What can happen to a stream that is served.
enum StreamEvent<Request: Sendable>: Sendable {
    case asked(Request)
    /// The connection or the stream broke.
    case broken
    /// The proxy cancelled, or the server is shutting down.
    case cancelled
    /// The authority's state changed.
    case changed
    /// The proxy has said all it will.
    case halfClosed
    case issued(Result<DeliveredLeaf, AuthorityError>)
    /// An alarm that was set for this time.
    case woke(ContinuousClock.Instant)
    case written
}
