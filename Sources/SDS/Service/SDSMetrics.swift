internal import Authority
internal import Metrics
internal import PKI

/// What the streams count; names and labels are documented in docs/operations.md.
enum SDSMetrics {
    /// From the request, the change or the renewal to the last octet of the response handed to the transport.
    static let push = Timer(label: "signet_push_seconds")

    /// What one stream may take was exceeded; the name is the limit's.
    static func limited(_ limit: String) {
        Counter(label: "signet_limited_total", dimensions: [("limit", limit)]).increment()
    }

    static func rejected(mesh: MeshName) {
        Counter(label: "signet_nacks_total", dimensions: [("mesh", mesh.name)]).increment()
    }
}
