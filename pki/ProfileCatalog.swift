package import PKI

/// The profiles of the four kinds of certificate, read from `pki/profiles`, which the build embeds in the program.
package struct ProfileCatalog: Hashable, Sendable {
    package let root: CertificateProfile
    package let issuing: CertificateProfile
    package let leaf: CertificateProfile
    package let cross: CertificateProfile

    /// Parses the embedded files; throws at the first mistake in them, so that a service with a bad profile does not start.
    package static func embedded() throws(ProfileError) -> ProfileCatalog {
        func profile(_ kind: CertificateRecord.Kind, _ contents: [UInt8]) throws(ProfileError) -> CertificateProfile {
            let file = "pki/profiles/\(kind.rawValue).yaml"
            let profile = try CertificateProfile(yaml: String(decoding: contents, as: UTF8.self), file: file)
            guard profile.kind == kind else {
                throw ProfileError(file: file, line: 1, field: "kind", problem: "must be '\(kind.rawValue)', as the file's name")
            }
            return profile
        }
        return ProfileCatalog(
            root: try profile(.root, PackageResources.root_yaml),
            issuing: try profile(.issuing, PackageResources.issuing_yaml),
            leaf: try profile(.leaf, PackageResources.leaf_yaml),
            cross: try profile(.cross, PackageResources.cross_yaml))
    }
}
