internal import Authority
internal import PKI

extension Snapshot {
    /// The claims of a dataplane token that one of the meshes' keys signed. Times are the core's to judge.
    func dataplaneClaims(of token: String, at now: Timestamp) async throws(Refusal) -> TokenClaims {
        try await verificationKey(of: token, at: now).dataplaneClaims(of: token)
    }

    /// The payload of an admin token that is valid now and not revoked.
    func administratorClaims(of token: String, at now: Timestamp) async throws(Refusal) -> UserTokenPayload {
        let key = try verificationKey(of: token, at: now)
        guard key.mesh == nil else { throw .tokenInvalid(detail: "it is a dataplane token, and this needs an admin token") }
        let payload: UserTokenPayload = try await key.verifiedPayload(of: token)
        guard TokenVerificationKey.times.contains(payload.nbf), TokenVerificationKey.times.contains(payload.exp) else {
            throw .tokenInvalid(detail: "its times are none")
        }
        guard Timestamp(seconds: payload.nbf) <= now else { throw .tokenNotYetValid(from: Timestamp(seconds: payload.nbf)) }
        guard now < Timestamp(seconds: payload.exp) else { throw .tokenExpired(at: Timestamp(seconds: payload.exp)) }
        guard !authority.revokedTokens.contains(payload.jti) else { throw .tokenRevoked(id: payload.jti) }
        return payload
    }

    private func verificationKey(of token: String, at now: Timestamp) throws(Refusal) -> TokenVerificationKey {
        guard let id = TokenVerificationKey.keyID(of: token) else {
            throw .tokenInvalid(detail: "it does not have the shape of a token")
        }
        guard let key = tokenKeys[id], key.endsAt.map({ now < $0 }) ?? true else {
            throw .tokenInvalid(detail: "it was signed with no key of this service")
        }
        return key
    }
}
