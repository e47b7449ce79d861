import Foundation
import JWTKit

/// The claims of a dataplane token, as they stand in the JWT.
struct DataplaneTokenPayload: JWTPayload {
    var mesh: String
    var name: String
    var tags: [String: [String]]
    var jti: String
    /// Seconds since the epoch, as are the others.
    var iat: Int64
    var nbf: Int64
    var exp: Int64

    /// The signature alone is judged here: times and the rest are facts for the core.
    func verify(using algorithm: some JWTAlgorithm) async throws {}
}

/// The claims of an admin token.
struct UserTokenPayload: JWTPayload {
    var sub: String
    var roles: [AdministratorRole]
    /// The meshes that the roles hold for; absent: all.
    var meshes: [String]?
    var jti: String
    var iat: Int64
    var nbf: Int64
    var exp: Int64

    func verify(using algorithm: some JWTAlgorithm) async throws {}
}
