import Foundation
import Listeners
import Synchronization
import TestSupport
import Testing

@Suite struct TLSDoorTests {
    @Test func `TLS 1_3 is spoken and TLS 1_2 is refused`() async throws {
        try await Workspace.open("tls") { workspace in
            let open = try OpenDoor(in: workspace)
            try await whileServing(open.door()) { _ async throws in
                let modern = try await open.request()
                #expect(modern.isAnswered && modern.output.contains("TLSv1.3"), "\(modern)")
                let old = try await open.request("-tls1_2")
                #expect(!old.isAnswered && (old.output + old.errors).contains("protocol version"), "\(old)")
            }
        }
    }

    @Test func `TLS 1_2 is spoken where it is asked for`() async throws {
        try await Workspace.open("tls") { workspace in
            let open = try OpenDoor(in: workspace)
            try await whileServing(open.door(minimum: .tls12)) { _ async throws in
                #expect(try await open.request("-tls1_2").isAnswered)
                #expect(try await open.request("-tls1_1").isAnswered == false)
            }
        }
    }

    @Test func `The serving certificate verifies for the names it was issued for and no other`() async throws {
        try await Workspace.open("tls") { workspace in
            let open = try OpenDoor(in: workspace)
            try await whileServing(open.door()) { _ async throws in
                #expect(try await open.request("-verify_hostname", "localhost").isAnswered)
                #expect(try await open.request("-verify_ip", "127.0.0.1").isAnswered)
                #expect(try await open.request("-verify_hostname", "elsewhere.example").isAnswered == false)
            }
        }
    }

    @Test func `Without a client certificate the mTLS door is closed`() async throws {
        try await Workspace.open("tls") { workspace in
            let open = try OpenDoor(in: workspace)
            let calls = Mutex(0)
            let door = try open.door(
                .required { _, _ in
                    calls.withLock { $0 += 1 }
                    return true
                })
            try await whileServing(door) { _ async throws in
                let answer = try await open.request()
                #expect(!answer.isAnswered, "\(answer)")
                #expect((answer.output + answer.errors).contains("certificate required"), "\(answer)")
            }
            #expect(calls.withLock { $0 } == 0)
        }
    }

    @Test func `The verification sees the chain as it was sent, and its verdict decides`() async throws {
        try await Workspace.open("tls") { workspace in
            let open = try OpenDoor(in: workspace)
            let good = try await ClientCertificate.make("good", in: workspace)
            let bad = try await ClientCertificate.make("bad", in: workspace)
            let accepted = try await good.der()
            let seen = Mutex<[[[UInt8]]]>([])
            let door = try open.door(
                .required { chain, source in
                    seen.withLock { $0.append(chain) }
                    return chain == [accepted] && source.wholeMatch(of: #/127\.0\.0\.1:[0-9]+/#) != nil
                })
            try await whileServing(door) { _ async throws in
                #expect(try await open.request("-cert", good.certificate, "-key", good.key).isAnswered)
                #expect(try await open.request("-cert", bad.certificate, "-key", bad.key).isAnswered == false)
            }
            let expected = [[accepted], [try await bad.der()]]
            #expect(seen.withLock { $0 } == expected)
        }
    }

    @Test func `A session is never resumed where a client certificate is the credential`() async throws {
        try await Workspace.open("tls") { workspace in
            let open = try OpenDoor(in: workspace)
            let client = try await ClientCertificate.make("client", in: workspace)
            let isRevoked = Mutex(false)
            let door = try open.door(.required { _, _ in !isRevoked.withLock { $0 } })
            let session = workspace.file("session")
            try await whileServing(door) { _ async throws in
                let identity = ["-cert", client.certificate, "-key", client.key]
                let first = try await open.request(identity[0], identity[1], identity[2], identity[3], "-sess_out", session)
                #expect(first.isAnswered, "\(first)")
                #expect(FileManager.default.fileExists(atPath: session), "the client was given no ticket to try")
                let second = try await open.request(identity[0], identity[1], identity[2], identity[3], "-sess_in", session)
                #expect(second.isAnswered && second.output.contains("New, TLSv1.3"), "\(second)")
                isRevoked.withLock { $0 = true }
                let third = try await open.request(identity[0], identity[1], identity[2], identity[3], "-sess_in", session)
                #expect(!third.isAnswered, "\(third)")
            }
        }
    }

    @Test func `A session is resumed where the token decides, until the serving certificate is replaced`() async throws {
        try await Workspace.open("tls") { workspace in
            let open = try OpenDoor(in: workspace)
            let session = workspace.file("session")
            try await whileServing(open.door()) { _ async throws in
                #expect(try await open.request("-sess_out", session).isAnswered)
                #expect(try await open.request("-sess_in", session).output.contains("Reused, TLSv1.3"))
                let authority = try ServingAuthority.open(directory: workspace.path, at: now())
                open.certificates.replace(with: try authority.issue(names: ["127.0.0.1"], at: now()))
                #expect(try await open.request("-sess_in", session).output.contains("New, TLSv1.3"))
            }
        }
    }
}
