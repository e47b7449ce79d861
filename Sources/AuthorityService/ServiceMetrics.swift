internal import Authority
internal import Metrics
internal import PKI
import Synchronization

/// The service's own metrics; names and labels are documented in docs/operations.md.
///
/// A handle is made once for each mesh and kind: to look one up by its labels costs more than the certificate's digest.
enum ServiceMetrics {
    private struct Key: Hashable {
        var mesh: MeshName?
        var kind: CertificateRecord.Kind
    }

    private struct Handles {
        var issued: [Key: Counter] = [:]
        var connected: [MeshName: Gauge] = [:]
        var expiry: [Key: Gauge] = [:]
    }

    /// Those of a mesh that is gone go with it.
    private static let handles = Mutex(Handles())

    /// An HSM failed, or did not answer.
    static func keyStoreFailed(token: String) {
        Counter(label: "signet_key_store_failures_total", dimensions: [("token", token)]).increment()
    }

    static func issued(_ kind: CertificateRecord.Kind, mesh: MeshName?) {
        issuedCounter(kind, mesh: mesh).increment()
    }

    /// For whoever counts thousands of one mesh, and keeps it.
    static func issuedCounter(_ kind: CertificateRecord.Kind, mesh: MeshName?) -> Counter {
        handles.withLock { handles in
            handles.issued.handle(Key(mesh: mesh, kind: kind)) {
                Counter(
                    label: "signet_certificates_issued_total", dimensions: [("mesh", mesh?.name ?? ""), ("kind", kind.rawValue)])
            }
        }
    }

    static func refused(_ reason: String) {
        Counter(label: "signet_refused_total", dimensions: [("reason", reason)]).increment()
    }

    /// From the request for a leaf to its signature, the ledger's commit included.
    static let issue = Timer(label: "signet_issue_seconds")

    static func connected(_ count: Int, mesh: MeshName) {
        let gauge = handles.withLock { handles in
            handles.connected.handle(mesh) { Gauge(label: "signet_proxies_connected", dimensions: [("mesh", mesh.name)]) }
        }
        gauge.record(count)
    }

    /// Seconds until the certificate ends; negative once it did. Nil: there is none, and no gauge.
    static func earliestExpiry(_ kind: CertificateRecord.Kind, mesh: MeshName, at end: Timestamp?, now: Timestamp) {
        let key = Key(mesh: mesh, kind: kind)
        guard let end else {
            handles.withLock { $0.expiry.removeValue(forKey: key) }?.destroy()
            return
        }
        let gauge = handles.withLock { handles in
            handles.expiry.handle(key) {
                Gauge(
                    label: "signet_certificate_earliest_expiry_seconds",
                    dimensions: [("mesh", mesh.name), ("kind", kind.rawValue)])
            }
        }
        gauge.record(Double((end - now).wholeMilliseconds) / 1000)
    }

    /// The gauges of a mesh that is gone. Its counters stay with the exposition: what was issued was issued.
    static func forget(mesh: MeshName) {
        let gauges = handles.withLock { handles in
            for kind in CertificateRecord.Kind.allCases { handles.issued.removeValue(forKey: Key(mesh: mesh, kind: kind)) }
            return [handles.connected.removeValue(forKey: mesh)]
                + CertificateRecord.Kind.allCases.map { handles.expiry.removeValue(forKey: Key(mesh: mesh, kind: $0)) }
        }
        for gauge in gauges { gauge?.destroy() }
    }
}

extension Dictionary {
    /// The value that is there, or the one that `make` gives.
    fileprivate mutating func handle(_ key: Key, _ make: () -> Value) -> Value {
        if let known = self[key] { return known }
        let made = make()
        self[key] = made
        return made
    }
}
