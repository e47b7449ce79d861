import PKI
import PKICrypto
import X509

/// A chain as a peer may send it. The first octet says how it comes:
///
/// - 0: certificates, each in a block; they can be accepted only with a signature that the seeds have.
/// - 1: TBSCertificates, each in a block, which are signed here: the leaf by the issuing key, the others by the root's. An
///   issuing certificate is added if there is none. So the rules behind the signatures are reached.
/// - 2: a PEM text.
///
/// Laws: what is read by us and by swift-certificates is read alike; what is accepted is read by it too, and has the one
/// identity, the purposes and the validity of an SVID in its eyes; and only a leaf that a trusted issuer signed is accepted.
enum CertificateChainFuzz {
    static func run(_ bytes: [UInt8]) throws -> FuzzTarget.Verdict {
        let keys = try FuzzKeys.shared.get()
        var input = FuzzInput(bytes)
        let chain: [[UInt8]]
        switch input.byte() % 3 {
        case 0: chain = input.blocks()
        case 1: chain = try signed(input.blocks(), keys)
        default:
            guard let ders = try? CertificateFacts.ders(pem: String(decoding: input.remainder(), as: UTF8.self)) else {
                return .refused
            }
            chain = ders
        }
        for certificate in chain { try compare(certificate) }
        let verifier = try ChainVerifier(roots: [TrustDomain("payments"): [keys.rootCertificate]])
        do {
            try confirm(try verifier.verify(chain: chain, at: FuzzKeys.now), of: chain[0], keys)
            return .accepted
        } catch let refusal as ChainRefusal {
            try SpokenText.check("\(refusal)")
            return .refused
        }
    }

    private static func signed(_ blocks: [[UInt8]], _ keys: FuzzKeys) throws -> [[UInt8]] {
        guard let leaf = blocks.first else { return [] }
        var chain = [try FuzzKeys.signed(leaf, with: keys.issuing)]
        // More than are accepted, and no more than it takes to see that.
        for body in blocks.dropFirst().prefix(ChainVerifier.maximumCertificates) {
            chain.append(try FuzzKeys.signed(body, with: keys.root))
        }
        return chain.count > 1 ? chain : chain + [keys.issuingCertificate]
    }

    /// Holds what we read of a certificate against what swift-certificates reads. It looks into keys and signatures while it
    /// reads, and we do not before they are used: what it does not read need not be refused yet.
    private static func compare(_ der: [UInt8]) throws {
        guard let ours = try? CertificateFacts(der: der), let theirs = try? Certificate(derEncoded: der) else { return }
        try BrokenInvariant.require(
            ours.serial.bytes.drop { $0 == 0 } == theirs.serialNumber.bytes.drop { $0 == 0 }, "another serial number")
        try BrokenInvariant.require(
            Double(ours.notBefore.seconds) == theirs.notValidBefore.timeIntervalSince1970
                && Double(ours.notAfter.seconds) == theirs.notValidAfter.timeIntervalSince1970, "another validity")
        var isCA = false
        var pathLength: Int?
        if case .isCertificateAuthority(let length) = try theirs.extensions.basicConstraints {
            isCA = true
            pathLength = length
        }
        try BrokenInvariant.require(ours.isCA == isCA && ours.pathLength == pathLength, "other basic constraints")
        if let identity = ours.identity {
            try BrokenInvariant.require(try uris(of: theirs) == [identity.uri], "another identity")
        }
        for text in [ours.subject, ours.issuer, ours.keyAlgorithm] { try SpokenText.check(text) }
    }

    /// Checks an accepted chain's leaf by a parser and a signature check that are not the verifier's.
    private static func confirm(_ verified: VerifiedChain, of leaf: [UInt8], _ keys: FuzzKeys) throws {
        let certificate: Certificate
        do {
            certificate = try Certificate(derEncoded: leaf)
        } catch {
            throw BrokenInvariant("accepted, and unreadable to swift-certificates: \(error)")
        }
        let signers = [keys.issuing, keys.root].map { Certificate.PublicKey($0.publicKey) }
        try BrokenInvariant.require(
            signers.contains { $0.isValidSignature(certificate.signature, for: certificate) }, "accepted, and signed by nobody")
        try BrokenInvariant.require(try uris(of: certificate) == [verified.identity.uri], "another identity")
        try BrokenInvariant.require(verified.identity.trustDomain.name == "payments", "another trust domain")
        let now = Double(FuzzKeys.now.seconds)
        try BrokenInvariant.require(
            certificate.notValidBefore.timeIntervalSince1970 <= now && now <= certificate.notValidAfter.timeIntervalSince1970,
            "not of this time")
        if case .isCertificateAuthority = try certificate.extensions.basicConstraints {
            throw BrokenInvariant("a CA as the leaf")
        }
        guard let usage = try certificate.extensions.keyUsage, usage.digitalSignature, !usage.keyCertSign, !usage.cRLSign else {
            throw BrokenInvariant("a leaf of other key usage")
        }
        if let purposes = try certificate.extensions.extendedKeyUsage {
            try BrokenInvariant.require(
                purposes.contains(.serverAuth) && purposes.contains(.clientAuth), "a leaf of other purposes")
        }
    }

    private static func uris(of certificate: Certificate) throws -> [String] {
        try (certificate.extensions.subjectAlternativeNames ?? SubjectAlternativeNames([])).compactMap { name in
            guard case .uniformResourceIdentifier(let uri) = name else { return nil }
            return uri
        }
    }
}
