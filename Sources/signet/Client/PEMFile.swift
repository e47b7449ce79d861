import Listeners

/// A PEM file that an option names.
enum PEMFile {
    /// A chain of a dozen certificates with RSA-4096 keys has 30 KB.
    private static let maximumBytes = 64 << 10

    static func text(at path: String, option: String) throws(CommandFailure) -> String {
        let bytes: [UInt8]
        do {
            guard let found = try DurableFile.read(path, limit: maximumBytes) else {
                throw CommandFailure.usage("there is no file \(path): name an existing one with \(option)")
            }
            bytes = found
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw .usage("\(error)")
        }
        guard let text = String(validating: bytes, as: UTF8.self), text.contains("-----BEGIN ") else {
            throw .usage("\(path) is not PEM: name another file with \(option), or convert it with openssl")
        }
        return text
    }
}
