#!/usr/bin/env python3
"""An SDS client that shares no line with Signet: grpcio, and Envoy's own messages from xds-protos.

    sds_client.py check --address 127.0.0.1:5678 --ca ca.pem --token-file token --mesh payments \\
        --identity spiffe://payments/api --other-mesh orders
    sds_client.py fetch default --unix /run/signet.sock --token-file token     # PEM on stdout
    sds_client.py nack ROOTCA ...       # rejects it, says so, holds the stream until stdin ends
    sds_client.py hold default ROOTCA ...  # accepts everything, prints each version, until stdin ends
    sds_client.py hold default ROOTCA --then nack ...  # accepts each once, rejects (or with `mute` ignores) what comes later
    sds_client.py mute default ROOTCA ...  # answers nothing, prints each version, until stdin ends
    sds_client.py crowd default ROOTCA --count 100 ...  # as many nodes, each on a connection of its own; see run_crowd
    sds_client.py noise default ...     # asks as often and as badly as it can; see run_noise
    sds_client.py schema DIR            # compares the .proto files in DIR with Envoy's own

`check` prints `ok NAME` for each check and ends with 0, or says in one sentence what was wrong and ends with 1.
Needs: pip install grpcio xds-protos
"""
import argparse
import base64
import collections
import hashlib
import pathlib
import queue
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

import grpc
from envoy.config.core.v3 import base_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2, tls_spiffe_validator_config_pb2
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2
from envoy.service.secret.v3 import sds_pb2_grpc
from google.rpc import error_details_pb2, status_pb2

SECRET = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
# Longer than any answer on a loaded machine takes; shorter than a test's patience.
ANSWER = 20.0
# How long silence is listened to.
SILENCE = 1.5


class Failure(Exception):
    pass


def require(condition, sentence):
    if not condition:
        raise Failure(sentence)


class Stream:
    """A bidirectional call: requests go in by `send`, responses come out by `receive`."""

    def __init__(self, method, metadata):
        self.method = method
        self._requests = queue.Queue()
        self._responses = queue.Queue()
        self._call = method(iter(self._requests.get, None), metadata=metadata)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for response in self._call:
                self._responses.put(response)
            self._responses.put(None)
        except grpc.RpcError as error:
            self._responses.put(error)

    def send(self, request):
        self._requests.put(request)

    def receive(self, what, timeout=ANSWER):
        try:
            response = self._responses.get(timeout=timeout)
        except queue.Empty:
            raise Failure(f"{what}: no response within {timeout} s") from None
        if isinstance(response, grpc.RpcError):
            raise Failure(f"{what}: the stream ended with {response.code().name}: {response.details()}")
        require(response is not None, f"{what}: the stream ended")
        return response

    def stays_silent(self, what, seconds=SILENCE):
        try:
            response = self._responses.get(timeout=seconds)
        except queue.Empty:
            return
        raise Failure(f"{what}: expected silence, and got {summary(response)}")

    def ends_with(self, what, timeout=ANSWER):
        try:
            response = self._responses.get(timeout=timeout)
        except queue.Empty:
            raise Failure(f"{what}: the stream is still open after {timeout} s") from None
        require(isinstance(response, grpc.RpcError), f"{what}: expected an error, and got {summary(response)}")
        return response

    def close(self):
        self._requests.put(None)
        self._call.cancel()


def summary(response):
    """What a response carries, without any key."""
    if isinstance(response, grpc.RpcError):
        return f"{response.code().name}: {response.details()}"
    if response is None:
        return "the end of the stream"
    if isinstance(response, discovery_pb2.DeltaDiscoveryResponse):
        return f"resources {[r.name for r in response.resources]}, removed {list(response.removed_resources)}"
    return f"resources {[s.name for s in secrets(response)]} of version {response.version_info}"


def secrets(response):
    """The secrets of a response of either form, by the order in it."""
    found = []
    for resource in response.resources:
        packed = resource.resource if isinstance(resource, discovery_pb2.Resource) else resource
        require(packed.type_url == SECRET, f"a resource of type {packed.type_url}")
        secret = secret_pb2.Secret()
        secret.ParseFromString(packed.value)
        found.append(secret)
    return found


