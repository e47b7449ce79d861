internal import PKI

/// Why a PKCS #11 token did not do what was asked.
package enum PKCS11Failure: Error, Hashable, Sendable {
    /// The module has not come back in time; the call is still in it.
    case deadline(token: String, operation: String)
    /// Several keys have the name; how many.
    case keyAmbiguous(token: String, key: String, count: Int)
    /// The token calls the key extractable, or not sensitive: it is none to rely on.
    case keyExtractable(token: String, key: String)
    case keyMissing(token: String, key: String)
    /// One of the name is there already, and none is ever made over another.
    case keyPresent(token: String, key: String)
    /// What the token signed does not verify with the public key that the certificate states.
    case keyMismatch(token: String, key: String)
    /// The file cannot be loaded, or is no module; the reason is the loader's or ours.
    case moduleUnusable(path: String, reason: String)
    /// The reason is ours.
    case pinFileUnusable(path: String, reason: String)
    /// The token has refused this very PIN before, and is not asked again: it would lock itself.
    case pinKnownWrong(token: String, pinFile: String)
    /// The token refuses the PIN; the code by its name.
    case pinRefused(token: String, pinFile: String, code: String)
    /// It failed a moment ago, for this cause, and is given time.
    case pausing(token: String, cause: String)
    /// A function of the module returned this code.
    case returned(token: String, operation: String, code: String)
    /// Several tokens have the label.
    case tokenAmbiguous(label: String, module: String)
    case tokenMissing(label: String, module: String, present: [String])
    /// Not a PKCS #11 URI (RFC 7512) that can be used here.
    case uri(reason: String)

    /// Whether waiting may mend it: nothing is wrong with what was asked.
    package var isTransient: Bool {
        switch self {
        case .deadline, .pausing, .returned: true
        case .keyAmbiguous, .keyExtractable, .keyMismatch, .keyMissing, .keyPresent, .moduleUnusable, .pinFileUnusable,
            .pinKnownWrong,
            .pinRefused, .tokenAmbiguous, .tokenMissing, .uri:
            false
        }
    }

    /// Whether it is the token, or the way to it, and not the one key that was asked for: then nobody's key is to be had.
    var isOfToken: Bool {
        switch self {
        case .deadline, .moduleUnusable, .pausing, .pinFileUnusable, .pinKnownWrong, .pinRefused, .returned, .tokenAmbiguous,
            .tokenMissing:
            true
        case .keyAmbiguous, .keyExtractable, .keyMismatch, .keyMissing, .keyPresent, .uri: false
        }
    }
}

extension PKCS11Failure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .deadline(let token, let operation):
            "the token '\(token)' did not \(operation) in time: see whether the HSM can be reached"
        case .keyAmbiguous(let token, let key, let count):
            "the token '\(token)' has \(count) keys \(key): leave one of them"
        case .keyExtractable(let token, let key):
            "the key \(key) in the token '\(token)' is extractable or not sensitive: make one inside the token that is neither"
        case .keyMissing(let token, let key):
            "there is no key \(key) in the token '\(token)': restore the token, or name the right one"
        case .keyPresent(let token, let key): "the token '\(token)' has a key \(key) already: it is never made over"
        case .keyMismatch(let token, let key):
            "the key \(key) in the token '\(token)' is not that of the certificate: restore the token"
        case .moduleUnusable(let path, let reason): "the PKCS #11 module \(path) cannot be used: \(reason)"
        case .pinFileUnusable(let path, let reason): "the PIN file \(path) cannot be used: \(reason)"
        case .pinKnownWrong(let token, let pinFile):
            "the token '\(token)' has refused the PIN in \(pinFile) before, and is not asked again lest it lock itself: "
                + "correct the file"
        case .pinRefused(let token, let pinFile, let code):
            "the token '\(token)' refuses the PIN in \(pinFile) (\(code)): correct the file"
        case .pausing(let token, let cause): "the token '\(token)' is tried again in a moment, since it failed: \(cause)"
        case .returned(let token, let operation, let code): "the token '\(token)' failed to \(operation): \(code)"
        case .tokenAmbiguous(let label, let module):
            "several tokens of \(module) are labelled '\(label)': give each a label of its own"
        case .tokenMissing(let label, let module, let present):
            "\(module) has no token labelled '\(label)': "
                + (present.isEmpty
                    ? "it has none at all"
                    : "it has \(present.prefix(5).map { "'\($0)'" }.joined(separator: ", "))" + (present.count > 5 ? " …" : ""))
        case .uri(let reason): "this is not a PKCS #11 URI that can be used: \(reason)"
        }
    }
}
