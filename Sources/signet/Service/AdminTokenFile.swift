import AuthorityService
import Listeners
import Logging
import ServiceLifecycle

/// The admin token in a file that only its owner can read: a new one at each start, and before the last one ends.
struct AdminTokenFile: Sendable {
    let path: String
    let authority: MeshAuthority
    let logger: Logger

    /// Issues a token and puts it in the file, in place of the one that was there.
    ///
    /// Throws `AuthorityError` when the ledger does not answer: to be tried again. If a lost answer hid a commit, the ledger
    /// has one token more, which nobody holds.
    func renew() async throws {
        do {
            let request = UserTokenRequest(name: "local-admin", roles: [.admin], validFor: nil)
            let token = try await authority.issueUserToken(request, by: .system)
            try DurableFile.write(Array(token.utf8), to: path, mode: 0o600)
        } catch let failure as DoorFailure {
            throw CommandFailure.failed(failure.description)
        } catch let error as AuthorityError where error.isOutage {
            throw error
        } catch let error as AuthorityError {
            throw CommandFailure.failed("the admin token cannot be made: \(error.description)")
        }
    }

    /// Renews at half of the token's life, for as long as the service runs.
    func keepFresh() async {
        var pause = authority.settings.userTokenLifetime / 2
        while (try? await Task.sleep(for: pause)) != nil {
            do {
                try await renew()
                pause = authority.settings.userTokenLifetime / 2
            } catch {
                logger.error("the admin token was not renewed", metadata: ["error": "\(error)"])
                pause = .seconds(30)
            }
        }
    }
}

extension AuthorityError {
    /// Whether the ledger did not answer, so that waiting mends it.
    fileprivate var isOutage: Bool {
        switch self {
        case .clockBehind, .ledger(.behind), .ledger(.unavailable), .ledger(.outcomeUnknown), .limited: true
        case .conflict, .crypto, .invalid, .keyStoreUnavailable, .ledger(.conflict), .ledger(.rejected), .notFound,
            .preconditionFailed, .refused:
            false
        }
    }
}