class Client:
    def __init__(self, options, node=None):
        self.options = options
        self.node = base_pb2.Node(id=node or options.node, cluster="sds-client")
        self.metadata = []
        if options.token_file:
            token = pathlib.Path(options.token_file).read_text().strip()
            self.metadata.append(("authorization", f"Bearer {token}" if options.bearer else token))
        if options.unix:
            self.channel = grpc.insecure_channel(f"unix:{options.unix}", options=[("grpc.default_authority", "localhost")])
        else:
            read = lambda path: pathlib.Path(path).read_bytes() if path else None  # noqa: E731
            credentials = grpc.ssl_channel_credentials(read(options.ca), read(options.key), read(options.cert))
            settings = [("grpc.use_local_subchannel_pool", 1)]
            if options.server_name:
                settings.append(("grpc.ssl_target_name_override", options.server_name))
            self.channel = grpc.secure_channel(options.address, credentials, options=settings)
        sds = sds_pb2_grpc.SecretDiscoveryServiceStub(self.channel)
        ads = ads_pb2_grpc.AggregatedDiscoveryServiceStub(self.channel)
        self.sotw = {"StreamSecrets": sds.StreamSecrets, "StreamAggregatedResources": ads.StreamAggregatedResources}
        self.delta = {"DeltaSecrets": sds.DeltaSecrets, "DeltaAggregatedResources": ads.DeltaAggregatedResources}
        self.fetch_method = sds.FetchSecrets

    def open(self, method):
        return Stream(method, self.metadata)

    def fetch(self, names):
        request = discovery_pb2.DiscoveryRequest(node=self.node, resource_names=names, type_url=SECRET)
        return self.fetch_method(request, metadata=self.metadata, timeout=ANSWER)

    def ask(self, names, version="", nonce="", error=None, type_url=SECRET, first=False):
        request = discovery_pb2.DiscoveryRequest(
            version_info=version, resource_names=names, type_url=type_url, response_nonce=nonce
        )
        if first:
            request.node.CopyFrom(self.node)
        if error:
            request.error_detail.CopyFrom(status_pb2.Status(code=13, message=error))
        return request

    def change(self, subscribe=(), unsubscribe=(), held=None, nonce="", error=None, type_url=SECRET, first=False):
        request = discovery_pb2.DeltaDiscoveryRequest(
            type_url=type_url,
            resource_names_subscribe=subscribe,
            resource_names_unsubscribe=unsubscribe,
            initial_resource_versions=held or {},
            response_nonce=nonce,
        )
        if first:
            request.node.CopyFrom(self.node)
        if error:
            request.error_detail.CopyFrom(status_pb2.Status(code=13, message=error))
        return request


# What a secret must be


def check_identity(secret, name):
    require(secret.name == name, f"asked for {name} and got a secret named {secret.name}")
    chain = secret.tls_certificate.certificate_chain.inline_bytes.decode()
    key = secret.tls_certificate.private_key.inline_bytes.decode()
    require(chain.count("BEGIN CERTIFICATE") >= 2, f"{name}: the chain has no issuing certificate")
    require("PRIVATE KEY" in key, f"{name}: there is no private key")
    require("PRIVATE KEY" not in chain, f"{name}: there is a key in the chain")
    return chain


def check_trust(secret, name, domain):
    require(secret.name == name, f"asked for {name} and got a secret named {secret.name}")
    require(not secret.HasField("tls_certificate"), f"{name}: a bundle with a key")
    custom = secret.validation_context.custom_validator_config
    require(custom.name == "envoy.tls.cert_validator.spiffe", f"{name}: no SPIFFE validator")
    spiffe = tls_spiffe_validator_config_pb2.SPIFFECertValidatorConfig()
    require(custom.typed_config.Unpack(spiffe), f"{name}: the validator's configuration is of another type")
    domains = [d.name for d in spiffe.trust_domains]
    require(domain in domains, f"{name}: {domain} is not among {domains}")
    for bound in spiffe.trust_domains:
        require(b"BEGIN CERTIFICATE" in bound.trust_bundle.inline_bytes, f"{name}: {bound.name} is bound to no root")
    return spiffe


# The checks


