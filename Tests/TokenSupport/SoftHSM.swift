import Foundation
package import PKI
import Subprocess

/// SoftHSM 2: an HSM in software, with tokens in a folder of the test's own.
///
/// The module reads its configuration when it is initialised, once in a process, and looks for tokens then: those of a service that is
/// started come before it, and those of the test's own process are all made together, by `inThisProcess`.
package struct SoftHSM: Sendable {
    /// Where Debian's package has the module; missing, the tests that need it fail.
    package static let module = "/usr/lib/softhsm/libsofthsm2.so"

    package let directory: String

    /// What a process that uses the tokens has in its environment.
    package var environment: [String: String?] { ["SOFTHSM2_CONF": "\(directory)/softhsm2.conf"] }

    /// An HSM without tokens in a folder that is there.
    package init(in directory: String) throws {
        self.directory = directory
        try FileManager.default.createDirectory(atPath: "\(directory)/tokens", withIntermediateDirectories: true)
        try """
        directories.tokendir = \(directory)/tokens
        objectstore.backend = file
        log.level = ERROR
        slots.removable = false
        """.write(toFile: "\(directory)/softhsm2.conf", atomically: true, encoding: .utf8)
    }

    package struct Failed: Error, CustomStringConvertible {
        package let description: String
    }

    /// Makes a token with a user PIN.
    package func makeToken(_ label: String, pin: String) async throws {
        try await run([
            "--init-token", "--free", "--label", label, "--so-pin", "security officer", "--pin", pin,
        ])
    }

    /// Puts the key of a PKCS #8 file in PEM into a token.
    package func importKey(_ file: String, into label: String, pin: String, id: String, named name: String) async throws {
        try await run(["--import", file, "--token", label, "--pin", pin, "--id", id, "--label", name])
    }

    /// How many objects are in a token, by the files that SoftHSM keeps them in: one each.
    package func keyCount(in label: String) async throws -> Int {
        let manager = FileManager.default
        for token in try manager.contentsOfDirectory(atPath: "\(directory)/tokens") {
            let folder = "\(directory)/tokens/\(token)"
            // The label stands in the clear in the token's own object.
            guard let own = manager.contents(atPath: "\(folder)/token.object"), own.range(of: Data(label.utf8)) != nil else {
                continue
            }
            return try manager.contentsOfDirectory(atPath: folder).count { $0.hasSuffix(".object") && $0 != "token.object" }
        }
        throw Failed(description: "there is no token '\(label)'")
    }

    private func run(_ arguments: [String]) async throws {
        var answer = ""
        do {
            let result = try await Subprocess.run(
                .name("softhsm2-util"), arguments: Arguments(arguments),
                environment: .inherit.updating(["SOFTHSM2_CONF": "\(directory)/softhsm2.conf"]),
                output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
            if result.terminationStatus.isSuccess { return }
            answer = result.standardOutput + result.standardError
        } catch {
            answer = "it cannot be run (apt-get install softhsm2): \(error)"
        }
        throw Failed(description: "softhsm2-util \(arguments[0]): \(answer)")
    }

    /// Writes a PIN file; returns its path.
    package func writePIN(_ pin: String, named name: String, mode: Int = 0o400) throws -> String {
        let path = "\(directory)/\(name)"
        let next = "\(path).\(UInt64.random(in: .min ... .max))"
        // By rename: other tests may read the same file at this moment.
        guard
            FileManager.default.createFile(
                atPath: next, contents: Data((pin + "\n").utf8), attributes: [.posixPermissions: mode]),
            rename(next, path) == 0
        else { throw Failed(description: "cannot write \(path)") }
        return path
    }

    package func location(_ label: String, pinFile: String) -> TokenLocation {
        TokenLocation(module: SoftHSM.module, token: label, pinFile: pinFile)
    }

    /// The HSM of this process, with the tokens `unit-0` to `unit-9`, all with the same PIN; each test takes one that is its own.
    package static func inThisProcess() async throws -> SoftHSM { try await Shared.instance.hsm() }

    /// The PIN of the tokens of this process.
    package static let unitPIN = "1234 unit"

    private actor Shared {
        static let instance = Shared()
        private static let folder = "/tmp/signet-softhsm-\(getpid())"
        private var made: SoftHSM?
        private var waiters: [CheckedContinuation<Void, Never>] = []
        private var isMaking = false

        func hsm() async throws -> SoftHSM {
            while isMaking { await withCheckedContinuation { waiters.append($0) } }
            if let made { return made }
            isMaking = true
            defer {
                isMaking = false
                for waiter in waiters { waiter.resume() }
                waiters = []
            }
            try? FileManager.default.removeItem(atPath: Shared.folder)
            let hsm = try SoftHSM(in: Shared.folder)
            atexit { try? FileManager.default.removeItem(atPath: Shared.folder) }
            for number in 0..<10 { try await hsm.makeToken("unit-\(number)", pin: SoftHSM.unitPIN) }
            // Before the module is first initialised in this process.
            setenv("SOFTHSM2_CONF", "\(Shared.folder)/softhsm2.conf", 1)
            made = hsm
            return hsm
        }
    }
}
