/// The `# HELP` texts of the service's own metrics.
enum MetricsHelp {
    static let texts: [String: String] = [
        "signet_certificates_issued_total": "Certificates issued, by mesh and kind.",
        "signet_refused_total": "Requests refused, by reason.",
        "signet_certificate_earliest_expiry_seconds": "Seconds until the earliest end of a certificate, by mesh and kind.",
        "signet_key_store_failures_total": "Root keys that a token did not give for a signature, by token.",
        "signet_proxies_connected": "Proxies connected to this replica, by mesh.",
        "signet_nacks_total": "Secrets that a proxy rejected, by mesh.",
        "signet_push_seconds": "From a request, a change or a renewal to its secret written to the stream.",
        "signet_issue_seconds": "From the request for a leaf to its signature, ledger included.",
        "signet_ledger_stray_certificates": "Leaves that are in no week of the ledger, counted up to ten thousand.",
        "signet_ledger_seconds": "Duration of ledger operations.",
        "signet_postgres_connections": "Connections of the database pool, by state.",
        "signet_postgres_wait_seconds": "How long requests waited for a database connection.",
    ]
}
