import AdminWire
import ArgumentParser

/// `signet get cas`.
struct GetAuthorities: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cas", abstract: "All certificate authorities.", discussion: "Example: signet get cas")

    @OptionGroup var options: GetOptions

    func run() async throws {
        try await AdminClient.with(options.server) { client in
            let list = try await client.list("/certificate-authorities")
            try options.print(list) { list in
                var table = TextTable("NAME", "KEY", "EXPIRATION", "ORIGIN", "OWNER", "MESHES", "ISSUERS")
                for authority in list["items"]?.elements ?? [] {
                    table.add(
                        authority["name"]?.text ?? "", authority["keyType"]?.text ?? "", authority["expiration"]?.text ?? "",
                        authority["origin"]?.text ?? "", authority["owner"]?.text ?? "",
                        GetAuthorities.texts(authority["meshes"]), GetAuthorities.texts(authority["currentIssuers"]))
                }
                return table.text
            }
        }
    }

    private static func texts(_ value: JSONValue?) -> String {
        (value?.elements ?? []).compactMap(\.text).joined(separator: ",")
    }
}

/// `signet get ca NAME`: the authority and its roots.
struct GetAuthority: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca", abstract: "One certificate authority with its roots.",
        discussion: "Example: signet get ca default.ca-1")

    @Argument(help: "The certificate authority's name; a mesh's own is <mesh>.<backend>.")
    var name: String

    @OptionGroup var options: GetOptions

    func validate() throws { try checkName(name) }

    func run() async throws {
        try await AdminClient.with(options.server) { client in
            let path = "/certificate-authorities/" + PathText.segment(name)
            let authority = try client.json(try await client.send("GET", path))
            let issuers = try await client.list(path + "/issuers")
            guard case .object(let members) = authority else { throw CommandFailure.failed("the server's answer is no document") }
            let whole = JSONValue.object(
                members.map { $0.key == "issuers" ? .init("issuers", issuers["items"] ?? .array([])) : $0 })
            try options.print(whole) { whole in
                var table = TextTable("ISSUER", "STATE", "NOT AFTER", "FINGERPRINT")
                for issuer in whole["issuers"]?.elements ?? [] {
                    table.add(
                        issuer["id"]?.text ?? "", GetAuthority.state(issuer), issuer["notAfter"]?.text ?? "",
                        issuer["fingerprint"]?.text ?? "")
                }
                return GetAuthority.headline(whole) + "\n" + table.text
            }
        }
    }

    /// What an issuer is to each mesh, and before all whether it was revoked: that holds where no mesh uses it too.
    static func state(_ issuer: JSONValue) -> String {
        let uses = (issuer["uses"]?.elements ?? []).map { "\($0["mesh"]?.text ?? "?"): \($0["state"]?.text ?? "?")" }
        return ((issuer["revokedAt"]?.text == nil ? [] : ["revoked"]) + uses).joined(separator: ", ")
    }

    /// What the roots are made from, and how they are replaced.
    static func headline(_ authority: JSONValue) -> String {
        let root =
            authority["keyType"]?.text.map { "\($0), \(authority["expiration"]?.text ?? "?")" } ?? "a root that was brought"
        let name = authority["name"]?.text ?? "?"
        let rotation = authority["rotation"]
        let start =
            switch (authority["origin"]?.text, authority["owner"]?.text, rotation?["automatic"]) {
            case ("provided", let owner?, _): "replaced by you, in the document of mesh '\(owner)'"
            case ("provided", nil, _): "replaced by you, with 'signet ca rotate \(name) --cert FILE --key FILE'"
            case (_, _, .bool(false)): "rotated by hand"
            default: "rotated automatically"
            }
        let line =
            "\(name): \(root); \(start), old roots kept until \(rotation?["retireAfter"]?.text ?? "?")"
        guard authority["automaticHeld"] == .bool(true) else { return line }
        return line + "\nrotations by the root's age are held since one was aborted: 'signet rotation resume "
            + "\(authority["automaticHeldBy"]?.text ?? "ID")' lets them go on"
    }
}
