/// The body of `POST /rotations/{id}/advance`, `/pause`, `/resume` and `/abort`, all of which may be left out.
package struct RotationOrderMessage: Sendable, Hashable {
    /// Leave behind whoever holds the gate; only to advance.
    package var force: Bool
    /// Why, for the audit trail; to force, it is needed.
    package var reason: String?

    package init(force: Bool = false, reason: String? = nil) {
        self.force = force
        self.reason = reason
    }

    /// Reads a request strictly, naming every fault; `canForce` where the order has a gate to go through.
    package init(_ node: DocumentNode, canForce: Bool) throws(DocumentError) {
        var reader = FieldReader()
        guard let fields = reader.fields(of: node, path: "", known: canForce ? ["force", "reason"] : ["reason"]) else {
            throw DocumentError(issues: reader.issues)
        }
        force = reader.flag(fields, "force") ?? false
        reason = reader.reason(fields)
        if force, !fields.contains("reason") {
            reader.fault(fields.line, "reason", "is missing: say why those who hold the gate are left behind")
        }
        try reader.finish()
    }

    /// As a request to the server carries it.
    package var json: JSONValue {
        var members: [JSONValue.Member] = []
        if force { members.append(.init("force", .bool(true))) }
        if let reason { members.append(.init("reason", .string(reason))) }
        return .object(members)
    }
}
