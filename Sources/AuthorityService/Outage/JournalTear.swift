/// What a crash left of a step behind the last whole one, and the next opening cut off the journal.
package struct JournalTear: Hashable, Sendable {
    /// The journal's file.
    package let path: String
    /// Where it began.
    package let offset: Int
    package let octets: Int
    /// The file that has it now; nil: it could not be written.
    package let copy: String?
}
