import Authority
import PKI
import Testing

@Suite struct PolicyTests {
    @Test(arguments: ["/{kuma.io/service}", "/ns/{k8s.kuma.io/namespace}/sa/{sa}", "/fixed"])
    func `an identity path is kept as it was written`(template: String) throws {
        #expect(try IdentityPath(template).template == template)
    }

    @Test(arguments: [
        "", "/", "service", "/{", "/}", "/{}", "/a//b", "/{a}{", "/a/", "/../x", "/a b", "/{a{b}}", "/a%2f",
    ])
    func `an identity path that could not be a SPIFFE ID's is refused when it is written, not at the first token`(
        template: String
    ) {
        #expect(throws: InvalidName.self) { try IdentityPath(template) }
    }

    @Test func `tags fill the path in their places`() throws {
        let path = try IdentityPath("/ns/{ns}/sa/{sa}-x")
        let identity = try path.identity(in: TrustDomain("a"), tags: ["ns": ["n"], "sa": ["s"], "other": ["1", "2"]])
        #expect(identity.uri == "spiffe://a/ns/n/sa/s-x")
        #expect(path.tags == ["ns", "sa"])
    }

    @Test func `no constraint admits everyone`() {
        #expect(MembershipConstraints.anyone.refusal(of: [:]) == nil)
    }

    @Test func `a proxy has to meet one requirement whole, and no restriction`() {
        let constraints = MembershipConstraints(
            requirements: [["team": "a", "zone": "*"], ["team": "b"]], restrictions: [["legacy": "*"]])
        #expect(constraints.refusal(of: ["team": ["a"]]) == .noRequirementMet)
        #expect(constraints.refusal(of: ["team": ["a"], "zone": ["z"]]) == nil)
        #expect(constraints.refusal(of: ["team": ["c", "b"]]) == nil)
        #expect(constraints.refusal(of: ["team": ["b"], "legacy": ["x"]]) == .restricted(index: 0))
        #expect(constraints.refusal(of: [:]) == .noRequirementMet)
    }
}
