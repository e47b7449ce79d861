import Listeners
import Testing

@Suite struct ListenAddressTests {
    @Test(arguments: [
        ("127.0.0.1:5678", "127.0.0.1", 5678), ("localhost:0", "localhost", 0), ("[::1]:65535", "::1", 65_535),
        ("0.0.0.0:1", "0.0.0.0", 1),
    ])
    func `An address is a host and a port`(text: String, host: String, port: Int) {
        #expect(ListenAddress(text) == ListenAddress(host: host, port: port))
        #expect(ListenAddress(text)?.description == text)
    }

    @Test(arguments: [
        "", "5678", ":5678", "localhost", "localhost:", "localhost:65536", "localhost:-1", "localhost:5 678", "::1:5678",
        "[127.0.0.1]:80", "[::1]", "a b:1", "local\nhost:1", "localhost:００",
    ])
    func `Anything else is none`(text: String) {
        #expect(ListenAddress(text) == nil)
    }
}
