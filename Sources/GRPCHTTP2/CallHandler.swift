package import NIOCore

/// Serves one call. Bound to the event loop of its connection: every function is called there, and none may block.
package protocol CallHandler: AnyObject {
    /// A message came. The next one is not handed over before `Call.readNext()`.
    func received(_ message: ByteBuffer)
    /// The client has said all it will. Not called before a `Call.readNext()` that finds no message left.
    func halfClosed()
    /// The last message given to `Call.send` is on the wire.
    func written()
    /// The server is stopping: what can be ended is to be ended soon, by `Call.end`.
    func goingAway()
    /// The call is over, though the handler did not end it: the client cancelled it, its deadline passed, it broke the
    /// protocol, or the connection is gone. Nothing is called after it.
    func ended()
}
