import CPKCS11
import Glibc
import Synchronization

/// A PKCS #11 module, loaded into this process: its functions, and the slots behind them.
///
/// There is one for each path, since a module is initialised once in a process; it stays until the process ends. The module is told
/// to lock for itself (CKF_OS_LOCKING_OK), so that any thread may call it. `@unchecked Sendable`, since the function list is the
/// module's, constant from C_GetFunctionList on (PKCS #11 §5.4).
///
/// Every call may block, for as long as the HSM does: never on a cooperative thread.
final class PKCS11Module: @unchecked Sendable {
    let path: String
    let functions: UnsafePointer<CK_FUNCTION_LIST>
    /// How many sessions are open; the lock is held while one is opened or closed.
    private let sessions = Mutex(0)

    private static let loaded = Mutex<[String: PKCS11Module]>([:])

    /// The module of an absolute path, loaded and initialised with the first call.
    static func at(_ path: String) throws(PKCS11Failure) -> PKCS11Module {
        let result = loaded.withLock { modules -> Result<PKCS11Module, PKCS11Failure> in
            if let module = modules[path] { return .success(module) }
            do throws(PKCS11Failure) {
                let module = try PKCS11Module(path: path)
                modules[path] = module
                return .success(module)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private init(path: String) throws(PKCS11Failure) {
        guard path.hasPrefix("/") else { throw .moduleUnusable(path: path, reason: "the path is not absolute") }
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw .moduleUnusable(path: path, reason: PKCS11Module.loaderError() ?? "it cannot be loaded")
        }
        typealias GetFunctionList = @convention(c) (UnsafeMutablePointer<UnsafeMutablePointer<CK_FUNCTION_LIST>?>?) -> CK_RV
        guard let symbol = dlsym(handle, "C_GetFunctionList") else {
            dlclose(handle)
            throw .moduleUnusable(path: path, reason: "it has no C_GetFunctionList, so it is no PKCS #11 module")
        }
        var list: UnsafeMutablePointer<CK_FUNCTION_LIST>?
        let code = unsafeBitCast(symbol, to: GetFunctionList.self)(&list)
        guard code == CKR_OK, let list, list.pointee.version.major >= 2 else {
            dlclose(handle)
            throw .moduleUnusable(path: path, reason: "C_GetFunctionList: \(PKCS11Return.name(code))")
        }
        self.path = path
        self.functions = UnsafePointer(list)
        try initialize()
    }

    /// Harmless where it is initialised already, by another path to the same file.
    private func initialize() throws(PKCS11Failure) {
        var arguments = CK_C_INITIALIZE_ARGS()
        arguments.flags = CK_FLAGS(CKF_OS_LOCKING_OK)
        let code = functions.pointee.C_Initialize?(&arguments) ?? CKR_FUNCTION_NOT_SUPPORTED
        guard code == CKR_OK || code == CKR_CRYPTOKI_ALREADY_INITIALIZED else {
            throw .moduleUnusable(path: path, reason: "C_Initialize: \(PKCS11Return.name(code))")
        }
    }

    /// Opens a session for reading and writing with the token of the label.
    ///
    /// Some modules look for tokens only when they are initialised: while nobody has a session, one that misses its token is begun
    /// anew, so that a token which came, or came back, is found.
    func openSession(token label: String) throws(PKCS11Failure) -> CK_SESSION_HANDLE {
        try sessions.withLock { count throws(PKCS11Failure) in
            let handle: CK_SESSION_HANDLE
            do throws(PKCS11Failure) {
                handle = try open(token: label)
            } catch {
                switch error {
                case .tokenMissing where count == 0: _ = functions.pointee.C_Finalize?(nil)
                // Somebody else in this process has ended the module.
                case .returned(_, _, PKCS11Return.name(CKR_CRYPTOKI_NOT_INITIALIZED)): break
                default: throw error
                }
                try initialize()
                handle = try open(token: label)
            }
            count += 1
            return handle
        }
    }

    func closeSession(_ handle: CK_SESSION_HANDLE) {
        sessions.withLock { count in
            _ = functions.pointee.C_CloseSession?(handle)
            count -= 1
        }
    }

    private func open(token label: String) throws(PKCS11Failure) -> CK_SESSION_HANDLE {
        var handle: CK_SESSION_HANDLE = 0
        let code =
            functions.pointee.C_OpenSession?(
                try slot(ofToken: label), CK_FLAGS(CKF_SERIAL_SESSION | CKF_RW_SESSION), nil, nil, &handle)
            ?? CKR_FUNCTION_NOT_SUPPORTED
        guard code == CKR_OK else {
            throw .returned(token: label, operation: "open a session", code: PKCS11Return.name(code))
        }
        return handle
    }

    /// The one slot whose token has the label. Asked anew for each session: a token may come back in another slot.
    func slot(ofToken label: String) throws(PKCS11Failure) -> CK_SLOT_ID {
        var present: [String] = []
        var found: [CK_SLOT_ID] = []
        for slot in try slots(token: label) {
            var info = CK_TOKEN_INFO()
            // A token that was just taken out, or that cannot be read, is none of ours.
            guard functions.pointee.C_GetTokenInfo?(slot, &info) == CKR_OK, info.flags & CKF_TOKEN_INITIALIZED != 0 else {
                continue
            }
            let name = PKCS11Module.text(info.label)
            present.append(name)
            if name == label { found.append(slot) }
        }
        guard let slot = found.first else { throw .tokenMissing(label: label, module: path, present: present) }
        guard found.count == 1 else { throw .tokenAmbiguous(label: label, module: path) }
        return slot
    }

    private func slots(token: String) throws(PKCS11Failure) -> [CK_SLOT_ID] {
        // Between the two calls a slot may come: asked again then, a few times.
        for _ in 0..<4 {
            var count: CK_ULONG = 0
            var code = functions.pointee.C_GetSlotList?(CK_BBOOL(CK_TRUE), nil, &count) ?? CKR_FUNCTION_NOT_SUPPORTED
            guard code == CKR_OK else {
                throw .returned(token: token, operation: "list the slots", code: PKCS11Return.name(code))
            }
            guard count > 0 else { return [] }
            var slots = [CK_SLOT_ID](repeating: 0, count: Int(count))
            code = functions.pointee.C_GetSlotList?(CK_BBOOL(CK_TRUE), &slots, &count) ?? CKR_FUNCTION_NOT_SUPPORTED
            if code == CKR_BUFFER_TOO_SMALL { continue }
            guard code == CKR_OK else {
                throw .returned(token: token, operation: "list the slots", code: PKCS11Return.name(code))
            }
            return Array(slots.prefix(Int(count)))
        }
        throw .returned(token: token, operation: "list the slots", code: PKCS11Return.name(CKR_BUFFER_TOO_SMALL))
    }

    /// Padded with blanks and not terminated (PKCS #11 §3.2).
    private static func text(_ field: some Any) -> String {
        let bytes = withUnsafeBytes(of: field) { Array($0) }
        let end = bytes.lastIndex { $0 != 0x20 && $0 != 0 }.map { $0 + 1 } ?? 0
        return String(decoding: bytes[..<end], as: UTF8.self)
    }

    private static func loaderError() -> String? { dlerror().map { String(cString: $0) } }
}
