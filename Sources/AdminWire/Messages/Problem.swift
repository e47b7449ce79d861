/// An error of the admin API (RFC 9457, `application/problem+json`), with Kuma's members beside the standard ones.
package struct Problem: Codable, Sendable, Hashable {
    /// One field of the request that is wrong.
    package struct Parameter: Codable, Sendable, Hashable {
        /// A dotted path, such as `mtls.backends[0].name`, or the name of a query parameter or header.
        package var field: String
        package var reason: String

        package init(field: String, reason: String) {
            self.field = field
            self.reason = reason
        }
    }

    /// `/std-errors`, as Kuma's; the status tells errors apart.
    package var type: String
    package var title: String
    package var status: Int
    /// What is wrong and what to do about it.
    package var detail: String
    /// The request id, for the server's log.
    package var instance: String
    /// Stable and kebab-case, where a credential or chain was refused.
    package var reason: String?
    package var invalidParameters: [Parameter]?

    package init(
        title: String, status: Int, detail: String, instance: String, reason: String? = nil, invalidParameters: [Parameter]? = nil
    ) {
        self.type = "/std-errors"
        self.title = title
        self.status = status
        self.detail = detail
        self.instance = instance
        self.reason = reason
        self.invalidParameters = invalidParameters
    }

    private enum CodingKeys: String, CodingKey {
        case detail, instance, reason, status, title, type
        case invalidParameters = "invalid_parameters"
    }
}
