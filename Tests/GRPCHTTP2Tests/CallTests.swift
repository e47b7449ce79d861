import GRPCHTTP2
import NIOCore
import NIOHPACK
import NIOHTTP2
import Testing

/// One call, as frames.
@Suite struct CallTests {
    private let answerHead = "1 headers :status=200 content-type=application/grpc"

    private func head(_ changes: [String: String?]) -> HPACKHeaders {
        var head = HPACKHeaders()
        for (name, value, _) in Wire.head {
            if let value = changes[name] ?? value { head.add(name: name, value: value) }
        }
        for (name, value) in changes where !Wire.head.contains(name: name) {
            if let value { head.add(name: name, value: value) }
        }
        return head
    }

    // MARK: The head

    @Test func `What is no gRPC call is answered with an HTTP status`() throws {
        let wire = try Wire()
        #expect(
            try wire.open(1, head([":method": "GET"])) == ["1 headers :status=405 allow=POST end", "1 reset none"])
        #expect(
            try wire.open(3, head(["content-type": "application/json"]), endStream: true)
                == ["3 headers :status=415 end"])
        #expect(try wire.open(5, head(["content-type": nil]), endStream: true) == ["5 headers :status=415 end"])
        #expect(
            try wire.open(7, head(["content-type": "application/grpcx"]), endStream: true)
                == ["7 headers :status=415 end"])
        #expect(wire.calls.isEmpty)
    }

    @Test func `Subtypes of gRPC are taken, with or without te`() throws {
        let wire = try Wire()
        try wire.open(1, head(["content-type": "application/grpc+proto"]))
        try wire.open(3, head(["content-type": "Application/GRPC; charset=utf-8", "te": nil]))
        #expect(wire.calls.count == 2)
    }

    @Test func `An unknown path is unimplemented, and its message is percent-encoded`() throws {
        let wire = try Wire()
        #expect(
            try wire.open(1, head([":path": "/no/%such"])) == [
                answerHead + " grpc-status=12 grpc-message=there is no /no/%25such end", "1 reset none",
            ])
    }

    @Test func `Octets outside printable ASCII are percent-encoded in a status`() throws {
        let wire = try Wire()
        try wire.open(1)
        wire.calls[0].call.end(GRPCStatus(code: .notFound, message: "kein Schlüssel\n100 %"))
        #expect(
            try wire.exchange() == [
                answerHead + " grpc-status=5 grpc-message=kein Schl%C3%BCssel%0A100 %25 end", "1 reset none",
            ])
    }

    // MARK: Messages in

    @Test func `A message in single octets is put together`() throws {
        let wire = try Wire()
        try wire.open(1)
        for octet in Wire.framed("hello") {
            #expect(wire.calls[0].events.isEmpty)
            try wire.data(1, [octet])
            try wire.exchange()
        }
        #expect(wire.calls[0].events == ["received hello"])
    }

    @Test func `The next message waits until the handler asks for it, and so does the end`() throws {
        let wire = try Wire()
        try wire.open(1)
        try wire.data(1, Wire.framed("one") + Wire.framed("two") + Array(Wire.framed("three").prefix(6)))
        try wire.data(1, Array(Wire.framed("three").dropFirst(6)), endStream: true)
        try wire.exchange()
        let call = wire.calls[0]
        #expect(call.events == ["received one"])
        call.call.readNext()
        #expect(call.events == ["received one", "received two"])
        call.call.readNext()
        call.call.readNext()
        #expect(call.events == ["received one", "received two", "received three", "halfClosed"])
    }

    @Test func `A handler that asks for the next message within the one before gets all`() throws {
        let wire = try Wire()
        try wire.open(1)
        wire.calls[0].readsOn = true
        try wire.data(1, (0..<100).flatMap { Wire.framed("\($0)") }, endStream: true)
        try wire.exchange()
        #expect(wire.calls[0].events == (0..<100).map { "received \($0)" } + ["halfClosed"])
    }

    @Test func `An empty message is a message`() throws {
        let wire = try Wire()
        try wire.open(1)
        try wire.say(1, "", endStream: true)
        #expect(wire.calls[0].events == ["received "])
    }

    @Test func `A message beyond the limit is refused when its length is known`() throws {
        let wire = try Wire()
        try wire.open(1)
        try wire.data(1, [0, 0, 0, 3, 0xE9])
        #expect(
            try wire.exchange() == [
                answerHead + " grpc-status=8 grpc-message=a message of 1001 octets is more than the 1000 accepted end",
                "1 reset none",
            ])
        #expect(wire.calls[0].events == ["ended"])
    }

    @Test func `A message of just the limit is taken`() throws {
        let wire = try Wire()
        try wire.open(1)
        try wire.say(1, String(repeating: "x", count: 1000))
        #expect(wire.calls[0].events == ["received 1000 octets"])
    }

    @Test func `A compressed message is refused, and the answer says what is accepted`() throws {
        let wire = try Wire()
        try wire.open(1)
        try wire.data(1, Wire.framed("x", flag: 1))
        #expect(
            try wire.exchange() == [
                answerHead + " grpc-status=12 grpc-message=compressed messages are not accepted"
                    + " grpc-accept-encoding=identity end",
                "1 reset none",
            ])
        #expect(wire.calls[0].events == ["ended"])
    }

    @Test func `A flag that is none is refused`() throws {
        let wire = try Wire()
        try wire.open(1)
        try wire.data(1, Wire.framed("x", flag: 7))
        #expect(try wire.exchange().first?.contains("grpc-status=13") == true)
    }

    @Test func `An end within a message is an error`() throws {
        let wire = try Wire()
        try wire.open(1)
        try wire.data(1, Array(Wire.framed("hello").dropLast()), endStream: true)
        #expect(
            try wire.exchange() == [
                answerHead + " grpc-status=13 grpc-message=the client's side ends within a message end"
            ])
        #expect(wire.calls[0].events == ["ended"])
    }

    @Test func `Trailers of the client end its side, as does a call that ends with its head`() throws {
        let wire = try Wire()
        try wire.open(1)
        try wire.write(1, .headers(.init(headers: ["x": "y"], endStream: true)))
        try wire.exchange()
        #expect(wire.calls[0].events == ["halfClosed"])
        try wire.open(3, endStream: true)
        #expect(wire.calls[1].events == ["halfClosed"])
    }

    @Test func `Messages that are begun on many streams and not finished are bounded together`() throws {
        let wire = try Wire()
        var lines: [String] = []
        for id in [1, 3, 5] as [HTTP2StreamID] {
            try wire.open(id)
            try wire.data(id, Array(Wire.framed(String(repeating: "x", count: 1000)).dropLast()))
            lines += try wire.exchange()
        }
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix("5 headers :status=200 content-type=application/grpc grpc-status=8") == true)
        #expect(wire.calls.map(\.events) == [[], [], ["ended"]])
    }

    // MARK: Messages out

    @Test func `A response is its head and one frame, and the end is trailers`() throws {
        let wire = try Wire()
        try wire.open(1)
        wire.calls[0].send("one")
        #expect(try wire.exchange() == [answerHead, "1 data [one]"])
        wire.calls[0].send("two")
        #expect(try wire.exchange() == ["1 data [two]"])
        wire.calls[0].call.end(.ok)
        #expect(try wire.exchange() == ["1 headers grpc-status=0 end", "1 reset none"])
        #expect(wire.calls[0].events == ["written", "written"])
    }

    @Test func `A client that has half-closed is not reset`() throws {
        let wire = try Wire()
        try wire.open(1, endStream: true)
        wire.calls[0].send("one")
        wire.calls[0].call.end(.ok)
        #expect(try wire.exchange() == [answerHead, "1 data [one]", "1 headers grpc-status=0 end"])
    }

    @Test func `A client that does not read gets what its window holds, and the handler waits`() throws {
        let wire = try Wire(clientSettings: [HTTP2Setting(parameter: .initialWindowSize, value: 10)])
        try wire.open(1)
        wire.calls[0].send(String(repeating: "x", count: 20))
        #expect(try wire.exchange() == [answerHead, "1 data 10 octets"])
        #expect(wire.calls[0].events.isEmpty)
        try wire.write(1, .windowUpdate(windowSizeIncrement: 10))
        #expect(try wire.exchange() == ["1 data 10 octets"])
        #expect(wire.calls[0].events.isEmpty)
        try wire.write(1, .windowUpdate(windowSizeIncrement: 5))
        #expect(try wire.exchange() == ["1 data 5 octets"])
        #expect(wire.calls[0].events == ["written"])
    }

    @Test func `The call of a client that does not read still ends at once`() throws {
        let wire = try Wire(clientSettings: [HTTP2Setting(parameter: .initialWindowSize, value: 10)])
        try wire.open(1)
        wire.calls[0].send(String(repeating: "x", count: 20))
        try wire.exchange()
        wire.calls[0].call.end(GRPCStatus(code: .unauthenticated, message: "revoked"))
        #expect(try wire.exchange() == ["1 reset cancel"])
        #expect(wire.calls[0].events.isEmpty)
    }

    @Test func `A secret message is wiped where it stands when it was written`() throws {
        let wire = try Wire()
        try wire.open(1)
        wire.calls[0].call.send(FramedMessage(capacity: 6, isSecret: true) { $0.writeString("secret") })
        // Written means taken by what is below: here that is the test, which holds the very octets.
        #expect(wire.calls[0].events == ["written"])
        #expect(try wire.exchange() == [answerHead, "1 data 11 octets"])
        wire.calls[0].send("plain")
        #expect(try wire.exchange() == ["1 data [plain]"])
    }

    @Test func `Nothing is sent after the end`() throws {
        let wire = try Wire()
        try wire.open(1)
        wire.calls[0].call.end(.ok)
        wire.calls[0].call.end(.goingAway)
        wire.calls[0].send("late")
        wire.calls[0].call.readNext()
        #expect(try wire.exchange() == [answerHead + " grpc-status=0 end", "1 reset none"])
    }

    // MARK: Ends

    @Test func `A reset ends the call, and others go on`() throws {
        let wire = try Wire()
        try wire.open(1)
        try wire.open(3)
        try wire.write(1, .rstStream(.cancel))
        try wire.exchange()
        #expect(wire.calls.map(\.events) == [["ended"], []])
        wire.calls[0].send("late")
        wire.calls[1].send("here")
        #expect(try wire.exchange().last == "3 data [here]")
    }

    @Test func `A deadline ends the call`() throws {
        let wire = try Wire()
        try wire.open(1, head(["grpc-timeout": "250m"]))
        #expect(try wire.pass(.milliseconds(249)).isEmpty)
        #expect(
            try wire.pass(.milliseconds(1)) == [
                answerHead + " grpc-status=4 grpc-message=the call's deadline passed end", "1 reset none",
            ])
        #expect(wire.calls[0].events == ["ended"])
    }

    @Test func `A deadline of no known form is none`() throws {
        let wire = try Wire()
        for (id, text) in zip([1, 3, 5, 7] as [HTTP2StreamID], ["1", "m", "123456789m", "-1S"]) {
            try wire.open(id, head(["grpc-timeout": text]))
        }
        #expect(try wire.pass(.seconds(1)).isEmpty)
    }

    @Test func `The end of the connection ends its calls`() throws {
        let wire = try Wire()
        try wire.open(1)
        try wire.open(3)
        wire.server.close(promise: nil)
        #expect(wire.calls.map(\.events) == [["ended"], ["ended"]])
        wire.calls[0].send("late")
        wire.calls[0].call.end(.ok)
    }
}
