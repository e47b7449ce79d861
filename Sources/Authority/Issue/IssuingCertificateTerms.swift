package import PKI

/// How long a mesh's issuing certificate lives, and when the next replaces it.
package enum IssuingCertificateTerms {
    /// As long as the profile says, never past the root.
    package static func notAfter(lifetime: Duration, rootNotAfter: Timestamp, at now: Timestamp) -> Timestamp {
        min((now + lifetime).wholeSeconds, rootNotAfter)
    }

    /// At half of its life, or as soon as a full leaf no longer fits, unless the root's own end is what bounds it.
    package static func isDue(
        notBefore: Timestamp, notAfter: Timestamp, leafLifetime: Duration, rootNotAfter: Timestamp, at now: Timestamp
    ) -> Bool {
        if now.milliseconds >= (notBefore.milliseconds + notAfter.milliseconds) / 2 {
            return notAfter < rootNotAfter || now >= notAfter
        }
        return now + leafLifetime > notAfter && notAfter < rootNotAfter
    }
}
