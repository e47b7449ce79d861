package import Logging
package import PKI
import ServiceLifecycle

/// Keeps the doors' own certificate fresh: a new one from the serving authority at half of the life of the last.
package struct ServingAuthorityRenewal: Service, CustomStringConvertible {
    package let certificates: ServingCertificates
    package let description = "serving certificate renewal"
    private let authority: ServingAuthority
    private let names: [String]
    private let now: @Sendable () -> Timestamp
    private let logger: Logger

    /// Issues the first certificate now.
    package init(authority: ServingAuthority, names: [String], now: @escaping @Sendable () -> Timestamp, logger: Logger) throws {
        self.authority = authority
        self.names = names
        self.now = now
        self.logger = logger
        certificates = ServingCertificates(try authority.issue(names: names, at: now()))
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: ServingAuthority.leafLifetime / 2)) != nil {
                do {
                    certificates.replace(with: try authority.issue(names: names, at: now()))
                    logger.notice("the serving certificate was renewed")
                } catch {
                    logger.error("the serving certificate was not renewed", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}
