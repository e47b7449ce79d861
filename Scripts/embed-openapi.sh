#!/bin/bash
# Writes Sources/AdminAPI/OpenAPIDocument.swift from openapi.yaml: the service serves the text without a file beside it.
set -euo pipefail
cd "$(dirname "$0")/../Sources/AdminAPI"
{
    cat <<'HEAD'
// Made from openapi.yaml by `make generate`; a test holds the two equal.
// swift-format-ignore-file

/// The description of the admin API, as `GET /openapi.yaml` answers it.
package enum OpenAPIDocument {
    package static let text = ##"""
HEAD
    cat openapi.yaml
    cat <<'TAIL'
"""##
}
TAIL
} > OpenAPIDocument.swift
