/// What a simulated proxy asks for.
enum SecretName: String, Sendable {
    case identity = "default"
    case bundle = "ROOTCA"
    /// A bundle again, under a name that no proxy holds: what is asked for it after a first request is answered after that request
    /// was dealt with, so that silence until then is known to be the whole answer.
    case barrier = "ALL"

    var octets: [UInt8] { Array(rawValue.utf8) }
}
