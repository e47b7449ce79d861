# Every target works from a fresh clone: it installs what is missing (apt, pip), then builds, then does its work.
SHELL := /bin/bash
.DEFAULT_GOAL := test

# The same flags everywhere, so that nothing is built twice. A target that imports what it does not declare is an error; the
# compiler does not look at tests, which `make lint` does.
SWIFT_FLAGS := --explicit-target-dependency-import-check error

# Hand-written Swift; the generated code under EnvoyAPI is left as its generator wrote it.
SWIFT_FILES = $(shell find Package.swift Benchmarks Fuzz Sources Tests pki -name '*.swift' -not -path 'Sources/EnvoyAPI/*' \
	-not -name OpenAPIDocument.swift | sort)

.PHONY: run test soak chaos fuzz test-tsan test-asan demo bench bench-quick bench-products bench-rotation format lint generate

## run: a certificate authority on this machine, with nothing prepared
run:
	Scripts/prepare.sh run
	swift build $(SWIFT_FLAGS) --product signet
	.build/debug/signet dev

## test: format, everything built without a warning, unit tests, then real Envoys against a real PostgreSQL
#
# All tests of one run start at once. Those that start processes of their own run apart from the others, target by target,
# so that their deadlines measure the service and not the queue for two cores.
test: .venv/pinned .venv/sslyze/pinned lint
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

## chaos: each fault of docs/operations.md done to real processes, with two Envoys that call each other throughout, and a table of
##        what came of it; CHAOS="--rows a,b" for some, CHAOS="--list" for their names; at most 20 minutes
chaos: .venv/pinned
	Scripts/prepare.sh chaos
	swift build $(SWIFT_FLAGS) --product signet
	.venv/bin/python -B Chaos/chaos.py $(CHAOS)

## fuzz: every target of Fuzz/ under libFuzzer and AddressSanitizer, FUZZ_SECONDS each, one after the other
FUZZ_SECONDS ?= 600
fuzz:
	Scripts/prepare.sh run
	Scripts/fuzz.sh $(FUZZ_SECONDS) $(FUZZ_TARGETS)

## test-tsan, test-asan: the unit tests under ThreadSanitizer and AddressSanitizer; each builds everything once more
test-tsan: .venv/pinned
	Scripts/prepare.sh test
	Scripts/run-sanitized.sh thread

test-asan: .venv/pinned
	Scripts/prepare.sh test
	Scripts/run-sanitized.sh address

## demo: two meshes, four Envoys, who is let in, who is refused, and a root replaced under traffic, in plain words
demo: .venv/pinned
	Scripts/prepare.sh test
	swift build $(SWIFT_FLAGS) --product signet
	.venv/bin/python demo/demo.py

# What is measured, and what measures it.
BENCH_PRODUCTS = signet signet-load issuance-benchmark ledger-benchmark

## bench: every goal of performance beside its figure, in one table that docs/performance.md keeps; half an hour on a quiet machine
bench: bench-products
	python3 -B Benchmarks/bench.py

## bench-quick: the same with 1,000 proxies and a few seconds each, for a look that is not kept
bench-quick: bench-products
	python3 -B Benchmarks/bench.py --quick

bench-products: .venv/pinned
	Scripts/prepare.sh bench
	for product in $(BENCH_PRODUCTS); do swift build $(SWIFT_FLAGS) -c release --product $$product || exit 1; done

## bench-rotation: re-issue, memory and return of 1,000 and 10,000 simulated proxies beside the service
bench-rotation:
	Scripts/prepare.sh run
	for product in issuance-benchmark signet signet-load; do swift build $(SWIFT_FLAGS) -c release --product $$product || exit 1; done
	python3 -B Benchmarks/storm.py

## format: rewrites the Swift files in the one style
format:
	swift format --in-place --parallel $(SWIFT_FILES)

## lint: fails on a file that `make format` would change, an import that Package.swift does not declare or a declared one that
##       is not used, a promise of SECURITY.md without its test, a series without an alarm, a unit file that exposes more
##       than it says, and a table of `make bench` or `make chaos` that would not tell the truth
lint:
	@swift format lint --strict --parallel $(SWIFT_FILES)
	python3 Scripts/check-imports.py
	python3 Scripts/check-promises.py
	python3 Scripts/check-metrics.py
	python3 Scripts/check-unit.py
	python3 -B Benchmarks/test_bench.py
	python3 -B Chaos/test_chaos.py

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

# The scanner, apart from the others, whose cryptography is newer than it takes.
.venv/sslyze/pinned: Tests/requirements-sslyze.txt .venv/pinned
	rm -rf .venv/sslyze
	python3 -m venv .venv/sslyze
	.venv/sslyze/bin/pip install --quiet -r Tests/requirements-sslyze.txt
	touch $@