class Checks:
    def __init__(self, client, options):
        self.client = client
        self.identity = options.identity
        self.domain = options.identity.removeprefix("spiffe://").split("/")[0]
        self.mesh = options.mesh
        self.other = options.other_mesh

    def run(self):
        c = self.client
        for form, method in c.sotw.items():
            for check in (
                self.sotw_first_answer_and_ack, self.sotw_nothing, self.sotw_stale_nonce, self.sotw_refused_names,
                self.sotw_aliases, self.sotw_drop, self.sotw_reconnect, self.sotw_forged_version, self.sotw_nack,
            ):
                self.one(f"{form} {check.__name__.removeprefix('sotw_')}", check, method)
        self.one("StreamAggregatedResources other_type", self.sotw_other_type, c.sotw["StreamAggregatedResources"])
        for form, method in c.delta.items():
            for check in (
                self.delta_first_answer_and_ack, self.delta_nothing, self.delta_stale_nonce, self.delta_refused_names,
                self.delta_aliases, self.delta_unsubscribe, self.delta_reconnect, self.delta_forged_version,
                self.delta_wildcard, self.delta_nack,
            ):
                self.one(f"{form} {check.__name__.removeprefix('delta_')}", check, method)
        self.one("DeltaAggregatedResources other_type", self.delta_other_type, c.delta["DeltaAggregatedResources"])
        for check in (self.fetch_answer, self.fetch_refused_names, self.fetch_aliases, self.fetch_nothing):
            self.one(f"FetchSecrets {check.__name__.removeprefix('fetch_')}", check, None)

    def one(self, name, check, method):
        stream = self.client.open(method) if method else None
        try:
            check(stream) if stream else check()
        except Failure as failure:
            raise Failure(f"{name}: {failure}") from None
        except grpc.RpcError as error:
            raise Failure(f"{name}: {error.code().name}: {error.details()}") from None
        finally:
            if stream:
                stream.close()
        print(f"ok {name}", flush=True)

    # State of the world

    def collect(self, stream, names):
        """Receives until every name came, acknowledging each response; gives the secrets and the last response."""
        got, response = {}, None
        while not set(names) <= set(got):
            response = stream.receive(f"{sorted(set(names) - set(got))}")
            require(response.nonce, "a response without a nonce")
            require(response.type_url == SECRET, f"a response of type {response.type_url}")
            for secret in secrets(response):
                require(secret.name in names, f"{secret.name} was never asked for")
                got[secret.name] = secret
            stream.send(self.client.ask(names, response.version_info, response.nonce))
        return got, response

    def begin(self, stream, names, version=""):
        stream.send(self.client.ask(names, version, first=True))

    def sotw_first_answer_and_ack(self, stream):
        self.begin(stream, ["default", "ROOTCA"])
        got, _ = self.collect(stream, ["default", "ROOTCA"])
        check_identity(got["default"], "default")
        check_trust(got["ROOTCA"], "ROOTCA", self.domain)
        stream.stays_silent("after the acknowledgement")

    def sotw_nothing(self, stream):
        self.begin(stream, [])
        stream.stays_silent("nothing was asked")

    def sotw_stale_nonce(self, stream):
        self.begin(stream, ["ROOTCA"])
        first = stream.receive("ROOTCA")
        stream.send(self.client.ask(["ROOTCA", "ALL"], first.version_info, first.nonce))
        second = stream.receive("ALL")
        require([s.name for s in secrets(second)] == ["ALL"], f"only ALL is new, and came {summary(second)}")
        require(first.nonce != second.nonce, "a nonce was used twice")
        stream.send(self.client.ask(["ROOTCA", "ALL", "default"], first.version_info, first.nonce))
        stream.stays_silent("a request with a stale nonce")
        stream.send(self.client.ask(["ROOTCA", "ALL", "default"], second.version_info, second.nonce))
        check_identity(secrets(stream.receive("default"))[0], "default")

    def sotw_refused_names(self, stream):
        names = ["ROOTCA", "no-such-secret", *self.forbidden()]
        self.begin(stream, names)
        response = stream.receive("ROOTCA")
        require([s.name for s in secrets(response)] == ["ROOTCA"], f"only ROOTCA has a secret, and came {summary(response)}")
        stream.send(self.client.ask(names, response.version_info, response.nonce))
        stream.stays_silent("names without a secret")

    def sotw_aliases(self, stream):
        names = ["default", f"identity_cert:secret:{self.mesh}", self.identity]
        self.begin(stream, names)
        got, _ = self.collect(stream, names)
        chains = {check_identity(got[name], name) for name in names}
        require(len(chains) == 1, "the aliases of an identity are different leaves")
        more = ["ROOTCA", f"mesh_ca:secret:{self.mesh}", f"spiffe://{self.domain}"]
        # Without a nonce it answers nothing, and is a change of names all the same.
        stream.send(self.client.ask(names + more))
        got = {}
        while not set(more) <= set(got):
            answer = stream.receive("the aliases of the bundle")
            got |= {s.name: s for s in secrets(answer)}
            stream.send(self.client.ask(names + more, answer.version_info, answer.nonce))
        bundles = {check_trust(got[name], name, self.domain).SerializeToString(deterministic=True) for name in more}
        require(len(bundles) == 1, "the aliases of the bundle differ")

    def sotw_drop(self, stream):
        self.begin(stream, ["ROOTCA", "ALL"])
        got, last = self.collect(stream, ["ROOTCA", "ALL"])
        stream.send(self.client.ask(["ROOTCA"], last.version_info, last.nonce))
        stream.stays_silent("a name dropped out")
        stream.send(self.client.ask(["ROOTCA", "ALL"], last.version_info, last.nonce))
        response = stream.receive("ALL asked for again")
        require([s.name for s in secrets(response)] == ["ALL"], f"only ALL is due, and came {summary(response)}")

    def sotw_reconnect(self, stream):
        names = ["default", "ROOTCA"]
        self.begin(stream, names)
        _, last = self.collect(stream, names)
        again = self.client.open(stream.method)
        try:
            again.send(self.client.ask(names, last.version_info, first=True))
            again.stays_silent("a reconnect that names the current versions")
        finally:
            again.close()

    def sotw_forged_version(self, stream):
        self.begin(stream, ["default"])
        got, last = self.collect(stream, ["default"])
        forged = last.version_info[:-1] + ("0" if last.version_info[-1] != "0" else "1")
        again = self.client.open(stream.method)
        try:
            again.send(self.client.ask(["default"], forged, first=True))
            fresh = check_identity(secrets(again.receive("a forged version"))[0], "default")
            require(fresh != check_identity(got["default"], "default"), "the same leaf came again")
        finally:
            again.close()

    def sotw_nack(self, stream):
        self.begin(stream, ["ROOTCA"])
        response = stream.receive("ROOTCA")
        stream.send(self.client.ask(["ROOTCA"], "", response.nonce, error="rejected by the independent client"))
        stream.stays_silent("a rejected version")

    def sotw_other_type(self, stream):
        stream.send(self.client.ask(["a"], type_url=CLUSTER, first=True))
        stream.stays_silent("another type")
        stream.send(self.client.ask(["ROOTCA"]))
        check_trust(secrets(stream.receive("ROOTCA after another type"))[0], "ROOTCA", self.domain)

    # Incremental

    def collect_delta(self, stream, names, removed=()):
        got, gone = {}, set()
        while not (set(names) <= set(got) and set(removed) <= gone):
            response = stream.receive(f"{sorted((set(names) - set(got)) | (set(removed) - gone))}")
            require(response.nonce, "a response without a nonce")
            require(len(response.resources) <= 1, f"several resources in a delta response: {summary(response)}")
            for resource, secret in zip(response.resources, secrets(response)):
                require(resource.name == secret.name, f"{resource.name} carries the secret {secret.name}")
                require(resource.version, f"{resource.name} has no version")
                require(resource.name in names, f"{resource.name} was never asked for")
                got[resource.name] = (secret, resource.version)
            gone |= set(response.removed_resources)
            stream.send(self.client.change(nonce=response.nonce))
        return got

    def delta_first_answer_and_ack(self, stream):
        stream.send(self.client.change(["default", "ROOTCA"], first=True))
        got = self.collect_delta(stream, ["default", "ROOTCA"])
        check_identity(got["default"][0], "default")
        check_trust(got["ROOTCA"][0], "ROOTCA", self.domain)
        stream.stays_silent("after the acknowledgements")

    def delta_nothing(self, stream):
        stream.send(self.client.change(first=True))
        stream.stays_silent("nothing was asked")

    def delta_stale_nonce(self, stream):
        stream.send(self.client.change(["ROOTCA"], first=True))
        self.collect_delta(stream, ["ROOTCA"])
        stream.send(self.client.change(["ALL"], nonce="no-such-nonce"))
        self.collect_delta(stream, ["ALL"])
        stream.stays_silent("after a stale nonce")

    def delta_refused_names(self, stream):
        refused = ["no-such-secret", *self.forbidden()]
        stream.send(self.client.change(["ROOTCA", *refused], first=True))
        self.collect_delta(stream, ["ROOTCA"], removed=refused)
        stream.stays_silent("names without a secret")

    def delta_aliases(self, stream):
        names = ["default", f"identity_cert:secret:{self.mesh}", self.identity]
        stream.send(self.client.change(names, first=True))
        got = self.collect_delta(stream, names)
        require(len({check_identity(got[n][0], n) for n in names}) == 1, "the aliases of an identity are different leaves")

    def delta_unsubscribe(self, stream):
        stream.send(self.client.change(["ROOTCA", "ALL"], first=True))
        self.collect_delta(stream, ["ROOTCA", "ALL"])
        stream.send(self.client.change(unsubscribe=["ALL", "never-subscribed"]))
        stream.stays_silent("an unsubscribed name")
        stream.send(self.client.change(["ALL"]))
        self.collect_delta(stream, ["ALL"])

    def delta_reconnect(self, stream):
        names = ["default", "ROOTCA"]
        stream.send(self.client.change(names, first=True))
        got = self.collect_delta(stream, names)
        again = self.client.open(stream.method)
        try:
            again.send(self.client.change(names, held={n: got[n][1] for n in names}, first=True))
            again.stays_silent("a reconnect that names the current versions")
        finally:
            again.close()

    def delta_forged_version(self, stream):
        stream.send(self.client.change(["default"], held={"default": "forged"}, first=True))
        check_identity(self.collect_delta(stream, ["default"])["default"][0], "default")

    def delta_wildcard(self, stream):
        stream.send(self.client.change(["*"], first=True))
        got = self.collect_delta(stream, ["default", "ROOTCA"])
        check_identity(got["default"][0], "default")
        check_trust(got["ROOTCA"][0], "ROOTCA", self.domain)
        stream.send(self.client.change(unsubscribe=["*"]))
        stream.stays_silent("after leaving the wildcard")

    def delta_nack(self, stream):
        stream.send(self.client.change(["ROOTCA"], first=True))
        response = stream.receive("ROOTCA")
        stream.send(self.client.change(nonce=response.nonce, error="rejected by the independent client"))
        stream.stays_silent("a rejected version")

    def delta_other_type(self, stream):
        stream.send(self.client.change(["a"], type_url=CLUSTER, first=True))
        stream.stays_silent("another type")
        stream.send(self.client.change(["ROOTCA"]))
        self.collect_delta(stream, ["ROOTCA"])

    # Unary

    def fetch_answer(self):
        response = self.client.fetch(["default", "ROOTCA"])
        got = {s.name: s for s in secrets(response)}
        require(set(got) == {"default", "ROOTCA"}, f"asked for two, and came {summary(response)}")
        require(response.version_info, "a response without a version")
        check_identity(got["default"], "default")
        check_trust(got["ROOTCA"], "ROOTCA", self.domain)

    def fetch_refused_names(self):
        response = self.client.fetch(["ALL", "no-such-secret", *self.forbidden()])
        require([s.name for s in secrets(response)] == ["ALL"], f"only ALL has a secret, and came {summary(response)}")

    def fetch_aliases(self):
        names = ["default", self.identity]
        got = {s.name: s for s in secrets(self.client.fetch(names))}
        require(len({check_identity(got[n], n) for n in names}) == 1, "the aliases of an identity are different leaves")

    def fetch_nothing(self):
        require(not self.client.fetch([]).resources, "nothing was asked, and something came")

    # Names of others

    def forbidden(self):
        names = [f"spiffe://{self.domain}/somebody-else", "spiffe://elsewhere/api"]
        if self.other:
            names += [f"identity_cert:secret:{self.other}", f"mesh_ca:secret:{self.other}"]
        return names


