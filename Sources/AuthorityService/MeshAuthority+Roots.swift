internal import Authority
import CertificateProfiles
internal import PKI
internal import PKICrypto

/// A root with its key sealed, or in a token. It leaves the place where it is made only into the transaction that stores it.
struct NewRoot {
    /// With what the root itself says of its key and its life.
    var authority: CertificateAuthority
    var issuer: Issuer
    var key: IssuerKey
    /// Nil for one that was brought: it was not issued here.
    var record: CertificateRecord?
    /// The key itself, where it was made in a token.
    var tokenKey: PKCS11SigningKey?

    /// As the first root of a new certificate authority.
    func writes(at now: Timestamp) -> [LedgerWrite] { [.insertCertificateAuthority(authority, at: now)] + writes }

    /// As a further root of one that is there.
    var writes: [LedgerWrite] {
        (record.map { [.recordCertificate($0)] } ?? []) + [.insertIssuer(issuer, key: key)]
    }
}

extension MeshAuthority {
    /// The root of a new certificate authority: the one that was brought, or one made now.
    func root(
        for authority: CertificateAuthority, provided: ProvidedAuthority?, trustDomain: TrustDomain?, at now: Timestamp
    ) async throws(AuthorityError) -> NewRoot {
        if let provided { return try await keep(provided, for: authority) }
        guard authority.origin == .generated else {
            throw .conflict(detail: "the root of '\(authority.name)' was not sent with its key: send both")
        }
        return try await makeRoot(for: authority, trustDomain: trustDomain, at: now)
    }

    private func keep(
        _ provided: ProvidedAuthority, for authority: CertificateAuthority
    ) async throws(AuthorityError) -> NewRoot {
        var authority = authority
        authority.keyAlgorithm = provided.keyAlgorithm
        authority.expiration = provided.notAfter - provided.notBefore
        let id = IssuerID(random: SecureRandom.bytes(8))
        let pkcs8 = try cryptographically { try provided.key.pkcs8() }
        let sealedKey = try await ServiceKeys.seal(pkcs8, owner: authority.name, name: id.text, with: keyRing)
        let issuer = Issuer(
            id: id, certificateAuthority: authority.name, certificate: provided.certificate, serial: provided.serial,
            fingerprint: provided.fingerprint, keyFingerprint: provided.keyFingerprint, notBefore: provided.notBefore,
            notAfter: provided.notAfter)
        return NewRoot(authority: authority, issuer: issuer, key: .sealed(sealedKey), record: nil)
    }

    private func makeRoot(
        for authority: CertificateAuthority, trustDomain: TrustDomain?, at now: Timestamp
    ) async throws(AuthorityError) -> NewRoot {
        let id = IssuerID(random: SecureRandom.bytes(8))
        let serial = SerialNumber.random()
        let notBefore = (now - profiles.root.validity.backdate).wholeSeconds
        let notAfter = (now + authority.expiration).wholeSeconds
        let key = try await newRootKey(for: authority, id: id)
        let prepared = try cryptographically {
            try CertificateTemplate(
                root: profiles.root, id: id, trustDomain: authority.owner == nil ? nil : trustDomain,
                keyAlgorithm: authority.keyAlgorithm
            ).prepare(serial: serial, notBefore: notBefore, notAfter: notAfter, publicKey: key.signer.subjectPublicKeyInfo)
        }
        let record = CertificateRecord(
            serial: serial, kind: .root, mesh: authority.owner, certificateAuthority: authority.name, issuer: id,
            signedBy: serial, identity: nil, notBefore: notBefore, notAfter: notAfter, digest: prepared.digest,
            issuedAt: now, origin: nil)
        let certificate: [UInt8]
        do {
            certificate = try await prepared.sign(by: key.signer)
        } catch {
            let failure = AuthorityError(error, "making the root of '\(authority.name)'")
            await discard([key.inToken], because: failure)
            throw failure
        }
        let issuer = Issuer(
            id: id, certificateAuthority: authority.name, certificate: certificate, serial: serial,
            fingerprint: Fingerprint(sha256: Digest.sha256(certificate)),
            keyFingerprint: Fingerprint(sha256: Digest.sha256(key.signer.subjectPublicKeyInfo)), notBefore: notBefore,
            notAfter: notAfter)
        return NewRoot(authority: authority, issuer: issuer, key: key.stored, record: record, tokenKey: key.inToken)
    }

