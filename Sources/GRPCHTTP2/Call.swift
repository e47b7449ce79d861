internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2

/// One call, as its handler speaks to it. Bound to the event loop of its connection.
///
/// What does not fit is one of three. *Our bug*, a precondition: a `send` before the last one was written. *Their fault*:
/// a message that is too long, compressed, or not whole when they have said all they will; the call ends and says so.
/// *Silently dropped*: whatever comes or is asked for after the end, since an end of ours and theirs may cross.
package final class Call {
    /// The connection that it came over.
    package let connection: GRPCConnection
    /// As it stands in the request, such as `/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets`.
    package let path: String

    let id: HTTP2StreamID
    /// Nil before it is made, and after the end.
    private var handler: (any CallHandler)?
    private var reader: MessageReader
    /// What of the reader's octets `PartialMessages` knows of.
    private var countedBytes = 0
    /// Belongs to `PartialMessages`: since when the reader holds something, in its count.
    var partialMark: Int?
    /// How much the client may still send, as HTTP/2 counts it.
    private var window = GRPCConnection.window
    /// Whether the handler is ready for a message.
    private var isReadyForMessage = false
    private var isDelivering = false
    private var isClientDone = false
    private var hasSentHeaders = false
    private var isSending = false
    private var isOver = false

    init(id: HTTP2StreamID, path: String, connection: GRPCConnection) {
        self.id = id
        self.path = path
        self.connection = connection
        reader = MessageReader(limit: connection.limits.messageBytes)
    }

    // MARK: For the handler

    /// Takes the next message, when it comes.
    package func readNext() {
        isReadyForMessage = true
        deliver()
    }

    /// Sends one message; `CallHandler.written` tells when it is on the wire, and no other may be sent before.
    package func send(_ message: FramedMessage) {
        guard !isOver else { return }
        precondition(!isSending)
        isSending = true
        sendHeadersOnce()
        let promise = connection.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { outcome in
            message.wipeIfSecret()
            if case .success = outcome { self.wrote() }
        }
        connection.write(.data(.init(data: .byteBuffer(message.buffer))), on: id, promise: promise)
        connection.flush()
    }

    /// Ends the call. The handler is told nothing more.
    package func end(_ status: GRPCStatus) {
        end(status, saying: [])
    }

    // MARK: For the connection

    func begin(with handler: any CallHandler, isComplete: Bool) {
        guard !isOver else { return }
        self.handler = handler
        if isComplete {
            isClientDone = true
            deliver()
        }
    }

    func received(_ data: ByteBuffer, isLast: Bool) {
        guard !isOver else { return }
        if isLast { isClientDone = true }
        reader.append(data)
        deliver()
        guard !isOver else { return }
        guard connection.heldBytes <= connection.limits.heldBytes else {
            connection.exceeded(.heldBytes)
            return fault(
                GRPCStatus(code: .resourceExhausted, message: "this connection has too many messages that are not whole"))
        }
        connection.partials.makeRoom()
    }

    func clientIsDone() {
        guard !isOver, !isClientDone else { return }
        isClientDone = true
        deliver()
    }

    /// The client may still send `octets`.
    func windowChanged(to octets: Int) {
        window = octets
        replenish()
    }

    var heldBytes: Int { reader.held }

    /// There is no more room for messages that are not whole, and this one began before the others.
    func tookTooLong() {
        connection.exceeded(.heldBytes)
        fault(
            GRPCStatus(
                code: .resourceExhausted, message: "the service has too many messages that are not whole, and this took longest",
                retryAfter: .seconds(1)))
    }

    func goingAway() { handler?.goingAway() }

    func deadlinePassed() {
        let handler = handler
        end(GRPCStatus(code: .deadlineExceeded, message: "the call's deadline passed"))
        handler?.ended()
    }

    /// The stream is gone.
    func closed() {
        guard !isOver else { return }
        let handler = handler
        finish()
        handler?.ended()
    }

    // MARK: Reading

    private func deliver() {
        guard !isDelivering, !isOver else { return }
        isDelivering = true
        defer {
            isDelivering = false
            countHeld()
        }
        while isReadyForMessage, !isOver {
            do throws(MessageFault) {
                guard let message = try reader.next() else { break }
                isReadyForMessage = false
                handler?.received(message)
            } catch {
                return fail(error)
            }
        }
        guard !isOver else { return }
        if isReadyForMessage, isClientDone {
            isReadyForMessage = false
            guard reader.held == 0 else {
                return fault(GRPCStatus(code: .internalError, message: "the client's side ends within a message"))
            }
            handler?.halfClosed()
        }
        guard !isOver else { return }
        reader.compact()
        replenish()
    }

    private func fail(_ fault: MessageFault) {
        if case .tooLong = fault { connection.exceeded(.messageBytes) }
        self.fault(fault.status, saying: fault == .compressed ? [("grpc-accept-encoding", "identity")] : [])
    }

    /// Ends the call for a fault of the client's.
    private func fault(_ status: GRPCStatus, saying more: [(String, String)] = []) {
        let handler = handler
        end(status, saying: more)
        handler?.ended()
    }

    /// Lets the client send more, unless a message waits for the handler.
    private func replenish() {
        guard isReadyForMessage, !isClientDone, !isOver, window <= GRPCConnection.window / 2 else { return }
        connection.write(.windowUpdate(windowSizeIncrement: GRPCConnection.window - window), on: id)
        window = GRPCConnection.window
        connection.flush()
    }

    // MARK: Writing

    private func sendHeadersOnce() {
        guard !hasSentHeaders else { return }
        hasSentHeaders = true
        connection.write(.headers(.init(headers: Call.responseHeaders)), on: id)
    }

    private func wrote() {
        guard !isOver else { return }
        isSending = false
        handler?.written()
    }

    private func end(_ status: GRPCStatus, saying more: [(String, String)]) {
        guard !isOver else { return }
        var headers = hasSentHeaders ? HPACKHeaders() : Call.responseHeaders
        headers.add(name: "grpc-status", value: "\(status.code.rawValue)", indexing: .nonIndexable)
        if !status.message.isEmpty {
            headers.add(name: "grpc-message", value: status.encodedMessage, indexing: .nonIndexable)
        }
        for (name, value) in more + status.retryFields { headers.add(name: name, value: value, indexing: .nonIndexable) }
        // Over before the frames are out: a reset closes the stream at once.
        finish()
        connection.write(.headers(.init(headers: headers, endStream: true)), on: id)
        if !isClientDone {
            // RFC 9113 §8.1: the rest of the request is not wanted. What waits for the client's window goes with it, and then
            // the answer was not all there is.
            connection.write(.rstStream(isSending ? .cancel : .noError), on: id)
        }
        connection.flush()
    }

    private func finish() {
        isOver = true
        handler = nil
        reader.clear()
        countHeld()
    }

    private func countHeld() {
        let held = reader.held
        guard held != countedBytes else { return }
        connection.partials.changed(self, from: countedBytes, to: held)
        countedBytes = held
    }

    /// In no table of the compression: they go once a stream, and a connection has a handful of those.
    private static let responseHeaders: HPACKHeaders = {
        var headers = HPACKHeaders()
        headers.reserveCapacity(4)
        headers.add(name: ":status", value: "200")
        headers.add(name: "content-type", value: "application/grpc", indexing: .nonIndexable)
        return headers
    }()
}