# Commands


def run_check(client, options):
    require(options.identity and options.mesh, "check needs --mesh and --identity")
    Checks(client, options).run()


def run_fetch(client, options):
    response = client.fetch(options.names)
    found = secrets(response)
    require(len(found) == len(set(options.names)), f"asked for {options.names}, and came {summary(response)}")
    for secret in found:
        if secret.HasField("tls_certificate"):
            if options.key_out:
                key = pathlib.Path(options.key_out)
                key.touch(mode=0o600)
                key.write_bytes(secret.tls_certificate.private_key.inline_bytes)
            sys.stdout.write(secret.tls_certificate.certificate_chain.inline_bytes.decode())
        else:
            spiffe = tls_spiffe_validator_config_pb2.SPIFFECertValidatorConfig()
            require(secret.validation_context.custom_validator_config.typed_config.Unpack(spiffe), "no SPIFFE validator")
            for domain in spiffe.trust_domains:
                sys.stdout.write(domain.trust_bundle.inline_bytes.decode())


def run_nack(client, options):
    stream = client.open(client.sotw["StreamSecrets"])
    stream.send(client.ask(options.names, first=True))
    response = stream.receive(" ".join(options.names))
    stream.send(client.ask(options.names, "", response.nonce, error=options.message))
    print(f"nacked {' '.join(s.name for s in secrets(response))}", flush=True)
    sys.stdin.read()
    stream.close()


