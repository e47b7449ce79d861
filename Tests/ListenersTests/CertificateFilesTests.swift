import Foundation
import Listeners
import TestSupport
import Testing

@Suite struct CertificateFilesTests {
    private func fingerprint(_ certificates: ServingCertificates) throws -> [UInt8] {
        try #require(certificates.current.certificate.chain.first).toDERBytes()
    }

    private func copy(_ from: String, _ to: String) throws {
        try DurableFile.write([UInt8](try #require(FileManager.default.contents(atPath: from))), to: to, mode: 0o600)
    }

    @Test func `A replaced pair is read again, and a broken one leaves the old in use`() async throws {
        try await Workspace.open("files") { workspace in
            let one = try await ClientCertificate.make("one", in: workspace)
            let two = try await ClientCertificate.make("two", in: workspace)
            let (certificate, key) = (workspace.file("tls.crt"), workspace.file("tls.key"))
            try copy(one.certificate, certificate)
            try copy(one.key, key)
            let files = try CertificateFiles(certificate: certificate, key: key, interval: .milliseconds(20), logger: quiet)
            let first = try await one.der()
            let second = try await two.der()
            #expect(try fingerprint(files.certificates) == first)
            try await whileServing(files) { _ async throws in
                // Half of the new pair: the certificate without its key.
                try copy(two.certificate, certificate)
                try await Task.sleep(for: .milliseconds(200))
                #expect(try fingerprint(files.certificates) == first)
                try copy(two.key, key)
                try await eventually(within: .seconds(10), "the new certificate") {
                    try fingerprint(files.certificates) == second
                }
                try DurableFile.write(Array("nonsense".utf8), to: key, mode: 0o600)
                try await Task.sleep(for: .milliseconds(200))
                #expect(try fingerprint(files.certificates) == second)
                #expect(files.certificates.current.generation == 1)
            }
        }
    }

    @Test func `A missing file, no PEM, and a key of another certificate are each refused by name`() async throws {
        try await Workspace.open("files") { workspace in
            let one = try await ClientCertificate.make("one", in: workspace)
            let two = try await ClientCertificate.make("two", in: workspace)
            let missing = workspace.file("missing.crt")
            let junk = try workspace.write("junk", to: "junk.crt")
            #expect(throws: DoorFailure.file(path: missing, detail: "there is no such file")) {
                _ = try CertificateFiles(certificate: missing, key: one.key, logger: quiet)
            }
            #expect(throws: DoorFailure.certificateMalformed(path: junk, detail: "no certificate in it")) {
                _ = try CertificateFiles(certificate: junk, key: one.key, logger: quiet)
            }
            #expect(throws: DoorFailure.certificateMalformed(path: junk, detail: "no private key in it, or an encrypted one")) {
                _ = try CertificateFiles(certificate: one.certificate, key: junk, logger: quiet)
            }
            #expect(throws: DoorFailure.keyOfAnotherCertificate(certificate: one.certificate, key: two.key)) {
                _ = try CertificateFiles(certificate: one.certificate, key: two.key, logger: quiet)
            }
        }
    }

    @Test func `The authority of a directory is made once, with a key that only its owner can read`() async throws {
        try await Workspace.open("files") { workspace in
            let first = try ServingAuthority.open(directory: workspace.path, at: now())
            let again = try ServingAuthority.open(directory: workspace.path, at: now())
            #expect(first.rootPEM == again.rootPEM)
            var status = stat()
            #expect(stat(workspace.file("ca-key.pem"), &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
            try await Tool.openssl.output([
                "verify", "-x509_strict", "-CAfile", workspace.file("ca.pem"), workspace.file("ca.pem"),
            ])
        }
    }
}
