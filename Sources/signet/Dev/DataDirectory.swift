import Foundation
import Listeners

/// The directory in which `signet dev` keeps everything: its database, keys, tokens, and what the other commands look for.
struct DataDirectory: Sendable {
    let path: String
    /// Held until the process ends.
    private let lock: FileLock

    /// The layout below this directory. A later program that changes it counts up and knows how to bring it up to date.
    private static let format = 1

    var keyEncryptionKey: String { path + "/key-encryption.key" }
    var adminToken: String { path + "/admin.token" }
    var certificateAuthority: String { path + "/ca.pem" }
    var database: String { path + "/postgres" }
    var journal: String { path + "/journal" }
    var endpoints: String { path + "/endpoints.json" }

    /// `SIGNET_DATA_DIR`, else `signet` below XDG's data home.
    ///
    /// PostgreSQL does not run as root but as another user, which may not enter root's home: there it is /var/lib/signet.
    static func standard(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> String {
        if let chosen = environment["SIGNET_DATA_DIR"], !chosen.isEmpty { return absolute(chosen) }
        if let home = environment["XDG_DATA_HOME"], home.hasPrefix("/") { return home + "/signet" }
        if geteuid() == 0 { return "/var/lib/signet" }
        return (environment["HOME"] ?? NSHomeDirectory()) + "/.local/share/signet"
    }

    /// Makes or opens the directory and takes its lock.
    static func open(_ chosen: String) throws(CommandFailure) -> DataDirectory {
        let path = absolute(chosen)
        let marker = path + "/version"
        do {
            // As root the database's user must be able to pass through; the files within have modes of their own.
            let mode = geteuid() == 0 ? 0o711 : 0o700
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: mode])
        } catch {
            throw unusable(path, reason(error))
        }
        guard access(path, W_OK | X_OK) == 0 else { throw unusable(path, String(cString: strerror(errno))) }
        do {
            // The files are listed before the marker is looked for: who makes the directory writes the marker before any
            // other file, so that one who makes it just now is not taken for another program.
            let contents = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            let isPlain = contents.allSatisfy { ["lock", "version", "version.new"].contains($0) }
            guard isPlain || access(marker, F_OK) == 0 else {
                throw CommandFailure.failed(
                    "\(path) has files in it and is no data directory of signet: choose another with --data-dir")
            }
            let lock = try FileLock(path: path + "/lock", of: "the data directory \(path)")
            if let bytes = try DurableFile.read(marker, limit: 64) {
                try check(String(decoding: bytes, as: UTF8.self), path)
            } else {
                try DurableFile.write(Array("\(format)\n".utf8), to: marker, mode: 0o644)
            }
            return DataDirectory(path: path, lock: lock)
        } catch let failure as CommandFailure {
            throw failure
        } catch let failure as DoorFailure {
            throw .failed(failure.description)
        } catch {
            throw unusable(path, "\(error)")
        }
    }

    private static func check(_ text: String, _ path: String) throws(CommandFailure) {
        guard let found = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw .failed("\(path)/version is not readable as a number: restore it, or choose another directory with --data-dir")
        }
        guard found <= format else {
            throw .failed(
                "the data directory \(path) has format \(found) and this signet knows \(format): "
                    + "run the newer signet that made it, or choose another directory with --data-dir")
        }
    }

    private static func unusable(_ path: String, _ reason: String) -> CommandFailure {
        .failed(
            "cannot use the data directory \(path) (\(reason)): make it writable for this user, or choose another with --data-dir"
        )
    }

    private static func reason(_ error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        guard let underlying, underlying.domain == NSPOSIXErrorDomain else { return "it cannot be made" }
        return String(cString: strerror(Int32(underlying.code)))
    }

    /// For commands that run in another directory.
    static func absolute(_ path: String) -> String {
        let full = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        return (full as NSString).standardizingPath
    }
}
