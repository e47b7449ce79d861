internal import Authority
import Metrics
internal import PKI

/// The service's own metrics; names and labels are documented in docs/operations.md.
enum ServiceMetrics {
    static func issued(_ kind: CertificateRecord.Kind, mesh: MeshName?) {
        Counter(
            label: "signet_certificates_issued_total", dimensions: [("mesh", mesh?.name ?? ""), ("kind", kind.rawValue)]
        ).increment()
    }

    static func refused(_ reason: String) {
        Counter(label: "signet_refused_total", dimensions: [("reason", reason)]).increment()
    }

    /// From the request for a leaf to its signature, the ledger's commit included.
    static let issue = Timer(label: "signet_issue_seconds")

    static func connected(_ count: Int, mesh: MeshName) {
        Gauge(label: "signet_proxies_connected", dimensions: [("mesh", mesh.name)]).record(count)
    }

    /// Seconds until the certificate ends; negative once it did.
    static func earliestExpiry(_ kind: CertificateRecord.Kind, mesh: MeshName, at end: Timestamp, now: Timestamp) {
        Gauge(
            label: "signet_certificate_earliest_expiry_seconds", dimensions: [("mesh", mesh.name), ("kind", kind.rawValue)]
        ).record(Double((end - now).wholeMilliseconds) / 1000)
    }

    static func forgetEarliestExpiry(_ kind: CertificateRecord.Kind, mesh: MeshName) {
        Gauge(
            label: "signet_certificate_earliest_expiry_seconds", dimensions: [("mesh", mesh.name), ("kind", kind.rawValue)]
        ).destroy()
    }
}
