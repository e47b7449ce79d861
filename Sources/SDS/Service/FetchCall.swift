internal import Authority
internal import AuthorityService
internal import GRPCHTTP2
internal import NIOCore
internal import NIOHPACK
internal import PKI

/// The unary form: one request, and every name that has a secret, at once; names without one are left out.
final class FetchCall: CallHandler {
    private let call: Call
    private let server: SecretServer
    private let token: String?
    private var hasEnded = false

    init(call: Call, headers: HPACKHeaders, server: SecretServer) {
        self.call = call
        self.server = server
        token = SecretServer.token(in: headers)
        call.readNext()
    }

    func received(_ message: ByteBuffer) {
        let nodeID: String
        let request: SecretRequest
        do {
            (nodeID, request) = try StateOfTheWorldForm.decode(message)
        } catch {
            return end(GRPCStatus(code: .invalidArgument, message: "the message is no discovery request"))
        }
        if let refusal = server.refusal(ofNodeID: nodeID) { return end(refusal) }
        let reply = NIOLoopBound(self, eventLoop: call.connection.eventLoop)
        let credentials = server.credentials(over: call.connection, token: token, nodeID: nodeID)
        server.tasks.run { [server] in
            let outcome: Result<SecretResponse, GRPCStatus>
            do throws(GRPCStatus) {
                outcome = .success(try await server.fetch(request, credentials: credentials))
            } catch {
                outcome = .failure(error)
            }
            reply.eventLoop.execute { reply.value.answer(outcome) }
        }
    }

    func halfClosed() { end(GRPCStatus(code: .internalError, message: "the call has no message")) }

    func written() { end(.ok) }

    /// It is about to be answered.
    func goingAway() {}

    func ended() { hasEnded = true }

    private func answer(_ outcome: Result<SecretResponse, GRPCStatus>) {
        guard !hasEnded else { return }
        switch outcome {
        case .failure(let status): end(status)
        case .success(let response):
            do {
                call.send(try server.encoder.encode(response, as: .stateOfTheWorld))
            } catch {
                end(GRPCStatus(code: .internalError, message: "internal: a secret could not be encoded"))
            }
        }
    }

    private func end(_ status: GRPCStatus) {
        hasEnded = true
        call.end(status)
    }
}
