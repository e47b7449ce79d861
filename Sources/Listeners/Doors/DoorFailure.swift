/// Why a door cannot open or cannot be served. Each is one sentence that names the file, address or configuration key.
package enum DoorFailure: Error, Hashable, Sendable {
    /// Another process listens there.
    case addressInUse(address: String, key: String)
    /// The address is not one of this machine, or does not resolve.
    case addressUnusable(address: String, key: String, detail: String)
    /// The bytes are not certificates or not a key.
    case certificateMalformed(path: String, detail: String)
    /// The file cannot be read or written.
    case file(path: String, detail: String)
    /// The private key is not that of the certificate.
    case keyOfAnotherCertificate(certificate: String, key: String)
    /// Another process holds the lock.
    case locked(subject: String, path: String)
    /// Ports below 1024 need a privilege.
    case permissionDenied(address: String, key: String)
    /// A file is in the way of the unix socket, or another process serves it.
    case socketPath(path: String, detail: String)
}

extension DoorFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .addressInUse(let address, let key):
            "\(address) is in use by another process: stop it, or set \(key) to another address"
        case .addressUnusable(let address, let key, let detail):
            "cannot listen on \(address) (\(detail)): set \(key) to an address of this machine"
        case .certificateMalformed(let path, let detail):
            "\(path) is not usable (\(detail)): it must hold PEM"
        case .file(let path, let detail):
            "cannot use \(path) (\(detail)): check its path and permissions"
        case .keyOfAnotherCertificate(let certificate, let key):
            "the private key in \(key) does not belong to the certificate in \(certificate): name a matching pair"
        case .locked(let subject, let path):
            "\(subject) is in use by another process, which holds \(path): stop that process first"
        case .permissionDenied(let address, let key):
            "no permission to listen on \(address): set \(key) to a port from 1024 up"
        case .socketPath(let path, let detail):
            "cannot listen on the unix socket \(path) (\(detail)): remove the file or choose another path"
        }
    }
}
