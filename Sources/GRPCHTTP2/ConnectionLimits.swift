package import NIOCore

/// What one connection may take, and how long it is waited for. `DoorLimits` says why each number is what it is.
package struct ConnectionLimits: Sendable, Hashable {
    /// Calls at a time.
    package var streams: Int
    /// Octets of one message.
    package var messageBytes: Int
    /// From the start to the end of the TLS handshake; nil: there is none.
    package var handshake: TimeAmount?
    /// From the start to the first call.
    package var firstCall: TimeAmount
    /// How long there may be no call after the last one.
    package var idle: TimeAmount
    /// After how long without an octet a ping is sent, and how long it may stay unanswered.
    package var keepalive: TimeAmount
    package var keepaliveTimeout: TimeAmount
    /// The shortest interval of the client's own pings.
    package var clientPingInterval: TimeAmount
    /// Octets of messages that are not whole yet, over all connections of an event loop.
    package var heldBytesPerLoop: Int

    package init(
        streams: Int, messageBytes: Int, handshake: TimeAmount?, firstCall: TimeAmount, idle: TimeAmount,
        keepalive: TimeAmount, keepaliveTimeout: TimeAmount, clientPingInterval: TimeAmount, heldBytesPerLoop: Int = .max
    ) {
        self.streams = streams
        self.messageBytes = messageBytes
        self.handshake = handshake
        self.firstCall = firstCall
        self.idle = idle
        self.keepalive = keepalive
        self.keepaliveTimeout = keepaliveTimeout
        self.clientPingInterval = clientPingInterval
        self.heldBytesPerLoop = heldBytesPerLoop
    }

    /// Octets of messages that are not whole yet, over all calls of a connection: two of the largest. Without it a client
    /// could begin a large message on each of its streams and finish none.
    var heldBytes: Int { 2 * (messageBytes + MessageReader.prefix) }
}
