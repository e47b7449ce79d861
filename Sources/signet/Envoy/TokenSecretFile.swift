import AdminWire
import Listeners

/// The small SDS file through which Envoy reads the token, and reads it again whenever its file is replaced.
///
/// Envoy takes a header's value from a file only by way of a secret; the directory is watched, so the token file must be
/// replaced by rename, which every careful writer does anyway.
enum TokenSecretFile {
    static let secretName = "signet-token"

    /// Beside the token file, its name with `.sds.yaml` appended.
    static func path(for tokenFile: String) -> String { tokenFile + ".sds.yaml" }

    /// It holds the token's path, not the token.
    static func write(for tokenFile: String) throws(DoorFailure) {
        try DurableFile.write(Array(text(for: tokenFile).utf8), to: path(for: tokenFile), mode: 0o644)
    }

    static func text(for tokenFile: String) -> String {
        let secret: JSONValue = .object([
            .init("@type", .string("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret")),
            .init("name", .string(secretName)),
            .init(
                "generic_secret",
                .object([.init("secret", .object([.init("filename", .string(tokenFile))]))])),
        ])
        return JSONValue.object([.init("resources", .array([secret]))]).yaml
    }
}
