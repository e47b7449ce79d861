internal import Authority
import JWTKit
internal import PKI

extension Snapshot {
    /// The claims of a dataplane token that one of the meshes' keys signed. Times are the core's to judge.
    func dataplaneClaims(of token: String, at now: Timestamp) async throws(Refusal) -> TokenClaims {
        let key = try verificationKey(of: token, at: now)
        guard let mesh = key.mesh else { throw .tokenInvalid(detail: "it is an admin token, and this needs a dataplane token") }
        let payload: DataplaneTokenPayload = try await Snapshot.payload(of: token, verifiedWith: key)
        return TokenClaims(
            keyMesh: mesh, mesh: payload.mesh, name: payload.name, tags: payload.tags, id: payload.jti,
            notBefore: Timestamp(seconds: payload.nbf), expiresAt: Timestamp(seconds: payload.exp))
    }

    /// The payload of an admin token that is valid now and not revoked.
    func administratorClaims(of token: String, at now: Timestamp) async throws(Refusal) -> UserTokenPayload {
        let key = try verificationKey(of: token, at: now)
        guard key.mesh == nil else { throw .tokenInvalid(detail: "it is a dataplane token, and this needs an admin token") }
        let payload: UserTokenPayload = try await Snapshot.payload(of: token, verifiedWith: key)
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

    private static func payload<Payload: JWTPayload>(
        of token: String, verifiedWith key: TokenVerificationKey
    ) async throws(Refusal) -> Payload {
        do {
            return try await key.payload(of: token, as: Payload.self)
        } catch {
            throw .tokenInvalid(detail: "its signature or claims do not verify")
        }
    }
}
