import CPKCS11
import Dispatch
import Glibc
internal import PKI
import Synchronization

/// One token of one module: the owner of the session with it, in which everything is done one after the other.
///
/// Calls block for as long as the HSM does, so they run on a queue of the token's own; whoever waits has a deadline. A session that
/// was lost, with its login, is opened anew and the call made once more. After a failure whoever is in no hurry is answered at
/// once for a while: an HSM that hangs must not hold up what does not need it, again and again.
final class PKCS11Token: Sendable {
    private struct Login {
        var session: PKCS11Session
        var pinFile: String
        var pin: SecretBytes
    }

    private struct Pause {
        var end: ContinuousClock.Instant
        var length: Duration
        var cause: String
    }

    private struct Key: Hashable {
        var module: String
        var label: String
    }

    let label: String
    private let modulePath: String
    private let queue: DispatchQueue
    /// Written on `queue` alone.
    private let login = Mutex<Login?>(nil)
    /// The PIN that the token refused last: another try with it would come nearer to a lock.
    private let refusedPIN = Mutex<SecretBytes?>(nil)
    private let pause = Mutex<Pause?>(nil)

    private static let tokens = Mutex<[Key: PKCS11Token]>([:])

    /// The one object of a token in this process.
    static func at(_ location: TokenLocation) -> PKCS11Token {
        let path = PKCS11Token.resolved(location.module)
        return tokens.withLock { tokens in
            let key = Key(module: path, label: location.token)
            if let token = tokens[key] { return token }
            let token = PKCS11Token(module: path, label: location.token)
            tokens[key] = token
            return token
        }
    }

    private init(module: String, label: String) {
        modulePath = module
        self.label = label
        queue = DispatchQueue(label: "signet.pkcs11")
    }

    /// A signature takes milliseconds, and thirty-two may wait at once; a network HSM fails over within seconds.
    static let limit: Duration = .seconds(5)
    /// An RSA key of 4096 bits takes a smart card minutes.
    static let generationLimit: Duration = .seconds(120)
    /// Between tries of an HSM that is away: the first, doubled each time up to the last.
    private static let pauses: ClosedRange<Duration> = .seconds(1) ... .seconds(30)

    /// Whether it failed a moment ago, and is only asked by whoever `isUrged`.
    var isPausing: Bool { cause != nil }

