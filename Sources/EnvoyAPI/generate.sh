#!/bin/sh
# Regenerates the Swift beside this script from proto/. Needs protoc (Debian: protobuf-compiler), and builds the two
# plugins, of exactly the versions that Package.resolved names.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
command -v protoc >/dev/null || { echo "generate: protoc is missing: apt-get install protobuf-compiler" >&2; exit 1; }
cd "$root"
swift build --product protoc-gen-swift
swift build --product protoc-gen-grpc-swift-2
bin=$(swift build --show-bin-path)
rm -f "$here"/*.pb.swift "$here"/*.grpc.swift
cd "$here/proto"
find envoy google -name '*.proto' | LC_ALL=C sort | xargs protoc -I . \
    --plugin="$bin/protoc-gen-swift" \
    --swift_out="$here" \
    --swift_opt=Visibility=Package,FileNaming=PathToUnderscores,UseAccessLevelOnImports=true
protoc -I . \
    --plugin="$bin/protoc-gen-grpc-swift-2" \
    --grpc-swift-2_out="$here" \
    --grpc-swift-2_opt=Visibility=Package,FileNaming=PathToUnderscores,UseAccessLevelOnImports=true \
    envoy/service/discovery/v3/ads.proto envoy/service/secret/v3/sds.proto
