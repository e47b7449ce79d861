import Authority
import AuthorityService
import PKI
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct CertificateLookupTests {
    /// Of services `0`, `1`, …: a certificate of each.
    private static func chains(_ count: Int, at service: Service) async throws -> [[[UInt8]]] {
        var chains: [[[UInt8]]] = []
        for number in 0..<count {
            let caller = try await service.caller(service: "service-\(number)")
            chains.append(try Service.chain(of: await service.authority.issueLeaf(for: caller, node: "node-\(number)")))
        }
        return chains
    }

    /// What each chain's authentication gives, all under way at once, while the first questions are held back; and how many
    /// questions the ledger was asked.
    private static func returning(
        _ chains: [[[UInt8]]], to service: Service, meanwhile: @Sendable () -> Void = {}
    ) async throws -> (outcomes: [Int: Result<Caller, AuthorityError>], questions: Int) {
        let before = service.ledger.count(of: .certificate)
        let gates = [LedgerGate(), LedgerGate()]
        for gate in gates { service.ledger.inject(.delayed(gate), into: .certificate) }
        let outcomes: [Int: Result<Caller, AuthorityError>] = await withTaskGroup(
            of: (Int, Result<Caller, AuthorityError>).self
        ) { group in
            for (number, chain) in chains.enumerated() {
                group.addTask {
                    do throws(AuthorityError) {
                        let credentials = Service.credentials(chain: chain, requiresCertificate: true)
                        return (number, .success(try await service.authority.authenticate(credentials)))
                    } catch {
                        return (number, .failure(error))
                    }
                }
            }
            for gate in gates { #expect(await gate.awaitArrival()) }
            // Lets the others come as far as they can.
            for _ in 0..<100 { await Task.yield() }
            meanwhile()
            for gate in gates { gate.open() }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        return (outcomes, service.ledger.count(of: .certificate) - before)
    }

    @Test func `proxies that return at once are looked up together, and each gets its own`() async throws {
        let service = try await Service.started()
        let chains = try await Self.chains(40, at: service)
        let (outcomes, questions) = try await Self.returning(chains, to: service)
        for number in 0..<40 {
            let caller = try outcomes[number]?.get()
            #expect(caller?.identity.uri == "spiffe://default/service-\(number)")
        }
        // Two at first, and then those that had gathered.
        #expect(questions < 20, "\(questions)")
    }

    @Test func `a certificate that is not in the ledger is refused, and the others are not`() async throws {
        let service = try await Service.started()
        let chains = try await Self.chains(12, at: service)
        var store = service.ledger.disk.store
        let lost = try #require(store.certificates.firstIndex { $0.identity?.uri == "spiffe://default/service-5" })
        let serial = store.certificates.remove(at: lost).serial
        service.ledger.disk.restore(store)
        let (outcomes, _) = try await Self.returning(chains, to: service)
        for number in 0..<12 {
            switch outcomes[number] {
            case .success(let caller)?: #expect(number != 5 && caller.identity.uri == "spiffe://default/service-\(number)")
            case .failure(let error)?: #expect(number == 5 && error == .refused(.certificateNotRecorded(serial)))
            case nil: Issue.record("\(number) has no outcome")
            }
        }
    }

    @Test func `a question that fails, fails for those that it was asked for, and the next are answered`() async throws {
        let service = try await Service.started()
        let chains = try await Self.chains(12, at: service)
        let (outcomes, _) = try await Self.returning(chains, to: service) {
            service.ledger.inject(.unavailable, into: .certificate)
        }
        let failures = outcomes.values.filter { if case .failure = $0 { true } else { false } }
        #expect(failures.count >= 1 && failures.count <= 10, "\(failures.count)")
        for case .failure(let error) in failures {
            #expect({ if case .ledger(.unavailable) = error { true } else { false } }(), "\(error)")
        }
        let again = try await Self.returning(chains, to: service)
        #expect(again.outcomes.values.allSatisfy { if case .success = $0 { true } else { false } })
    }
}
