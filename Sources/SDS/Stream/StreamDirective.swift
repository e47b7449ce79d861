package import Authority
package import AuthorityService

/// What the shell must do, in this order, after a fact.
package enum StreamDirective: Sendable {
    /// Close the stream, saying why. Nothing follows it.
    case end(StreamEnd)
    /// Withdraw the status of a name that is no longer asked for.
    case forget(resource: String)
    /// Ask for a new leaf, then tell `leafIssued`, `leafFailed` or `leafRefused`.
    case issueLeaf(LeafOccasion)
    /// Log and count.
    case note(StreamNote)
    /// Show the status of a name.
    case report(SubscriptionStatus)
    /// Write it, then tell `written`. No other `send` comes before that.
    case send(SecretResponse)
}

/// Why a stream needs a leaf: what is asked for has a rate, what is owed has not.
package enum LeafOccasion: Sendable, Hashable {
    /// The proxy has none, or names one that was past its time when it came.
    case asked
    /// The one that it has from here came of age, or its issuer went out; or it was asked for before and could not be issued.
    case owed
}

/// Why the service ends a stream.
package enum StreamEnd: Sendable, Hashable {
    /// A resource name that is longer than any lawful one.
    case nameTooLong(bytes: Int, limit: Int)
    /// The proxy may no longer be here.
    case refused(Refusal)
    /// More names than one stream may ask for.
    case tooManyNames(limit: Int)
    /// More responses without an answer than one stream may leave.
    case tooManyUnanswered(limit: Int)
}

/// What happened that a person may want to read.
package enum StreamNote: Sendable, Hashable {
    /// A request for something that is no secret: never answered, noted once a stream.
    case ignoredType(String)
    /// A name has no resource.
    case nameRefused(name: String, Refusal)
    /// The proxy did not take what it was sent.
    case rejected(names: [String], message: String)
    /// A response stayed unanswered past the time-out.
    case silent(name: String)
    /// An answer to a response that is not the last one, or never was.
    case staleNonce(String)
}
