import Crypto
import SwiftASN1
import X509

/// What a request asks for; the default is a bare P-256 key.
struct CSRBlueprint {
    var subject = X509.DistinguishedName()
    var key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    var names: [GeneralName] = []
    var extensions: [Certificate.Extension] = []
    var attributes: [X509.CertificateSigningRequest.Attribute] = []
    var signatureAlgorithm: Certificate.SignatureAlgorithm?

    func der() throws -> [UInt8] {
        var requested = extensions
        if !names.isEmpty { requested.append(try .init(SubjectAlternativeNames(names), critical: false)) }
        var all = attributes
        if !requested.isEmpty { all.append(try .init(ExtensionRequest(extensions: .init(requested)))) }
        let request =
            if let signatureAlgorithm {
                try X509.CertificateSigningRequest(
                    version: .v1, subject: subject, privateKey: key, attributes: .init(all),
                    signatureAlgorithm: signatureAlgorithm)
            } else {
                try X509.CertificateSigningRequest(version: .v1, subject: subject, privateKey: key, attributes: .init(all))
            }
        var serializer = DER.Serializer()
        try serializer.serialize(request)
        return serializer.serializedBytes
    }
}