def run_hold(client, options):
    stream = client.open(client.sotw["StreamSecrets"])
    stream.send(client.ask(options.names, options.version, first=True))
    print("holding", flush=True)
    accepted, version = set(), options.version
    done = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
    while not done.is_set():
        try:
            response = stream._responses.get(timeout=0.2)
        except queue.Empty:
            continue
        if isinstance(response, grpc.RpcError):
            print(f"ended {response.code().name} {response.details()}", flush=True)
            return
        require(response is not None, "the stream ended")
        names = {secret.name for secret in secrets(response)}
        if options.command == "hold" and (options.then == "ack" or not names & accepted):
            accepted |= names
            version = response.version_info
            stream.send(client.ask(options.names, version, response.nonce))
        elif options.command == "hold" and options.then == "nack":
            stream.send(client.ask(options.names, version, response.nonce, error=options.message))
        print(f"received {response.version_info}", flush=True)
    stream.close()


def run_crowd(_, options):
    """Many proxies, each a node and a connection of its own, that accept everything until stdin ends.

    Prints `acked NODE NAME DIGEST…` before each acknowledgement: the SHA-256 of each root of a bundle, or of an identity's leaf.
    """
    lock, failed = threading.Lock(), threading.Event()

    def say(line):
        with lock:
            print(line, flush=True)

    def digests(secret):
        if secret.HasField("tls_certificate"):
            return [fingerprints(secret.tls_certificate.certificate_chain.inline_bytes)[0]]
        spiffe = tls_spiffe_validator_config_pb2.SPIFFECertValidatorConfig()
        require(secret.validation_context.custom_validator_config.typed_config.Unpack(spiffe), "no SPIFFE validator")
        return sorted({d for domain in spiffe.trust_domains for d in fingerprints(domain.trust_bundle.inline_bytes)})

    def live(node):
        try:
            client = Client(options, node)
            stream = client.open(client.sotw["StreamSecrets"])
            stream.send(client.ask(options.names, first=True))
            while True:
                response = stream.receive(node, timeout=86400)
                for secret in secrets(response):
                    say(" ".join(["acked", node, secret.name, *digests(secret)]))
                stream.send(client.ask(options.names, response.version_info, response.nonce))
        except Failure as failure:
            say(f"failed {node} {failure}")
            failed.set()

    for number in range(options.count):
        threading.Thread(target=live, args=(f"{options.node}-{number}",), daemon=True).start()
    sys.stdin.read()
    require(not failed.is_set(), "not everybody held out")


