package import NIOHPACK

/// Which calls a server answers.
package struct CallRouter: Sendable {
    /// Makes the handler of a call that begins; called on the call's event loop. The headers are not kept by the transport.
    package typealias Opening = @Sendable (_ call: Call, _ headers: HPACKHeaders) -> any CallHandler

    private let openings: [String: Opening]

    /// By path, such as `/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets`. Every other path is answered with
    /// `unimplemented`.
    package init(_ openings: [String: Opening]) {
        self.openings = openings
    }

    /// The paths that are answered.
    package var paths: [String] { openings.keys.sorted() }

    subscript(path: String) -> Opening? { openings[path] }
}