    /// Runs `body` in a session that is logged in with the PIN of the file.
    ///
    /// `isUrged`: it is tried even though it failed a moment ago, since a person waits for the answer. After the deadline the call
    /// may still take effect in the token.
    func perform<Value: Sendable>(
        _ operation: String, pinFile: String, within limit: Duration = PKCS11Token.limit, isUrged: Bool = false,
        _ body: @escaping @Sendable (PKCS11Session) throws(PKCS11Session.Fault) -> Value
    ) async throws(PKCS11Failure) -> Value {
        if !isUrged, let cause { throw .pausing(token: label, cause: cause) }
        let answer = FirstAnswer<Result<Value, PKCS11Failure>>()
        let result = await withCheckedContinuation { continuation in
            answer.wait(continuation)
            queue.async {
                // Nobody waits any more: a key that nobody knows of would be made, or a slow HSM kept busy.
                guard answer.isAwaited else { return }
                answer.give(self.run(pinFile: pinFile, body))
            }
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(Int(limit.wholeMilliseconds))) {
                answer.give(.failure(.deadline(token: self.label, operation: operation)))
            }
        }
        do {
            let value = try result.get()
            pause.withLock { $0 = nil }
            return value
        } catch {
            if error.isOfToken { lengthenPause(because: error) }
            throw error
        }
    }

    private var cause: String? {
        pause.withLock { pause in pause.flatMap { ContinuousClock.now < $0.end ? $0.cause : nil } }
    }

    private func lengthenPause(because failure: PKCS11Failure) {
        pause.withLock { pause in
            let now = ContinuousClock.now
            // Thirty-two that waited together failed once.
            if let pause, now < pause.end { return }
            let length = pause.map { min($0.length * 2, PKCS11Token.pauses.upperBound) } ?? PKCS11Token.pauses.lowerBound
            pause = Pause(end: now + length, length: length, cause: failure.description)
        }
    }

    // MARK: - On the queue

    private func run<Value>(
        pinFile: String, _ body: (PKCS11Session) throws(PKCS11Session.Fault) -> Value
    ) -> Result<Value, PKCS11Failure> {
        do throws(PKCS11Session.Fault) {
            do throws(PKCS11Session.Fault) {
                return .success(try body(try session(pinFile: pinFile)))
            } catch {
                guard PKCS11Return.isLostSession(error.code) else { throw error }
                close()
                return .success(try body(try session(pinFile: pinFile)))
            }
        } catch {
            // What state it is in after a failure of its own is anybody's guess.
            if error.code != CKR_OK { close() }
            return .failure(error.failure)
        }
    }

    /// The session that there is, if it was opened with this PIN, or a new one.
    private func session(pinFile: String) throws(PKCS11Session.Fault) -> PKCS11Session {
        let present = login.withLock { $0 }
        if let present, present.pinFile == pinFile { return present.session }
        let pin: SecretBytes
        do { pin = try PINFile.read(pinFile) } catch { throw PKCS11Session.Fault(failure: error) }
        if let refused = refusedPIN.withLock({ $0 }), refused.isEqual(to: pin) {
            throw PKCS11Session.Fault(failure: .pinKnownWrong(token: label, pinFile: pinFile))
        }
        if let present, present.pin.isEqual(to: pin) { return present.session }
        close()
        let session = try open()
        do throws(PKCS11Session.Fault) {
            try logIn(session, pin: pin, pinFile: pinFile)
        } catch {
            session.module.closeSession(session.handle)
            throw error
        }
        refusedPIN.withLock { $0 = nil }
        login.withLock { $0 = Login(session: session, pinFile: pinFile, pin: pin) }
        return session
    }

    private func open() throws(PKCS11Session.Fault) -> PKCS11Session {
        do throws(PKCS11Failure) {
            let module = try PKCS11Module.at(modulePath)
            return PKCS11Session(module: module, handle: try module.openSession(token: label), token: label)
        } catch {
            throw PKCS11Session.Fault(failure: error)
        }
    }

    private func logIn(_ session: PKCS11Session, pin: SecretBytes, pinFile: String) throws(PKCS11Session.Fault) {
        func attempt() -> CK_RV {
            pin.withUnsafeBytes { bytes in
                let text = UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.assumingMemoryBound(to: CK_UTF8CHAR.self)
                return session.functions.pointee.C_Login?(session.handle, CKU_USER, text, CK_ULONG(bytes.count))
                    ?? CKR_FUNCTION_NOT_SUPPORTED
            }
        }
        var code = attempt()
        if code == CKR_USER_ALREADY_LOGGED_IN {
            // The login of a session that was lost without its end. This PIN has yet to be proved.
            _ = session.functions.pointee.C_Logout?(session.handle)
            code = attempt()
        }
        guard code != CKR_OK else { return }
        guard PKCS11Return.isAboutPIN(code) else { return try session.check(code, "log in") }
        refusedPIN.withLock { $0 = pin }
        throw PKCS11Session.Fault(failure: .pinRefused(token: label, pinFile: pinFile, code: PKCS11Return.name(code)))
    }

    /// Ends the session, if there is one; the answers say nothing that matters then.
    private func close() {
        guard
            let ended = login.withLock({ login in
                let ended = login
                login = nil
                return ended
            })
        else { return }
        _ = ended.session.functions.pointee.C_Logout?(ended.session.handle)
        ended.session.module.closeSession(ended.session.handle)
    }

    /// Without symbolic links, since one file is one module, whatever the path. A path that leads nowhere stays for the message.
    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }
}