def run_noise(client, options):
    """A client without manners, for some seconds: it fetches as fast as it can, under its own node and under made-up ones, opens
    streams, shows credentials that are none, and holds connections on which it says nothing.

    Then it waits as long as it was told, and asks once more, which must be granted. Prints, one a line, how often each answer came:
    `count OK 20`, `count RESOURCE_EXHAUSTED leaves-per-proxy 4711`; and `granted after N ms`.
    """
    counts, lock, stop = collections.Counter(), threading.Lock(), threading.Event()
    delays = {}

    def note(error):
        if error is None:
            key = "OK"
        else:
            code = error.code().name
            key = code if code != "RESOURCE_EXHAUSTED" else f"{code} {error.details().split(':')[0]}"
        with lock:
            counts[key] += 1
            if error is not None and error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
                delays[key.split()[-1]] = delay(error)

    def attempt(act):
        try:
            act()
            note(None)
        except grpc.RpcError as error:
            note(error)

    def forever(act, after=0):
        stop.wait(after)
        while not stop.is_set():
            attempt(act)

    def made_up():
        number = 0
        while not stop.is_set():
            other = Client(options, f"made-up-{number}")
            for number in range(number, number + 200):
                other.node.id = f"made-up-{number}"
                attempt(lambda: other.fetch(options.names))
                if stop.is_set():
                    break
            other.channel.close()

    def streams():
        request = client.ask(options.names, first=True)
        for response in client.sotw["StreamSecrets"](iter([request]), metadata=client.metadata, timeout=ANSWER):
            break

    stranger = Client(options)
    stranger.metadata = [("authorization", "Bearer nonsense")]
    host, port = options.address.rsplit(":", 1)
    silent = [socket.create_connection((host, int(port))) for _ in range(options.count)]
    workers = [
        threading.Thread(target=forever, args=(lambda: client.fetch(options.names),)),
        threading.Thread(target=made_up),
        threading.Thread(target=forever, args=(streams,)),
        threading.Thread(target=forever, args=(lambda: stranger.fetch(options.names), 2)),
    ]
    for worker in workers:
        worker.start()
    print("making noise", flush=True)
    time.sleep(options.seconds)
    stop.set()
    for worker in workers:
        worker.join(ANSWER)
    for connection in silent:
        connection.close()
    for key in sorted(counts):
        print(f"count {key} {counts[key]}", flush=True)
    waited = max(delays.values(), default=0)
    time.sleep(waited / 1000)
    client.fetch(options.names)
    print(f"granted after {waited} ms", flush=True)


