internal import Authority
internal import AuthorityService
internal import GRPCCore
internal import Logging
internal import PKI

/// What one stream writes to the log, bounded, and counts.
struct StreamLog: Sendable {
    private let logger: Logger
    private let mesh: MeshName
    private var linesLeft: Int
    private var hasNotedDelay = false

    init(logger: Logger, mesh: MeshName, mostLines: Int) {
        self.logger = logger
        self.mesh = mesh
        self.linesLeft = mostLines
    }

    func opened(by context: ServerContext) {
        logger.debug(
            "stream opened",
            metadata: [
                "method": "\(context.descriptor.fullyQualifiedMethod)", "source": "\(LogText.escaped(context.remotePeer))",
            ])
    }

    func closed(_ error: RPCError?) {
        logger.debug("stream closed", metadata: ["status": "\(error.map { "\($0.code): \($0.message)" } ?? "ok")"])
    }

    mutating func note(_ note: StreamNote) {
        if case .rejected = note { SDSMetrics.rejected(mesh: mesh) }
        guard linesLeft > 0 else { return }
        linesLeft -= 1
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
    mutating func leafDelayed(_ error: AuthorityError) {
        // Once a stretch: with thousands of streams and a database that is away, the ledger's own line is enough.
        guard !hasNotedDelay else { return }
        hasNotedDelay = true
        logger.warning(
            "no leaf could be issued, which is tried again", metadata: ["error": "\(LogText.escaped(error.description))"])
    }

    mutating func leafIssued() { hasNotedDelay = false }
}
