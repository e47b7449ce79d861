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
        connectedGauge(mesh).record(count)
    }

    /// Seconds until the certificate ends; negative once it did. Nil: there is none, and no gauge.
    static func earliestExpiry(_ kind: CertificateRecord.Kind, mesh: MeshName, at end: Timestamp?, now: Timestamp) {
        guard let end else { return expiryGauge(kind, mesh).destroy() }
        expiryGauge(kind, mesh).record(Double((end - now).wholeMilliseconds) / 1000)
    }

    /// The gauges of a mesh that is gone.
    static func forget(mesh: MeshName) {
        connectedGauge(mesh).destroy()
        for kind in [CertificateRecord.Kind.root, .issuing, .leaf] { expiryGauge(kind, mesh).destroy() }
    }

    private static func connectedGauge(_ mesh: MeshName) -> Gauge {
        Gauge(label: "signet_proxies_connected", dimensions: [("mesh", mesh.name)])
    }

    private static func expiryGauge(_ kind: CertificateRecord.Kind, _ mesh: MeshName) -> Gauge {
        Gauge(
            label: "signet_certificate_earliest_expiry_seconds", dimensions: [("mesh", mesh.name), ("kind", kind.rawValue)])
    }
}
