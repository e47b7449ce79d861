# Every target works from a fresh clone: it installs what is missing (apt, pip), then builds, then does its work.
SHELL := /bin/bash
.DEFAULT_GOAL := test

# The same flags everywhere, so that nothing is built twice. A target that imports what it does not declare is an error; the
# compiler does not look at tests, which `make lint` does.
SWIFT_FLAGS := --explicit-target-dependency-import-check error

# Hand-written Swift; the generated code under EnvoyAPI is left as its generator wrote it.
SWIFT_FILES = $(shell find Package.swift Benchmarks Sources Tests pki -name '*.swift' -not -path 'Sources/EnvoyAPI/*' \
	-not -name OpenAPIDocument.swift | sort)

.PHONY: run test soak demo bench bench-rotation format lint generate

## run: a certificate authority on this machine, with nothing prepared
run:
	Scripts/prepare.sh run
	swift build $(SWIFT_FLAGS) --product signet
	.build/debug/signet dev

## test: format, everything built without a warning, unit tests, then real Envoys against a real PostgreSQL
#
# All tests of one run start at once. Those that start processes of their own run apart from the others, target by target,
# so that their deadlines measure the service and not the queue for two cores.
test: .venv/pinned lint
	Scripts/prepare.sh test
	swift build $(SWIFT_FLAGS) --build-tests
	Scripts/run-tests.sh $(SWIFT_FLAGS) --skip 'EndToEndTests|ListenersTests|PKICryptoTests|PostgresTests|SignetTests'
	Scripts/run-tests.sh $(SWIFT_FLAGS) --filter PKICryptoTests
	Scripts/run-tests.sh $(SWIFT_FLAGS) --filter ListenersTests
	Scripts/run-tests.sh $(SWIFT_FLAGS) --filter PostgresTests
	Scripts/run-tests.sh $(SWIFT_FLAGS) --filter SignetTests
	Scripts/run-tests.sh $(SWIFT_FLAGS) --no-parallel --filter EndToEndTests

## soak: what `make test` shortens, in full: a driver killed at each commit of each phase, a failover in the middle of a rotation,
##       and long random simulations
soak: .venv/pinned
	Scripts/prepare.sh test
	swift build $(SWIFT_FLAGS) --build-tests
	SIGNET_SIMULATION_SEEDS=200 Scripts/run-tests.sh $(SWIFT_FLAGS) --filter AuthorityTests
	SOAK_SIGNET=1 Scripts/run-tests.sh $(SWIFT_FLAGS) --no-parallel --filter 'EndToEndTests.*(Rotation|KilledDriver)'

## demo: two meshes, four Envoys, who is let in, who is refused, and a root replaced under traffic, in plain words
demo: .venv/pinned
	Scripts/prepare.sh test
	swift build $(SWIFT_FLAGS) --product signet
	.venv/bin/python demo/demo.py

## bench: certificates per second against the raw cryptography, measured in the same run
bench:
	Scripts/prepare.sh run
	swift build $(SWIFT_FLAGS) -c release --product issuance-benchmark
	.build/release/issuance-benchmark

## bench-rotation: how long a whole rotation takes with 100, 1,000 and 5,000 simulated proxies beside the service
bench-rotation:
	Scripts/prepare.sh run
	swift build $(SWIFT_FLAGS) -c release --product signet
	swift build $(SWIFT_FLAGS) -c release --product signet-load
	python3 Benchmarks/rotation.py

## format: rewrites the Swift files in the one style
format:
	swift format --in-place --parallel $(SWIFT_FILES)

## lint: fails on a file that `make format` would change, an import that Package.swift does not declare or a declared one that
##       is not used, and a promise of SECURITY.md without its test
lint:
	@swift format lint --strict --parallel $(SWIFT_FILES)
	python3 Scripts/check-imports.py
	python3 Scripts/check-promises.py

## generate: Envoy's messages from their .proto files, and the embedded openapi.yaml
generate:
	Scripts/prepare.sh generate
	Sources/EnvoyAPI/generate.sh
	Scripts/embed-openapi.sh

# Python programs that the tests and the demo use: Envoy itself, an independent SDS client, a certificate linter.
.venv/pinned: Tests/requirements.txt
	Scripts/prepare.sh python
	rm -rf .venv
	python3 -m venv .venv
	.venv/bin/pip install --quiet -r Tests/requirements.txt
	touch $@
