/// The `# HELP` texts of the service's own metrics.
enum MetricsHelp {
    static let texts: [String: String] = [
        "signet_audit_broken": "1: the audit trail is not as it was written, and is not signed any more.",
        "signet_audit_dropped_total": "Refusals that are not in the audit trail, for there were too many.",
        "signet_audit_unsigned_entries": "Entries of the audit trail that no replica has signed yet.",
        "signet_certificates_issued_total": "Certificates issued, by mesh and kind.",
        "signet_limited_total": "What was refused or closed for being beyond a limit, by limit.",
        "signet_refused_total": "Requests refused, by reason.",
        "signet_certificate_earliest_expiry_seconds": "Seconds until the earliest end of a certificate, by mesh and kind.",
        "signet_clock_behind_seconds": "How far the clock is behind the last issuance, while nothing is issued for it.",
        "signet_clock_database_difference_seconds": "The clock less the database's, in the middle of a question and its answer.",
        "signet_clock_jumps_total": "How often the clock jumped ahead by more than a minute.",
        "signet_clock_offset_seconds": "How far the clock is from where it was before it jumped: no rotation is driven here.",
        "signet_journal_certificates": "Certificates that are in the journal and not yet in the database.",
        "signet_journal_writable": "1: the journal takes what is given to it; 0: without the database nothing would be issued.",
        "signet_ledger_away_seconds": "For how long the database has not answered; 0: it does.",
        "signet_ledger_doubtful": "1 while the database is not believed, until an operator confirms it.",
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
