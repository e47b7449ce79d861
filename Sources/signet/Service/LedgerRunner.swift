import Postgres
import ServiceLifecycle

/// Keeps the ledger's connections until everything that uses them has stopped.
struct LedgerRunner: Service, CustomStringConvertible {
    let description = "ledger"
    let ledger: PostgresLedger

    func run() async {
        await cancelWhenGracefulShutdown { await ledger.run() }
    }
}
