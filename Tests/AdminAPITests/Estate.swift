import AdminWire
import Authority
import AuthorityService
import PKI
import Testing

/// One of everything, so that each route has something to speak of: the mesh `home` and what belongs to it.
///
/// `home` and `annex` share the certificate authority `corp`, a door leads from the one to the other, `home` has a service, a
/// token, certificates and a rotation. The mesh `abroad` has nothing to do with any of it.
struct Estate: Sendable {
    static let meshes = ["home", "annex"]
    static let strange = "abroad"

    let issuer: String
    let rotation: String
    /// The id of a dataplane token of `home`.
    let token: String

    static func make(in bench: AdminBench) async throws -> Estate {
        for name in meshes + [strange] { try await bench.putMesh(name) }
        #expect(
            try await bench.put("/certificate-authorities/corp", #"{"type":"CertificateAuthority","name":"corp"}"#).status == 201)
        for name in meshes {
            let answer = try await bench.send(.put, "/certificate-authorities/corp/meshes/\(name)")
            #expect(answer.status == 201, "\(answer.text)")
        }
        try await bench.putDoor("inner", from: #"{"mesh":"annex"}"#, to: #"{"mesh":"home"}"#)
        #expect(try await bench.put("/meshes/home/meshservices/api", service).status == 201)
        _ = try await bench.dataplaneToken(mesh: "home", service: "api")
        let state = bench.authority.state
        let home = try MeshName("home")
        return Estate(
            issuer: try #require(state.issuers.values.first { $0.certificateAuthority == "corp" }).id.text,
            rotation: try #require(state.rotations.values.first { $0.rotation.meshes == [home] }).rotation.id,
            token: try await bench.newestTokenID())
    }

    static let service =
        #"{"type":"MeshService","mesh":"home","name":"api","spec":{"selector":{"dataplaneTags":{"kuma.io/service":"api"}},"ports":[{"port":80}]}}"#

    /// The value of a path's parameter.
    func value(of parameter: String, in path: String) -> String {
        switch parameter {
        case "ca": "corp"
        case "id": path.hasPrefix("/rotations") ? rotation : issuer
        case "mesh": "home"
        case "name": path.hasPrefix("/cross-mesh-accesses") ? "inner" : path.contains("meshservices") ? "api" : "web-1"
        default: ""
        }
    }

    /// A body about the estate, for each route whose body says which meshes it is about.
    func body(of route: String) -> String? {
        switch route {
        case "POST /certificate-authorities/{ca}/issuers/{id}/revoke": #"{"reason":"drill"}"#
        case "POST /certificate-authorities/{ca}/rotations": #"{"manual":true}"#
        case "POST /rotations/{id}/abort", "POST /rotations/{id}/advance", "POST /rotations/{id}/pause",
            "POST /rotations/{id}/resume":
            #"{"reason":"drill"}"#
        case "POST /tokens/dataplane": #"{"mesh":"home","tags":{"kuma.io/service":["web"]}}"#
        case "POST /tokens/revocations": #"{"identity":"spiffe://home/nobody"}"#
        case "POST /trust/check": #"{"from":"spiffe://home/web","to":"spiffe://annex/api"}"#
        case "PUT /cross-mesh-accesses/{name}":
            #"{"type":"CrossMeshAccess","name":"inner","from":{"mesh":"annex"},"to":{"mesh":"home"}}"#
        default: nil
        }
    }
}
