import Foundation
import PKI
import PKICrypto
import SwiftASN1
import Testing
import X509

/// Random damage: nothing crashes, and nothing that was signed can be changed without a refusal.
@Suite struct `Damaged certificates` {
    /// Printed with each failure; put it here to see the same damage again.
    private static let seed = UInt64.random(in: .min ... .max)

    @Test func `a chain with one changed bit is refused`() throws {
        var random = SplitMix(seed: Self.seed)
        var hierarchy = CertificateHierarchy()
        hierarchy.issuing.nameConstraints = Forge.constraints()
        let chain = try hierarchy.chain()
        let verifier = try ChainVerifier(roots: [Forge.domain("payments"): [try hierarchy.root.selfSigned()]])
        for round in 0..<3000 {
            var changed = chain
            let certificate = Int.random(in: 0..<changed.count, using: &random)
            let byte = Int.random(in: 0..<changed[certificate].count, using: &random)
            let bit = UInt8.random(in: 0..<8, using: &random)
            changed[certificate][byte] ^= 1 << bit
            #expect(throws: ChainRefusal.self, "seed \(Self.seed) round \(round): bit \(bit) of byte \(byte)") {
                try verifier.verify(chain: changed, at: Forge.now)
            }
        }
    }

    @Test func `heavier damage is refused or read as swift-certificates reads it`() throws {
        var random = SplitMix(seed: Self.seed)
        var blueprint = CertificateBlueprint.issuing()
        blueprint.nameConstraints = Forge.constraints()
        blueprint.purposes = [.serverAuth, .clientAuth]
        let samples = [try blueprint.selfSigned(), try CertificateBlueprint.leaf().signed(by: blueprint)]
        var readByBoth = 0
        for round in 0..<20_000 {
            let damaged = random.damaged(samples[round % samples.count])
            guard let ours = try? CertificateFacts(der: damaged), let theirs = try? Certificate(derEncoded: damaged) else {
                continue
            }
            readByBoth += 1
            let comment: Comment = "seed \(Self.seed) round \(round): \(Hex.encode(damaged))"
            let serial = theirs.serialNumber.bytes.drop { $0 == 0 }
            #expect(ours.serial.bytes.drop { $0 == 0 } == serial, comment)
            #expect(Double(ours.notAfter.seconds) == theirs.notValidAfter.timeIntervalSince1970, comment)
            #expect(Double(ours.notBefore.seconds) == theirs.notValidBefore.timeIntervalSince1970, comment)
            let constraints = try theirs.extensions.basicConstraints
            let isCA = if case .isCertificateAuthority = constraints { true } else { false }
            #expect(ours.isCA == isCA, comment)
        }
        #expect(readByBoth > 1000)
    }

    @Test func `a request with one changed bit is refused`() throws {
        var random = SplitMix(seed: Self.seed)
        let request = try CSRBlueprint(names: [.uniformResourceIdentifier("spiffe://payments/api")]).der()
        for round in 0..<2000 {
            var changed = request
            let byte = Int.random(in: 0..<changed.count, using: &random)
            let bit = UInt8.random(in: 0..<8, using: &random)
            changed[byte] ^= 1 << bit
            #expect(throws: CSRRefusal.self, "seed \(Self.seed) round \(round): bit \(bit) of byte \(byte)") {
                try PKICrypto.CertificateSigningRequest(der: changed)
            }
        }
        for _ in 0..<5000 {
            _ = try? PKICrypto.CertificateSigningRequest(der: random.damaged(request))
        }
    }
}

/// A generator with a seed (SplitMix64), so that damage can be repeated.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// One to four changes: a byte set, a bit flipped, bytes removed, repeated or put in.
    mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &self) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &self)
            switch Int.random(in: 0..<6, using: &self) {
            case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &self)
            case 1, 2, 3: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            case 4: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...4, using: &self)))
            default:
                bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + Int.random(in: 1...8, using: &self))], at: place)
            }
        }
        return bytes
    }
}
