extension Mesh {
    /// The shared certificate authorities that its backends name, enabled or not.
    package var sharedAuthorities: Set<String> {
        Set((mtls?.backends ?? []).compactMap { if case .shared(let name) = $0.kind { name } else { nil } })
    }

    /// The shared certificate authority that issues; nil where none or its own does.
    package var enabledShared: String? {
        if case .shared(let name)? = enabledBackend?.kind { name } else { nil }
    }

    /// The mesh with a backend for the shared certificate authority, enabled: what `ca share` writes.
    ///
    /// The new backend takes mode and leaf life over from the one that was enabled.
    package func sharing(_ authority: String) -> Mesh {
        var next = self
        var mtls = next.mtls ?? MTLS(enabledBackend: nil, backends: [])
        if let backend = mtls.backends.first(where: { $0.kind == .shared(authority: authority) }) {
            mtls.enabledBackend = backend.name
        } else {
            let name = mtls.freeName(from: authority)
            let backend = Backend(
                shared: authority, name: name, mode: enabledBackend?.mode ?? .strict, leafLifetime: enabledBackend?.leafLifetime)
            mtls.backends.append(backend)
            mtls.enabledBackend = name
        }
        next.mtls = mtls
        return next
    }

    /// The mesh without the shared certificate authority: back to the backend of the certificate authority `before`, else to
    /// another one of its own, else to a new builtin one. What `ca unshare` writes.
    package func leaving(_ authority: String, for before: String?) -> Mesh {
        var next = self
        var mtls = next.mtls ?? MTLS(enabledBackend: nil, backends: [])
        let enabled = enabledBackend
        mtls.backends.removeAll { $0.kind == .shared(authority: authority) }
        let back =
            mtls.backends.first { certificateAuthorityName(of: $0) == before }
            ?? mtls.backends.first { if case .shared = $0.kind { false } else { true } }
        if let back {
            mtls.enabledBackend = back.name
        } else {
            let name = mtls.freeName(from: "ca-1")
            mtls.backends.append(
                Backend(builtin: name, mode: enabled?.mode ?? .strict, leafLifetime: enabled?.leafLifetime))
            mtls.enabledBackend = name
        }
        next.mtls = mtls
        return next
    }

    /// The mesh on its way back: as it was before it went from the certificate authority `before` to `authority`; nil where no
    /// backend names that any more.
    package func returning(to before: String, from authority: String) -> Mesh? {
        if enabledShared == authority { return leaving(authority, for: before) }
        guard let back = mtls?.backends.first(where: { certificateAuthorityName(of: $0) == before }) else { return nil }
        var next = self
        next.mtls?.enabledBackend = back.name
        return next
    }
}

extension Mesh.MTLS {
    /// `wanted`, or with the first number behind it that no backend has.
    fileprivate func freeName(from wanted: String) -> String {
        let taken = Set(backends.map(\.name))
        guard taken.contains(wanted) else { return wanted }
        // A DNS label has 63 octets at most.
        let stem = String(wanted.prefix(59))
        return (2...).lazy.map { "\(stem)-\($0)" }.first { !taken.contains($0) } ?? wanted
    }
}

extension Mesh.Backend {
    fileprivate init(shared authority: String, name: String, mode: Mode, leafLifetime: Duration?) {
        self.init(
            name: name, kind: .shared(authority: authority), mode: mode, leafLifetime: leafLifetime,
            document: Self.document(
                name: name, type: "shared", conf: #","conf":{"authority":"\#(authority)"}"#, mode: mode,
                leafLifetime: leafLifetime))
    }

    fileprivate init(builtin name: String, mode: Mode, leafLifetime: Duration?) {
        self.init(
            name: name, kind: .builtin(keyAlgorithm: .ecP256, expiration: .seconds(10 * 365 * 86_400)), mode: mode,
            leafLifetime: leafLifetime,
            document: Self.document(name: name, type: "builtin", conf: "", mode: mode, leafLifetime: leafLifetime))
    }

    /// As an operator would have written it. The names are DNS labels: nothing needs escaping.
    private static func document(
        name: String, type: String, conf: String, mode: Mode, leafLifetime: Duration?
    ) -> String {
        var text = #"{"name":"\#(name)","type":"\#(type)""# + conf
        if mode != .strict { text += #","mode":"\#(mode.rawValue)""# }
        if let leafLifetime {
            text += #","dpCert":{"rotation":{"expiration":"\#(written(leafLifetime))"}}"#
        }
        return text + "}"
    }

    /// In the largest unit that says it exactly.
    private static func written(_ duration: Duration) -> String {
        let milliseconds = Int64(duration / .milliseconds(1))
        let units: [(Int64, String)] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")]
        let (size, unit) = units.first { milliseconds % $0.0 == 0 } ?? (1, "ms")
        return "\(milliseconds / size)\(unit)"
    }
}
