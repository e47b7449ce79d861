#!/usr/bin/env python3
"""Many proxies at once by the independent client's hands, each a node and a connection of its own, that come back after a cut.

Prints `identity NODE VERSION` for each identity that one is given and acknowledges. One that comes back names the version that it
has, as Envoy does. Ends with its standard input.
"""

import pathlib
import random
import sys
import threading

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Tests/EndToEndTests"))
import sds_client  # noqa: E402


def live(options, node, say):
    version = ""
    while True:
        client = sds_client.Client(options, node)
        try:
            stream = client.open(client.sotw["StreamSecrets"])
            stream.send(client.ask(["default"], version, first=True))
            while True:
                response = stream.receive(node, timeout=86400)
                version = response.version_info
                stream.send(client.ask(["default"], version, response.nonce))
                say(f"identity {node} {version}")
        except (sds_client.Failure, grpc.RpcError):
            pass
        finally:
            client.channel.close()
        threading.Event().wait(random.uniform(0.2, 1.5))


class Options:
    unix = key = cert = server_name = None
    bearer = False


def main():
    options = Options()
    options.address, options.ca, options.token_file, count = sys.argv[1:]
    lock = threading.Lock()

    def say(line):
        with lock:
            print(line, flush=True)

    for number in range(int(count)):
        threading.Thread(target=live, args=(options, f"crowd-{number}", say), daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
