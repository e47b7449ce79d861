import ArgumentParser
import PKICrypto

/// `signet keys create FILE|URI`: a fresh key-encryption key.
struct KeysCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a key-encryption key: a file of mode 0400, or a key inside an HSM.",
        discussion: """
            Example: signet keys create /etc/signet/key-encryption-2.key

            Inside an HSM: signet keys create 'pkcs11:token=signet;object=kek-2?module-path=/usr/lib/softhsm/libsofthsm2.so\
            &pin-source=/etc/signet/pin'. It prints the id by which 'signet keys status' knows the key. Nothing is overwritten.
            """)

    @Argument(help: "Where: a path, or a PKCS #11 URI (RFC 7512).")
    var place: String

    func validate() throws {
        guard !place.allSatisfy(\.isWhitespace) else { throw ValidationError("the place is empty") }
        guard !place.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
            throw ValidationError("the place has control characters")
        }
        guard place != "-" else { throw ValidationError("a key is not written to standard output: name a file") }
        guard !place.hasSuffix("/") else { throw ValidationError("the place is a directory: name the file in it") }
        guard PKCS11URI.isMeant(by: place) else { return }
        do {
            _ = try PKCS11URI(place)
        } catch {
            throw ValidationError("the place: \(error)")
        }
    }

    func run() async throws {
        do {
            try await KeyEncryptionKey.generate(at: place)
            try Console.out(try await KeyEncryptionKey.named(place).id)
        } catch let failure as KeyEncryptionKeyFailure {
            throw CommandFailure.failed(failure.description)
        }
    }
}
