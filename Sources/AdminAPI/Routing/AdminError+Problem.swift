internal import AdminWire
internal import Authority
internal import AuthorityService
internal import Hummingbird

extension AdminError {
    /// How the error looks from outside.
    func problem(requestID: String) -> Problem {
        func problem(
            _ status: Int, _ title: String, _ detail: String, reason: String? = nil, _ parameters: [Problem.Parameter]? = nil
        ) -> Problem {
            Problem(
                title: title, status: status, detail: detail, instance: requestID, reason: reason, invalidParameters: parameters)
        }
        switch self {
        case .authority(let error): return error.problem(requestID: requestID)
        case .badRequest(let detail): return problem(400, "Bad Request", detail)
        case .invalid(let parameters):
            let detail = parameters.map { "\($0.field): \($0.reason)" }.joined(separator: "; ")
            return problem(400, "Could not process a resource", detail, parameters)
        case .methodNotAllowed(let allowed): return problem(405, "Method Not Allowed", "this path allows \(allowed)")
        case .pathUnknown: return problem(404, "Not Found", "there is no such path: GET /openapi.yaml lists them")
        case .payloadTooLarge(let limit): return problem(413, "Content Too Large", "the body must have at most \(limit) bytes")
        case .unsupportedMediaType(let detail): return problem(415, "Unsupported Media Type", detail)
        }
    }

    /// Further headers of the answer.
    var headers: HTTPFields {
        switch self {
        case .methodNotAllowed(let allowed): [.allow: allowed]
        case .authority(.refused(let refusal)) where refusal.isAboutTheCredential:
            // RFC 6750 §3.1: no error code where nothing was sent.
            refusal == .credentialMissing
                ? [.wwwAuthenticate: "Bearer realm=\"signet\""]
                : [.wwwAuthenticate: "Bearer realm=\"signet\", error=\"invalid_token\""]
        // The pool and the reconnect back off within seconds; one second is the shortest that is not hammering.
        case .authority(.ledger(.unavailable)), .authority(.ledger(.outcomeUnknown)), .authority(.ledger(.behind)),
            .authority(.keyStoreUnavailable), .authority(.clockBehind):
            [.retryAfter: "1"]
        case .authority(.limited(let refusal)): [.retryAfter: "\(refusal.wholeSeconds)"]
        case .authority, .badRequest, .invalid, .pathUnknown, .payloadTooLarge, .unsupportedMediaType: [:]
        }
    }

    /// What happened behind a 500, for the log; nil for every other status.
    var internalDetail: String? {
        switch self {
        case .authority(.crypto(let detail)): detail
        case .authority(.ledger(.rejected(let detail))): detail
        case .authority, .badRequest, .invalid, .methodNotAllowed, .pathUnknown, .payloadTooLarge, .unsupportedMediaType: nil
        }
    }

    /// The answer to what nobody foresaw, and to failures whose details are for the log alone.
    static func internalProblem(requestID: String) -> Problem {
        Problem(
            title: "Internal Server Error", status: 500,
            detail: "the request failed inside the service: its log tells why, under this request id", instance: requestID)
    }
}

extension AuthorityError {
    fileprivate func problem(requestID: String) -> Problem {
        func problem(
            _ status: Int, _ title: String, _ detail: String, reason: String? = nil, _ parameters: [Problem.Parameter]? = nil
        ) -> Problem {
            Problem(
                title: title, status: status, detail: detail, instance: requestID, reason: reason, invalidParameters: parameters)
        }
        switch self {
        case .clockBehind: return problem(503, "Service Unavailable", description)
        case .conflict(let detail): return problem(409, "Conflict", detail)
        case .crypto: return AdminError.internalProblem(requestID: requestID)
        case .invalid(let parameters):
            let fields = parameters.map { Problem.Parameter(field: $0.field, reason: $0.reason) }
            return problem(400, "Could not process a resource", description, fields)
        // Whoever administers certificate authorities looks after their tokens, too.
        case .keyStoreUnavailable: return problem(503, "Service Unavailable", description)
        case .ledger(let failure):
            switch failure {
            case .behind: return problem(503, "Service Unavailable", failure.description)
            case .conflict: return problem(409, "Conflict", failure.description)
            // What the database said names hosts and relations: it is in the log.
            case .outcomeUnknown:
                return problem(
                    503, "Service Unavailable",
                    "the database connection was lost during the change: read again whether it was made")
            case .rejected: return AdminError.internalProblem(requestID: requestID)
            case .unavailable:
                return problem(503, "Service Unavailable", "the database does not answer: repeat the request later")
            }
        case .limited(let refusal):
            return problem(
                429, "Too Many Requests", refusal.limit.sentence + ": try again after \(refusal.wholeSeconds) s",
                reason: refusal.limit.rawValue)
        case .notFound: return problem(404, "Not Found", description)
        case .preconditionFailed(let detail): return problem(412, "Precondition Failed", detail)
        // A request that is not one, rather than a caller who may not.
        case .refused(.csr(let detail)):
            return problem(
                400, "Bad Request", "the certificate signing request is refused: \(detail)",
                reason: Refusal.csr(detail: detail).reason)
        case .refused(let refusal):
            return refusal.isAboutTheCredential
                ? problem(401, "Unauthorized", refusal.description, reason: refusal.reason)
                : problem(403, "Forbidden", refusal.description, reason: refusal.reason)
        }
    }
}
