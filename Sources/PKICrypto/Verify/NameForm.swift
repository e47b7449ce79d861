import X509

/// The forms of a GeneralName (RFC 5280 §4.2.1.6); a name constraint speaks of names of its own form only.
enum NameForm: Hashable {
    case directory, dns, ediParty, email, ip, other, registeredID, uri, x400

    init(_ name: GeneralName) {
        self =
            switch name {
            case .directoryName: .directory
            case .dnsName: .dns
            case .ediPartyName: .ediParty
            case .ipAddress: .ip
            case .otherName: .other
            case .registeredID: .registeredID
            case .rfc822Name: .email
            case .uniformResourceIdentifier: .uri
            case .x400Address: .x400
            }
    }
}
