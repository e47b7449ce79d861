import COpenSSL

/// The curve P-256, set up once: by name it costs more than a key. Never changed after this, so every thread may read it.
enum P256Curve {
    /// The `EC_GROUP`, for the life of the process.
    static var group: OpaquePointer { curve.group }
    /// How many points the generator has; private keys are below it.
    static var order: OpaquePointer { curve.order }

    private nonisolated(unsafe) static let curve: (group: OpaquePointer, order: OpaquePointer) = {
        guard let group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1), let order = EC_GROUP_get0_order(group) else {
            preconditionFailure("this OpenSSL has no P-256")
        }
        return (group, order)
    }()
}