def delay(error):
    """The milliseconds after which to try again, which both trailers must tell alike."""
    trailers = dict(error.trailing_metadata())
    pushback = int(trailers["grpc-retry-pushback-ms"])
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    require(status.code == error.code().value[0] and status.message == error.details(), "the status' details are another's")
    info = error_details_pb2.RetryInfo()
    require(status.details[0].Unpack(info), "the status' details are no RetryInfo")
    require(info.retry_delay.ToMilliseconds() == pushback, "the two delays differ")
    require(pushback > 0, "there is no delay")
    return pushback


def fingerprints(pem):
    """The SHA-256 of each certificate of a text, lower-case hexadecimal."""
    blocks = re.findall(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", pem, re.S)
    return [hashlib.sha256(base64.b64decode(block)).hexdigest() for block in blocks]


def run_schema(options):
    """Every message, field and method in DIR exists in Envoy's API with the same number, type and label."""
    # Only what is imported is in the pool.
    import envoy.service.discovery.v3.ads_pb2  # noqa: F401
    import envoy.service.secret.v3.sds_pb2  # noqa: F401
    from google.protobuf import descriptor_pb2, descriptor_pool

    directory = pathlib.Path(options.names[0])
    files = sorted(str(path.relative_to(directory)) for path in directory.rglob("*.proto"))
    require(files, f"{directory} has no .proto files")
    with tempfile.NamedTemporaryFile() as output:
        subprocess.run(["protoc", "-I", ".", f"--descriptor_set_out={output.name}", *files], cwd=directory, check=True)
        ours = descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(output.name).read_bytes())
    pool = descriptor_pool.Default()
    fields = 0

    def compare(message, full_name):
        nonlocal fields
        theirs = descriptor_pb2.DescriptorProto()
        pool.FindMessageTypeByName(full_name).CopyToProto(theirs)
        known = {field.number: field for field in theirs.field}
        for field in message.field:
            other = known.get(field.number)
            require(other is not None, f"{full_name} has no field {field.number}")
            for part in ("name", "type", "type_name", "label"):
                mine, envoys = getattr(field, part), getattr(other, part)
                # Our enum's name is Swift's concern; its numbers are compared below.
                if part == "type_name" and field.type == descriptor_pb2.FieldDescriptorProto.TYPE_ENUM:
                    continue
                require(mine == envoys, f"{full_name}.{field.name}: {part} is {mine}, and Envoy's is {envoys}")
            fields += 1
        for enum in message.enum_type:
            theirs_enum = next((e for e in theirs.enum_type if e.name == enum.name), None)
            require(theirs_enum is not None, f"{full_name} has no enum {enum.name}")
            known_values = {v.name: v.number for v in theirs_enum.value}
            for value in enum.value:
                require(known_values.get(value.name) == value.number, f"{full_name}.{enum.name}.{value.name} differs")
        for nested in message.nested_type:
            if not nested.options.map_entry:
                compare(nested, f"{full_name}.{nested.name}")

    for file in ours.file:
        for message in file.message_type:
            compare(message, f"{file.package}.{message.name}")
        for service in file.service:
            theirs = pool.FindServiceByName(f"{file.package}.{service.name}")
            for method in service.method:
                other = theirs.methods_by_name.get(method.name)
                require(other is not None, f"{service.name} has no method {method.name}")
                same = (
                    method.input_type == "." + other.input_type.full_name
                    and method.output_type == "." + other.output_type.full_name
                    and method.client_streaming == other.client_streaming
                    and method.server_streaming == other.server_streaming
                )
                require(same, f"{service.name}.{method.name} differs")
    print(f"ok schema: {len(files)} files, {fields} fields")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["check", "fetch", "nack", "hold", "mute", "crowd", "noise", "schema"])
    parser.add_argument("names", nargs="*", help="resource names; for schema, the directory")
    parser.add_argument("--address", default="127.0.0.1:5678")
    parser.add_argument("--unix", help="path of the unix socket, instead of --address")
    parser.add_argument("--ca", help="root of the server's certificate, PEM")
    parser.add_argument("--server-name", help="the name to verify in the server's certificate")
    parser.add_argument("--token-file")
    parser.add_argument("--bearer", action="store_true", help="send the token after 'Bearer '")
    parser.add_argument("--cert", help="client certificate chain, PEM")
    parser.add_argument("--key", help="its key")
    parser.add_argument("--node", default="sds-client-1")
    parser.add_argument("--mesh")
    parser.add_argument("--identity", help="the SPIFFE ID that the credential grants")
    parser.add_argument("--other-mesh", help="a mesh whose secrets are not ours")
    parser.add_argument("--key-out", help="fetch: write the private key here")
    parser.add_argument("--message", default="rejected by the independent client", help="nack: the words")
    parser.add_argument("--version", default="", help="hold: the version that a reconnecting proxy names")
    parser.add_argument("--then", choices=["ack", "mute", "nack"], default="ack", help="hold: to what came once already")
    parser.add_argument("--count", type=int, default=1, help="crowd: how many; noise: silent connections")
    parser.add_argument("--seconds", type=float, default=10, help="noise: how long")
    options = parser.parse_args()
    try:
        if options.command == "schema":
            run_schema(options)
        else:
            commands = {
                "check": run_check, "fetch": run_fetch, "nack": run_nack, "hold": run_hold, "mute": run_hold,
                "crowd": run_crowd, "noise": run_noise,
            }
            commands[options.command](Client(options), options)
    except Failure as failure:
        sys.exit(f"sds_client: {failure}")
    except grpc.RpcError as error:
        sys.exit(f"sds_client: {error.code().name}: {error.details()}")


if __name__ == "__main__":
    main()
