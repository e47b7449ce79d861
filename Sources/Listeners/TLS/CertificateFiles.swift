import Glibc
package import Logging
import ServiceLifecycle

/// A certificate and key in files, read again when either changes.
///
/// Tools replace the two files one after the other, so a pair that does not match is not an error but a moment: the old
/// certificate stays, and the files are looked at again.
package struct CertificateFiles: Service, CustomStringConvertible {
    package let certificates: ServingCertificates
    package let description = "serving certificate files"
    private let certificatePath: String
    private let keyPath: String
    private let interval: Duration
    private let initial: Stamp
    private let logger: Logger

    /// Reads both files now. `interval` is the time between two looks: two `stat` calls, so seconds cost nothing.
    package init(
        certificate: String, key: String, interval: Duration = .seconds(2), logger: Logger
    ) throws(DoorFailure) {
        certificatePath = certificate
        keyPath = key
        self.interval = interval
        self.logger = logger
        initial = Stamp(certificate, key)
        certificates = ServingCertificates(try CertificateFiles.read(certificate: certificate, key: key))
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var seen = initial
            var complained: Stamp?
            while (try? await Task.sleep(for: interval)) != nil {
                let stamp = Stamp(certificatePath, keyPath)
                guard stamp != seen else { continue }
                do {
                    certificates.replace(with: try CertificateFiles.read(certificate: certificatePath, key: keyPath))
                    seen = stamp
                    complained = nil
                    logger.notice("the serving certificate was replaced", metadata: ["file": "\(certificatePath)"])
                } catch {
                    if complained != stamp {
                        logger.error(
                            "the serving certificate on disk is not usable, the old one stays", metadata: ["error": "\(error)"])
                    }
                    complained = stamp
                }
            }
        }
    }

    private static func read(certificate: String, key: String) throws(DoorFailure) -> ServingCertificate {
        try ServingCertificate(
            certificatePEM: contents(certificate), keyPEM: contents(key), certificateName: certificate, keyName: key)
    }

    private static func contents(_ path: String) throws(DoorFailure) -> [UInt8] {
        guard let bytes = try DurableFile.read(path) else { throw .file(path: path, detail: "there is no such file") }
        return bytes
    }

    /// What tells one state of the files from another: a replaced file has another inode, a rewritten one another time.
    private struct Stamp: Hashable {
        private var values: [Int64]

        init(_ paths: String...) {
            values = []
            for path in paths {
                var status = stat()
                guard stat(path, &status) == 0 else {
                    values.append(-1)
                    continue
                }
                values += [
                    Int64(bitPattern: UInt64(status.st_ino)), Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec),
                    Int64(status.st_size),
                ]
            }
        }
    }
}
