import GRPCHTTP2
import NIOCore

/// A handler that writes down what it is told, and does nothing of its own but take the first message.
final class Recorder: CallHandler {
    let call: Call
    private(set) var events: [String] = []
    /// Whether each message is followed by the wish for the next.
    var readsOn = false

    init(_ call: Call) {
        self.call = call
        call.readNext()
    }

    func received(_ message: ByteBuffer) {
        let text = message.readableBytes > 40 ? "\(message.readableBytes) octets" : String(buffer: message)
        events.append("received \(text)")
        if readsOn { call.readNext() }
    }

    func halfClosed() { events.append("halfClosed") }
    func written() { events.append("written") }
    func goingAway() { events.append("goingAway") }
    func ended() { events.append("ended") }

    func send(_ text: String) {
        call.send(FramedMessage(capacity: text.utf8.count) { $0.writeString(text) })
    }
}
