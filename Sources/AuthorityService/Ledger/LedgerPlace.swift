package import PKI

/// Where the ledger has a certificate: by its serial, in the week of its end. Whoever holds the certificate knows both.
package struct LedgerPlace: Hashable, Sendable {
    package var serial: SerialNumber
    package var notAfter: Timestamp

    package init(serial: SerialNumber, notAfter: Timestamp) {
        self.serial = serial
        self.notAfter = notAfter
    }
}
