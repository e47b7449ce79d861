import ArgumentParser

/// `signet audit …`: who did what, and whether that is still what was written.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Read the audit trail, verify it, and keep a copy elsewhere.",
        discussion: """
            Example: signet audit list --mesh default --since 24h
            Example: signet audit verify --head kept-head.json

            Each entry carries the digest of the one before it, and a key of the service signs the last. What 'signet audit head'
            or 'signet audit export' wrote, kept where the database's owner cannot write, shows what was cut off or written anew.
            """,
        subcommands: [AuditList.self, AuditVerify.self, AuditExport.self, AuditHeadCommand.self])
}
