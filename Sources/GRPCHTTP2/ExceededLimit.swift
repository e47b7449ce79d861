internal import NIOHTTP2

/// A limit of a connection that its client went beyond; the names stand in the metric.
package enum ExceededLimit: String, Sendable, Hashable, CaseIterable {
    case firstCallTime = "first-call-time"
    case handshakeTime = "handshake-time"
    case headerBytes = "header-bytes"
    case heldBytes = "held-bytes"
    case messageBytes = "message-bytes"
    case pings
    case streamsPerConnection = "streams-per-connection"

    /// The limit behind an error that `NIOHTTP2Handler` reports; nil: it is another fault.
    init?(_ error: any Error) {
        let base = (error as? NIOHTTP2Errors.StreamError)?.baseError ?? error
        switch base {
        case is NIOHTTP2Errors.ExcessivelyLargeHeaderBlock: self = .headerBytes
        case is NIOHTTP2Errors.MaxStreamsViolation: self = .streamsPerConnection
        default: return nil
        }
    }
}
