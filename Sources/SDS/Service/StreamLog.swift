internal import Authority
internal import AuthorityService
internal import GRPCHTTP2
internal import Logging
internal import PKI

/// What one stream writes to the log, bounded, and counts.
///
/// A logger that names the proxy is made for each line: a line is rare, and thousands of streams each keep none.
struct StreamLog {
    private let server: SecretServer
    private var linesLeft: Int
    private var hasNotedDelay = false

    init(server: SecretServer) {
        self.server = server
        linesLeft = server.limits.mostLogLines
    }

    func opened(_ call: Call, by caller: Caller) {
        guard server.logger.logLevel <= .debug else { return }
        server.logger(for: caller).debug(
            "stream opened",
            metadata: [
                "method": "\(call.path.dropFirst())", "source": "\(LogText.escaped(call.connection.remotePeer))",
            ])
    }

    func closed(_ status: GRPCStatus, of caller: Caller) {
        guard server.logger.logLevel <= .debug else { return }
        server.logger(for: caller).debug("stream closed", metadata: ["status": "\(status)"])
    }

    mutating func note(_ note: StreamNote, of caller: Caller) {
        if case .rejected = note { SDSMetrics.rejected(mesh: caller.mesh) }
        guard linesLeft > 0 else { return }
        linesLeft -= 1
        let logger = server.logger(for: caller)
        switch note {
        case .ignoredType(let url):
            logger.info("only secrets are served here: the type is ignored", metadata: ["type": "\(LogText.escaped(url))"])
        case .nameRefused(let name, let refusal):
            logger.notice(
                "no secret for this name",
                metadata: [
                    "resource": "\(LogText.escaped(name))", "reason": "\(refusal.reason)",
                    "detail": "\(LogText.escaped(refusal.description))",
                ])
        case .rejected(let names, let message):
            logger.warning(
                "the proxy rejected what it was sent, and keeps what it had",
                metadata: ["resources": "\(LogText.escaped(names.joined(separator: " ")))", "detail": "\(message)"])
        case .silent(let name):
            logger.warning("the proxy neither accepts nor rejects", metadata: ["resource": "\(LogText.escaped(name))"])
        case .staleNonce(let nonce):
            logger.debug("an answer to no response of this stream", metadata: ["nonce": "\(LogText.escaped(nonce))"])
        }
        if linesLeft == 0 { logger.warning("this stream logs no more of what its proxy does") }
    }

    /// A leaf could not be issued now, and is asked for again.
    mutating func leafDelayed(_ error: AuthorityError, of caller: Caller) {
        // Once a stretch: with thousands of streams and a database that is away, the ledger's own line is enough.
        guard !hasNotedDelay else { return }
        hasNotedDelay = true
        server.logger(for: caller).warning(
            "no leaf could be issued, which is tried again", metadata: ["error": "\(LogText.escaped(error.description))"])
    }

    mutating func leafIssued() { hasNotedDelay = false }
}
