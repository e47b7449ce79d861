import ArgumentParser

/// How a command finds its server; without any of these, `SIGNET_ADDRESS` and its companions, then the context chosen with
/// `signet config use`, then the data directory of `signet dev`.
struct ServerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The admin API, such as https://signet.example:5682.", valueName: "url"))
    var address: String?

    @Option(
        help: ArgumentHelp(
            """
            A file with the admin token. There is no option for the token itself: others would see it.
            """, valueName: "file"), completion: .file())
    var tokenFile: String?

    @Option(
        help: ArgumentHelp("The PEM certificate of the CA that signs the server's certificate.", valueName: "file"),
        completion: .file())
    var caFile: String?
}
