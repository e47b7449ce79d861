import PKI
import PKICrypto
import SwiftASN1
import X509

/// A certificate signing request. The first octet says how it comes: 0 as DER, 1 as a CertificationRequestInfo that is signed
/// here with a known key, 2 as PEM.
///
/// Laws: what is accepted is a request to swift-certificates too, signed by the key that is in it; that key, and nothing else,
/// is taken; a SAN that is not exactly what is granted is refused.
enum CSRFuzz {
    static func run(_ bytes: [UInt8]) throws -> FuzzTarget.Verdict {
        let keys = try FuzzKeys.shared.get()
        let granted = try SPIFFEID("spiffe://payments/api")
        var input = FuzzInput(bytes)
        let mode = input.byte() % 3
        let rest = input.remainder()
        do {
            let der = mode == 1 ? try FuzzKeys.signed(rest, with: keys.subject) : rest
            if mode == 2 {
                let text = String(decoding: rest, as: UTF8.self)
                let request = try PKICrypto.CertificateSigningRequest(pem: text)
                try request.check(granted: granted)
                guard let der = try PEM.decode(text, label: "CERTIFICATE REQUEST").first else {
                    throw BrokenInvariant("a request out of no PEM")
                }
                try confirm(request, der, granted: granted)
            } else {
                let request = try PKICrypto.CertificateSigningRequest(der: der)
                try request.check(granted: granted)
                try confirm(request, der, granted: granted)
            }
            return .accepted
        } catch let refusal as CSRRefusal {
            try SpokenText.check("\(refusal)")
            return .refused
        }
    }

    private static func confirm(
        _ request: PKICrypto.CertificateSigningRequest, _ der: [UInt8], granted: SPIFFEID
    ) throws {
        let theirs: X509.CertificateSigningRequest
        do {
            theirs = try X509.CertificateSigningRequest(derEncoded: der)
        } catch {
            throw BrokenInvariant("swift-certificates does not read a request that we accept: \(error)")
        }
        try BrokenInvariant.require(
            theirs.publicKey.isValidSignature(theirs.signature, for: theirs), "accepted without proof of possession")
        var serializer = SwiftASN1.DER.Serializer()
        try theirs.publicKey.serialize(into: &serializer)
        try BrokenInvariant.require(serializer.serializedBytes == request.subjectPublicKeyInfo, "another key")
        guard let extensions = try theirs.attributes.extensionRequest?.extensions else { return }
        if let names = try extensions.subjectAlternativeNames {
            try BrokenInvariant.require(Array(names) == [.uniformResourceIdentifier(granted.uri)], "another name")
        }
        if case .isCertificateAuthority = try extensions.basicConstraints { throw BrokenInvariant("a CA") }
    }
}
