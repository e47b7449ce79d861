import X509

/// A name that a certificate signing request asks for: its form, and its value as text.
struct RequestedName: Hashable, Sendable {
    let form: NameForm
    let text: String

    init(_ name: GeneralName) {
        form = NameForm(name)
        text =
            switch name {
            case .uniformResourceIdentifier(let uri): uri
            case .dnsName(let domain): "DNS:\(domain)"
            case .directoryName, .ediPartyName, .ipAddress, .otherName, .registeredID, .rfc822Name, .x400Address: "\(name)"
            }
    }

    init(uri: String) {
        form = .uri
        text = uri
    }
}
