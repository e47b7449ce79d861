import Dispatch
internal import PKI
internal import PKICrypto

/// Makes the keys of roots away from the cooperative threads: an RSA key of 4096 bits takes seconds of one core.
enum RootKeys {
    private static let queue = DispatchQueue(label: "signet.root-keys")

    static func generate(_ algorithm: KeyAlgorithm) async throws(AuthorityError) -> PrivateKey {
        let result = await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(returning: Result { () throws(CryptoFailure) in try PrivateKey.generate(algorithm) })
            }
        }
        do {
            return try result.get()
        } catch {
            throw .crypto(detail: "\(error)")
        }
    }
}
