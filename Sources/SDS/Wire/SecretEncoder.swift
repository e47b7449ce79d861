internal import Authority
internal import EnvoyAPI
internal import Foundation
internal import PKI
internal import SwiftProtobuf

/// Validation contexts as Envoy's messages: the only place that builds them.
enum SecretEncoder {
    private typealias ValidationMessage = Envoy_Extensions_TransportSockets_Tls_V3_CertificateValidationContext

    /// The context as a `Secret` of the name that was asked for.
    static func octets(of context: ValidationContext, under name: String) throws -> [UInt8] {
        try Envoy_Extensions_TransportSockets_Tls_V3_Secret.with {
            $0.name = name
            $0.validationContext = try validation(context)
        }.serializedBytes()
    }

    /// The SPIFFE validator binds each trust domain to its own roots; sorted, so that the same content is the same bytes.
    private static func validation(_ context: ValidationContext) throws -> ValidationMessage {
        let spiffe = Envoy_Extensions_TransportSockets_Tls_V3_SPIFFECertValidatorConfig.with {
            $0.trustDomains = context.trustDomains.sorted { $0.key < $1.key }.map { domain, roots in
                .with {
                    $0.name = domain.name
                    $0.trustBundle.inlineBytes = pem(roots)
                }
            }
        }
        return try ValidationMessage.with {
            $0.customValidatorConfig.name = "envoy.tls.cert_validator.spiffe"
            $0.customValidatorConfig.typedConfig = try Google_Protobuf_Any(message: spiffe)
            if let roots = context.trustedCA { $0.trustedCa.inlineBytes = pem(roots) }
            $0.matchTypedSubjectAltNames = (context.subjectAltNames ?? []).map(matcher)
        }
    }

    private static func matcher(
        _ matcher: SubjectAltNameMatcher
    ) -> Envoy_Extensions_TransportSockets_Tls_V3_SubjectAltNameMatcher {
        .with {
            $0.sanType = .uri
            switch matcher {
            case .exact(let identity): $0.matcher.exact = identity.uri
            // The slash ends the trust domain: without it `payments` would match `payments-test` too.
            case .trustDomain(let domain): $0.matcher.prefix = domain.uri + "/"
            }
        }
    }

    private static func pem(_ certificates: [[UInt8]]) -> Data {
        var text = ""
        for certificate in certificates {
            let base64 = Data(certificate).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
            text += "-----BEGIN CERTIFICATE-----\n\(base64)\n-----END CERTIFICATE-----\n"
        }
        return Data(text.utf8)
    }
}
