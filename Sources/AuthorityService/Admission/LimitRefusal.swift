internal import PKI

/// Something was asked for too often: not now, but after `retryAfter`.
package struct LimitRefusal: Error, Hashable, Sendable {
    package var limit: AdmissionLimit
    package var retryAfter: Duration

    package init(limit: AdmissionLimit, retryAfter: Duration) {
        self.limit = limit
        self.retryAfter = retryAfter
    }

    /// In whole seconds, rounded up, at least one: as HTTP's `Retry-After` says it.
    package var wholeSeconds: Int64 { max(1, (retryAfter.wholeMilliseconds + 999) / 1000) }
}

extension LimitRefusal: CustomStringConvertible {
    package var description: String {
        "\(limit.rawValue): \(limit.sentence): try again after \(wholeSeconds) s"
    }
}

/// The limits of what is asked for; the names stand in the metric, the log and the answers.
package enum AdmissionLimit: String, Sendable, Hashable, CaseIterable {
    case adminRequests = "admin-requests"
    case bodyBytes = "body-bytes"
    case leaves
    case leavesPerIdentity = "leaves-per-identity"
    case leavesPerProxy = "leaves-per-proxy"
    case refusalsPerAddress = "refusals-per-address"
    case streams
    case streamsPerIdentity = "streams-per-identity"
    case streamsPerProxy = "streams-per-proxy"
    case writesPerToken = "writes-per-token"

    /// What was too much, for a person.
    package var sentence: String {
        switch self {
        case .adminRequests: "as many requests as may be are under way"
        case .bodyBytes: "the body is larger than this path takes"
        case .leaves: "all proxies together ask for more certificates than may be issued beside the renewals"
        case .leavesPerIdentity: "this identity asks for more certificates than it may beside its renewals"
        case .leavesPerProxy: "this proxy asks for more certificates than it may beside its renewals"
        case .refusalsPerAddress: "too many credentials from this address, or with this certificate, were refused"
        case .streams: "all proxies together ask more often than may be"
        case .streamsPerIdentity: "this identity asks more often than it may"
        case .streamsPerProxy: "this proxy asks more often than it may"
        case .writesPerToken: "this token writes more often than it may"
        }
    }
}