    /// The provided roots of a mesh's backends, checked, by backend name; those that are there already are left out.
    nonisolated func providedRoots(
        of mesh: Mesh, keys: [String: ProvidedKey], in state: AuthorityState, reach: Set<MeshName>?, at now: Timestamp
    ) throws(AuthorityError) -> (checked: [String: ProvidedAuthority], warnings: [String]) {
        var checked: [String: ProvidedAuthority] = [:]
        var warnings: [String] = []
        var problems: [InvalidParameter] = []
        for (index, backend) in (mesh.mtls?.backends ?? []).enumerated() {
            guard case .provided(let certificate) = backend.kind else { continue }
            let root = keys[backend.name].map { ProvidedRoot(certificate: certificate, key: $0) }
            let name = mesh.certificateAuthorityName(of: backend)
            do throws(ProvidedRootRefusal) {
                guard
                    let provided = try check(
                        root, certificate: certificate, authority: name, trustDomains: [mesh.trustDomain], in: state, at: now)
                else { continue }
                checked[backend.name] = provided
                try state.confirm(provided, for: mesh)
                warnings += state.warnings(about: provided, in: name, reach: reach)
            } catch {
                problems += error.problems.map {
                    InvalidParameter(field: "mtls.backends[\(index)].conf.\($0.field)", reason: $0.reason)
                }
            }
        }
        guard problems.isEmpty else { throw .invalid(problems) }
        return (checked, warnings)
    }

    /// A root that was brought, checked; nil for one that the certificate authority has already.
    nonisolated func check(
        _ root: ProvidedRoot?, certificate: [UInt8], authority: String, trustDomains: [TrustDomain],
        in state: AuthorityState, at now: Timestamp
    ) throws(ProvidedRootRefusal) -> ProvidedAuthority? {
        let kept = state.issuers.values.first { $0.certificateAuthority == authority && $0.certificate == certificate }
        switch root?.key {
        case .pem(let pem):
            let provided: ProvidedAuthority
            do {
                provided = try ProvidedAuthority(certificate: certificate, key: pem, trustDomains: trustDomains, now: now)
            } catch {
                throw ProvidedRootRefusal(
                    problems: error.problems.map { problem in
                        switch problem.field {
                        case .certificate: InvalidParameter(field: "cert", reason: problem.reason)
                        case .key: InvalidParameter(field: "key", reason: problem.reason)
                        }
                    })
            }
            return kept == nil ? provided : nil
        case .fingerprint(let fingerprint):
            if let kept, kept.keyFingerprint == fingerprint { return nil }
            let reason =
                kept == nil
                ? "is not the key of a root that '\(authority)' has: send the key itself"
                : "is not that of the key which '\(authority)' has: send the key itself, or the fingerprint that was read"
            throw ProvidedRootRefusal(problems: [InvalidParameter(field: "key", reason: reason)])
        case nil:
            throw ProvidedRootRefusal(problems: [InvalidParameter(field: "key", reason: "has to be defined")])
        }
    }
}

/// Everything that is wrong with a root that was brought, by field: `cert` or `key`.
struct ProvidedRootRefusal: Error {
    var problems: [InvalidParameter]
}

extension AuthorityState {
    /// One key in two certificate authorities: whoever holds it can sign for both.
    func warnings(about provided: ProvidedAuthority, in authority: String, reach: Set<MeshName>?) -> [String] {
        issuers.values.filter { $0.certificateAuthority != authority && $0.keyFingerprint == provided.keyFingerprint }
            .map(\.certificateAuthority).sorted().map { other in
                let isKnown = reach.map { $0.isSuperset(of: dependents(of: other)) } ?? true
                return
                    "the key of '\(authority)' is also that of \(isKnown ? "the CA '\(other)'" : "another CA"): whoever holds it "
                    + "can sign for both; to share a CA on purpose, use 'signet ca share'"
            }
    }

    /// Under one key in two certificate authorities, only name constraints keep one mesh from speaking for the other.
    fileprivate func confirm(_ provided: ProvidedAuthority, for mesh: Mesh) throws(ProvidedRootRefusal) {
        let others = holders(ofKey: provided.keyFingerprint, besides: mesh.name)
        guard !others.isEmpty, !mesh.nameConstraints || others.contains(where: { !$0.nameConstraints }) else { return }
        throw ProvidedRootRefusal(problems: [
            InvalidParameter(
                field: "key",
                reason: "is also that of a CA of another mesh, and nameConstraints is false for one of the two: bring another key"
            )
        ])
    }
}
