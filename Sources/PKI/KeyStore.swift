/// Where a certificate authority's root keys live.
package enum KeyStore: Hashable, Sendable, Codable {
    /// Sealed, in the database.
    case database
    /// In a token that is reached by a PKCS #11 module, which they never leave.
    case pkcs11(TokenLocation)

    /// Whether a key that is in the one is found by the other: a token is known by its label, through whichever module.
    package func isSamePlace(as other: KeyStore) -> Bool {
        switch (self, other) {
        case (.database, .database): true
        case (.pkcs11(let own), .pkcs11(let others)): own.token == others.token
        case (.database, .pkcs11), (.pkcs11, .database): false
        }
    }
}

/// How a PKCS #11 token is reached: the module to load, the token's label, and the file with the user PIN.
package struct TokenLocation: Hashable, Sendable, Codable {
    /// An absolute path.
    package var module: String
    /// The label that the token was initialised with, at most 32 octets.
    package var token: String
    /// An absolute path; the file is read at each login, and its contents go nowhere but to the token.
    package var pinFile: String

    package init(module: String, token: String, pinFile: String) {
        self.module = module
        self.token = token
        self.pinFile = pinFile
    }
}

/// The key of an issuer at rest.
package enum IssuerKey: Hashable, Sendable {
    case sealed(SealedKey)
    case token(TokenKeyReference)
}

/// Names a private key that lives in a PKCS #11 token; worth nothing without the token and its PIN.
package struct TokenKeyReference: Hashable, Sendable, Codable {
    /// Where the key was made. The certificate authority's own setting goes before it while the token's label is the same, so
    /// that a module or PIN file may move.
    package var location: TokenLocation
    /// CKA_ID, lower-case hexadecimal.
    package var id: String

    package init(location: TokenLocation, id: String) {
        self.location = location
        self.id = id
    }

    /// Where the key is now, for a certificate authority with this key store.
    package func location(in keyStore: KeyStore) -> TokenLocation {
        if case .pkcs11(let current) = keyStore, current.token == location.token { current } else { location }
    }
}
