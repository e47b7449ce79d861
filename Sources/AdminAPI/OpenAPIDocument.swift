// Made from openapi.yaml by `make generate`; a test holds the two equal.
// swift-format-ignore-file

/// The description of the admin API, as `GET /openapi.yaml` answers it.
package enum OpenAPIDocument {
    package static let text = ##"""
openapi: 3.1.0
info:
  title: Signet admin API
  version: "1"
  description: |
    The admin REST API of Signet, an mTLS certificate authority for service meshes. It listens on port 5682, over TLS.

    Every path needs an admin token, this description too; no address is an administrator by itself. The one exception is
    `POST /meshes/{mesh}/certificates`, which takes a dataplane token instead. Roles: a `viewer` reads, an `operator` also
    issues dataplane tokens and revokes tokens and identities, an `admin` does all. A HEAD answers as the GET of its path,
    without the body. A query parameter that a path does not know is refused. Every answer carries `x-request-id`: the
    request's own when it is 1 to 64 letters, digits, `-`, `.` or `_`.
  license:
    name: Apache-2.0
    identifier: Apache-2.0
servers:
  - url: https://localhost:5682
security:
  - adminToken: []
tags:
  - name: service
    description: The service itself
  - name: meshes
    description: Mesh documents, trust bundles, and whom a mesh accepts
  - name: proxies
    description: The proxies of a mesh, as the answering replica sees them
  - name: certificates
    description: The issuance ledger
  - name: tokens
    description: Dataplane and admin tokens
  - name: certificate-authorities
    description: Certificate authorities and their roots; a private key leaves over no path
  - name: trust
    description: Doors between meshes, and who accepts whom
  - name: audit
    description: Who did what
paths:
  /:
    get:
      operationId: readProduct
      tags: [service]
      summary: Product, version and replica
      responses:
        "200":
          description: Who answers
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Product"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        default: {$ref: "#/components/responses/Problem"}
  /openapi.yaml:
    get:
      operationId: readOpenAPI
      tags: [service]
      summary: This description
      responses:
        "200":
          description: OpenAPI 3.1
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/yaml:
              schema: {type: string}
        "401": {$ref: "#/components/responses/Unauthorized"}
        default: {$ref: "#/components/responses/Problem"}
  /meshes:
    get:
      operationId: listMeshes
      tags: [meshes]
      summary: All meshes, by name
      parameters:
        - {$ref: "#/components/parameters/size"}
        - {$ref: "#/components/parameters/offset"}
      responses:
        "200":
          description: A page of meshes
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema:
                allOf:
                  - {$ref: "#/components/schemas/Listing"}
                  - type: object
                    properties:
                      items:
                        type: array
                        items: {$ref: "#/components/schemas/Mesh"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        default: {$ref: "#/components/responses/Problem"}
  /meshes/{mesh}:
    parameters:
      - {$ref: "#/components/parameters/mesh"}
    get:
      operationId: readMesh
      tags: [meshes]
      summary: One mesh
      responses:
        "200":
          description: The document
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Mesh"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "404": {$ref: "#/components/responses/Problem"}
        default: {$ref: "#/components/responses/Problem"}
    put:
      operationId: writeMesh
      tags: [meshes]
      summary: Create or replace a mesh (admin)
      description: |
        The mesh, its certificate authority, the root and its sealed key, and the audit entry are made in one transaction.
        Both of Kuma's forms are read: Universal, as below, and Kubernetes (`apiVersion`, `kind`, `metadata`, `spec`).
      parameters:
        - {$ref: "#/components/parameters/ifMatch"}
        - {$ref: "#/components/parameters/ifNoneMatch"}
      requestBody:
        required: true
        description: At most 1 MiB; the name must be the path's
        content:
          application/json:
            schema: {$ref: "#/components/schemas/Mesh"}
          application/yaml:
            schema: {$ref: "#/components/schemas/Mesh"}
      responses:
        "200":
          description: Replaced
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Change"}
        "201":
          description: Created
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Change"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "412": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "503": {$ref: "#/components/responses/Unavailable"}
        default: {$ref: "#/components/responses/Problem"}
    delete:
      operationId: deleteMesh
      tags: [meshes]
      summary: Delete a mesh and the certificate authorities that it owns (admin)
      description: Refused while proxies are connected, or a door names it. Its trust domain is free again when all issued for it has expired.
      parameters:
        - {$ref: "#/components/parameters/ifMatch"}
      responses:
        "200":
          description: Deleted
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Change"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Problem"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "412": {$ref: "#/components/responses/Problem"}
        "503": {$ref: "#/components/responses/Unavailable"}
        default: {$ref: "#/components/responses/Problem"}
  /meshes/{mesh}/bundle:
    parameters:
      - {$ref: "#/components/parameters/mesh"}
    get:
      operationId: readBundle
      tags: [meshes]
      summary: The trust bundle
      description: PEM, or a SPIFFE bundle when `Accept` asks for JSON.
      responses:
        "200":
          description: The roots of the mesh's own trust domain; none while mTLS is off
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/x-pem-file:
              schema: {type: string}
            application/json:
              schema: {$ref: "#/components/schemas/Bundle"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "404": {$ref: "#/components/responses/Problem"}
        default: {$ref: "#/components/responses/Problem"}
  /meshes/{mesh}/verify:
    parameters:
      - {$ref: "#/components/parameters/mesh"}
    post:
      operationId: verifyChain
      tags: [meshes]
      summary: Whether a proxy of the mesh would accept this peer
      parameters:
        - name: service
          in: query
          description: As a destination of this name, rather than as any peer
          schema: {type: string}
      requestBody:
        required: true
        description: The peer's chain as PEM, leaf first; at most 64 KiB
        content:
          application/x-pem-file:
            schema: {type: string}
          application/pem-certificate-chain:
            schema: {type: string}
          text/plain:
            schema: {type: string}
      responses:
        "200":
          description: The verdict; a refused chain is an answer, not an error
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Verification"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "404": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        default: {$ref: "#/components/responses/Problem"}
  /meshes/{mesh}/proxies:
    parameters:
      - {$ref: "#/components/parameters/mesh"}
    get:
      operationId: listProxies
      tags: [proxies]
      summary: The proxies that are, or lately were, connected to this replica
      parameters:
        - {$ref: "#/components/parameters/identity"}
        - {$ref: "#/components/parameters/size"}
        - {$ref: "#/components/parameters/offset"}
      responses:
        "200":
          description: A page of proxies, by identity and name
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema:
                allOf:
                  - {$ref: "#/components/schemas/Listing"}
                  - type: object
                    properties:
                      items:
                        type: array
                        items: {$ref: "#/components/schemas/Proxy"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "404": {$ref: "#/components/responses/Problem"}
        default: {$ref: "#/components/responses/Problem"}
  /meshes/{mesh}/proxies/{name}:
    parameters:
      - {$ref: "#/components/parameters/mesh"}
      - name: name
        in: path
        required: true
        description: The token's name, or else Envoy's node id
        schema: {type: string, minLength: 1}
    get:
      operationId: readProxy
      tags: [proxies]
      summary: One proxy
      parameters:
        - {$ref: "#/components/parameters/identity"}
      responses:
        "200":
          description: The proxy
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Proxy"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "404": {$ref: "#/components/responses/Problem"}
        "409":
          description: Several identities have a proxy of this name; `identity` says which
          content:
            application/problem+json:
              schema: {$ref: "#/components/schemas/Problem"}
        default: {$ref: "#/components/responses/Problem"}
  /meshes/{mesh}/certificates:
    parameters:
      - {$ref: "#/components/parameters/mesh"}
    get:
      operationId: listCertificates
      tags: [certificates]
      summary: The issuance ledger, newest first
      parameters:
        - {$ref: "#/components/parameters/identity"}
        - name: kind
          in: query
          schema: {type: string, enum: [cross, issuing, leaf, root]}
        - {$ref: "#/components/parameters/size"}
        - {$ref: "#/components/parameters/offset"}
      responses:
        "200":
          description: A page of certificates
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema:
                allOf:
                  - {$ref: "#/components/schemas/Listing"}
                  - type: object
                    properties:
                      items:
                        type: array
                        items: {$ref: "#/components/schemas/Certificate"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "404": {$ref: "#/components/responses/Problem"}
        "503": {$ref: "#/components/responses/Unavailable"}
        default: {$ref: "#/components/responses/Problem"}
    post:
      operationId: signCSR
      tags: [certificates]
      summary: The token's identity for the CSR's key (dataplane token)
      description: Of the CSR only the public key is taken, after proof of possession; whatever else it asks for is refused.
      security:
        - dataplaneToken: []
      requestBody:
        required: true
        description: A PKCS#10 request as PEM; at most 64 KiB
        content:
          application/x-pem-file:
            schema: {type: string}
          text/plain:
            schema: {type: string}
      responses:
        "200":
          description: The leaf and the issuing certificate
          content:
            application/pem-certificate-chain:
              schema: {type: string}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "503": {$ref: "#/components/responses/Unavailable"}
        default: {$ref: "#/components/responses/Problem"}
  /tokens:
    get:
      operationId: listTokens
      tags: [tokens]
      summary: The tokens that were issued, newest first; never a token itself
      parameters:
        - {$ref: "#/components/parameters/meshFilter"}
        - {$ref: "#/components/parameters/size"}
        - {$ref: "#/components/parameters/offset"}
      responses:
        "200":
          description: A page of tokens
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema:
                allOf:
                  - {$ref: "#/components/schemas/Listing"}
                  - type: object
                    properties:
                      items:
                        type: array
                        items: {$ref: "#/components/schemas/Token"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "404": {$ref: "#/components/responses/Problem"}
        "503": {$ref: "#/components/responses/Unavailable"}
        default: {$ref: "#/components/responses/Problem"}
  /tokens/dataplane:
    post:
      operationId: issueDataplaneToken
      tags: [tokens]
      summary: Issue a dataplane token (operator)
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: "#/components/schemas/DataplaneTokenRequest"}
          application/yaml:
            schema: {$ref: "#/components/schemas/DataplaneTokenRequest"}
      responses:
        "200": {$ref: "#/components/responses/IssuedToken"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Problem"}
        "404": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "503": {$ref: "#/components/responses/Unavailable"}
        default: {$ref: "#/components/responses/Problem"}
  /tokens/user:
    post:
      operationId: issueUserToken
      tags: [tokens]
      summary: Issue an admin token (admin)
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: "#/components/schemas/UserTokenRequest"}
          application/yaml:
            schema: {$ref: "#/components/schemas/UserTokenRequest"}
      responses:
        "200": {$ref: "#/components/responses/IssuedToken"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "503": {$ref: "#/components/responses/Unavailable"}
        default: {$ref: "#/components/responses/Problem"}
  /tokens/revocations:
    get:
      operationId: listRevocations
      tags: [tokens]
      summary: Revoked tokens that have not expired, and revoked identities
      parameters:
        - {$ref: "#/components/parameters/size"}
        - {$ref: "#/components/parameters/offset"}
      responses:
        "200":
          description: A page of revocations
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema:
                allOf:
                  - {$ref: "#/components/schemas/Listing"}
                  - type: object
                    properties:
                      items:
                        type: array
                        items: {$ref: "#/components/schemas/Revocation"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        default: {$ref: "#/components/responses/Problem"}
    post:
      operationId: revoke
      tags: [tokens]
      summary: Revoke a token or an identity (operator)
      description: The streams that it opened end at once. Revoking again changes nothing.
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: "#/components/schemas/Revocation"}
          application/yaml:
            schema: {$ref: "#/components/schemas/Revocation"}
      responses:
        "200":
          description: Revoked
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Change"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Problem"}
        "404": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "503": {$ref: "#/components/responses/Unavailable"}
        default: {$ref: "#/components/responses/Problem"}
  /certificate-authorities:
    get:
      operationId: listCertificateAuthorities
      tags: [certificate-authorities]
      summary: All certificate authorities, by name
      parameters:
        - {$ref: "#/components/parameters/size"}
        - {$ref: "#/components/parameters/offset"}
      responses:
        "200":
          description: A page of certificate authorities
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema:
                allOf:
                  - {$ref: "#/components/schemas/Listing"}
                  - type: object
                    properties:
                      items:
                        type: array
                        items: {$ref: "#/components/schemas/CertificateAuthority"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        default: {$ref: "#/components/responses/Problem"}
  /certificate-authorities/{ca}:
    parameters:
      - {$ref: "#/components/parameters/ca"}
    get:
      operationId: readCertificateAuthority
      tags: [certificate-authorities]
      summary: One certificate authority
      responses:
        "200":
          description: The certificate authority
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema: {$ref: "#/components/schemas/CertificateAuthority"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "404": {$ref: "#/components/responses/Problem"}
        default: {$ref: "#/components/responses/Problem"}
  /certificate-authorities/{ca}/issuers:
    parameters:
      - {$ref: "#/components/parameters/ca"}
    get:
      operationId: listIssuers
      tags: [certificate-authorities]
      summary: Its roots, by id
      parameters:
        - {$ref: "#/components/parameters/size"}
        - {$ref: "#/components/parameters/offset"}
      responses:
        "200":
          description: A page of issuers
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema:
                allOf:
                  - {$ref: "#/components/schemas/Listing"}
                  - type: object
                    properties:
                      items:
                        type: array
                        items: {$ref: "#/components/schemas/Issuer"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "404": {$ref: "#/components/responses/Problem"}
        default: {$ref: "#/components/responses/Problem"}
  /certificate-authorities/{ca}/issuers/{id}:
    parameters:
      - {$ref: "#/components/parameters/ca"}
      - name: id
        in: path
        required: true
        schema: {type: string, pattern: "^[0-9a-f]{16}$"}
    get:
      operationId: readIssuer
      tags: [certificate-authorities]
      summary: One root
      responses:
        "200":
          description: The issuer
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Issuer"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "404": {$ref: "#/components/responses/Problem"}
        default: {$ref: "#/components/responses/Problem"}
  /cross-mesh-accesses:
    get:
      operationId: listCrossMeshAccesses
      tags: [trust]
      summary: All doors between meshes, by name
      parameters:
        - {$ref: "#/components/parameters/size"}
        - {$ref: "#/components/parameters/offset"}
      responses:
        "200":
          description: A page of doors
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema:
                allOf:
                  - {$ref: "#/components/schemas/Listing"}
                  - type: object
                    properties:
                      items:
                        type: array
                        items: {$ref: "#/components/schemas/CrossMeshAccess"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        default: {$ref: "#/components/responses/Problem"}
  /cross-mesh-accesses/{name}:
    parameters:
      - name: name
        in: path
        required: true
        schema: {type: string, pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}
    get:
      operationId: readCrossMeshAccess
      tags: [trust]
      summary: One door
      responses:
        "200":
          description: The document
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema: {$ref: "#/components/schemas/CrossMeshAccess"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "404": {$ref: "#/components/responses/Problem"}
        default: {$ref: "#/components/responses/Problem"}
    put:
      operationId: writeCrossMeshAccess
      tags: [trust]
      summary: Open or replace a door (admin)
      description: |
        One way only: proxies of `to` accept identities of `from`, from the next push on. Both meshes must be there.
        Both of Kuma's forms are read: Universal, as below, and Kubernetes (`apiVersion`, `kind`, `metadata`, `spec`).
      parameters:
        - {$ref: "#/components/parameters/ifMatch"}
        - {$ref: "#/components/parameters/ifNoneMatch"}
      requestBody:
        required: true
        description: At most 1 MiB; the name must be the path's
        content:
          application/json:
            schema: {$ref: "#/components/schemas/CrossMeshAccess"}
          application/yaml:
            schema: {$ref: "#/components/schemas/CrossMeshAccess"}
      responses:
        "200":
          description: Replaced
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Change"}
        "201":
          description: Created
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Change"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "412": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "503": {$ref: "#/components/responses/Unavailable"}
        default: {$ref: "#/components/responses/Problem"}
    delete:
      operationId: deleteCrossMeshAccess
      tags: [trust]
      summary: Close a door (admin)
      description: New connections are refused from the next push on; those that stand are not cut.
      parameters:
        - {$ref: "#/components/parameters/ifMatch"}
      responses:
        "200":
          description: Closed
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Change"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Problem"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "412": {$ref: "#/components/responses/Problem"}
        "503": {$ref: "#/components/responses/Unavailable"}
        default: {$ref: "#/components/responses/Problem"}
  /trust/matrix:
    get:
      operationId: readTrustMatrix
      tags: [trust]
      summary: Who accepts whom, read from the contexts that SDS serves
      responses:
        "200":
          description: A cell for each pair of meshes with mTLS, in both directions
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema: {$ref: "#/components/schemas/TrustMatrix"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        default: {$ref: "#/components/responses/Problem"}
  /trust/check:
    post:
      operationId: checkTrust
      tags: [trust]
      summary: Would one identity be accepted by another, and what decides it
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: "#/components/schemas/TrustQuestion"}
          application/yaml:
            schema: {$ref: "#/components/schemas/TrustQuestion"}
      responses:
        "200":
          description: The verdict; a refusal is an answer, not an error
          content:
            application/json:
              schema: {$ref: "#/components/schemas/TrustVerdict"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        default: {$ref: "#/components/responses/Problem"}
  /audit:
    get:
      operationId: listAudit
      tags: [audit]
      summary: The audit trail, newest first
      parameters:
        - {$ref: "#/components/parameters/meshFilter"}
        - {$ref: "#/components/parameters/size"}
        - {$ref: "#/components/parameters/offset"}
      responses:
        "200":
          description: A page of audit entries
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema:
                allOf:
                  - {$ref: "#/components/schemas/Listing"}
                  - type: object
                    properties:
                      items:
                        type: array
                        items: {$ref: "#/components/schemas/AuditEntry"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "404": {$ref: "#/components/responses/Problem"}
        "503": {$ref: "#/components/responses/Unavailable"}
        default: {$ref: "#/components/responses/Problem"}
components:
  securitySchemes:
    adminToken:
      type: http
      scheme: bearer
      bearerFormat: JWT
      description: From `signet dev`, or `POST /tokens/user`
    dataplaneToken:
      type: http
      scheme: bearer
      bearerFormat: JWT
      description: From `POST /tokens/dataplane`, for the mesh of the path
  headers:
    ETag:
      description: Of the document's revision, or weak, of the answer
      schema: {type: string}
  parameters:
    mesh:
      name: mesh
      in: path
      required: true
      schema: {type: string, pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}
    ca:
      name: ca
      in: path
      required: true
      description: Its name; `<mesh>.<backend>` for a mesh's own
      schema: {type: string, minLength: 1}
    meshFilter:
      name: mesh
      in: query
      description: Of this mesh alone
      schema: {type: string}
    identity:
      name: identity
      in: query
      description: Of this SPIFFE ID alone
      schema: {type: string}
    size:
      name: size
      in: query
      description: How many items a page has
      schema: {type: integer, minimum: 1, maximum: 1000, default: 100}
    offset:
      name: offset
      in: query
      description: Where the page begins; opaque, from `next` of the page before
      schema: {type: string}
    ifMatch:
      name: If-Match
      in: header
      description: The ETag that was read, or `*`; a lost race is answered 412
      schema: {type: string}
    ifNoneMatch:
      name: If-None-Match
      in: header
      description: "`*`: only if there is none yet; else 412"
      schema: {type: string, const: "*"}
  responses:
    Problem:
      description: What is wrong and what to do about it
      content:
        application/problem+json:
          schema: {$ref: "#/components/schemas/Problem"}
    Unauthorized:
      description: No token, or one that opens nothing
      headers:
        WWW-Authenticate:
          schema: {type: string}
      content:
        application/problem+json:
          schema: {$ref: "#/components/schemas/Problem"}
    Unavailable:
      description: The database does not answer
      headers:
        Retry-After:
          schema: {type: string}
      content:
        application/problem+json:
          schema: {$ref: "#/components/schemas/Problem"}
    IssuedToken:
      description: The bare token, which is shown this once
      content:
        text/plain:
          schema: {type: string}
  schemas:
    Duration:
      type: string
      pattern: "^([0-9]+(y|w|d|h|m|s|ms))+$"
      examples: [24h, 1h30m, 10y]
    Product:
      type: object
      required: [product, version, instance]
      properties:
        product: {type: string}
        version: {type: string}
        instance: {type: string}
    Change:
      type: object
      required: [warnings]
      properties:
        warnings:
          type: array
          items: {type: string}
    Listing:
      type: object
      required: [total, items, next]
      properties:
        total: {type: integer, minimum: 0}
        items: {type: array}
        next:
          type: [string, "null"]
          description: The absolute URL of the next page; null on the last
    Problem:
      type: object
      required: [type, title, status, detail, instance]
      properties:
        type: {type: string}
        title: {type: string}
        status: {type: integer}
        detail: {type: string}
        instance:
          type: string
          description: The request id
        reason:
          type: string
          description: Stable and kebab-case, where a credential was refused
        invalid_parameters:
          type: array
          items:
            type: object
            required: [field, reason]
            properties:
              field: {type: string}
              reason: {type: string}
    Tags:
      type: object
      additionalProperties: {type: string}
    TagRules:
      type: array
      items:
        type: object
        additionalProperties: false
        required: [tags]
        properties:
          tags: {$ref: "#/components/schemas/Tags"}
    Mesh:
      type: object
      additionalProperties: false
      required: [type, name]
      properties:
        type: {const: Mesh}
        name: {type: string, maxLength: 63}
        creationTime: {type: string, readOnly: true}
        modificationTime: {type: string, readOnly: true}
        kri: {type: string, writeOnly: true}
        labels: {$ref: "#/components/schemas/Tags"}
        annotations: {$ref: "#/components/schemas/Tags"}
        trustDomain:
          type: string
          maxLength: 255
          description: The name where none is given; cannot be changed
        mtls:
          type: object
          additionalProperties: false
          properties:
            enabledBackend: {type: string}
            skipValidation: {type: boolean}
            backends:
              type: array
              items: {$ref: "#/components/schemas/Backend"}
        identity:
          type: object
          additionalProperties: false
          properties:
            path: {type: string, default: "/{kuma.io/service}"}
        isolated: {type: boolean, default: false}
        nameConstraints: {type: boolean, default: true}
        constraints:
          type: object
          additionalProperties: false
          properties:
            dataplaneProxy:
              type: object
              additionalProperties: false
              properties:
                requirements: {$ref: "#/components/schemas/TagRules"}
                restrictions: {$ref: "#/components/schemas/TagRules"}
        networking: {description: Kept and given back}
        metrics: {description: Kept and given back}
        tracing: {description: Kept and given back}
        logging: {description: Kept and given back}
        routing: {description: Kept and given back}
        meshServices: {description: Kept and given back}
    Backend:
      type: object
      additionalProperties: false
      required: [name, type]
      properties:
        name: {type: string, maxLength: 63}
        type: {const: builtin}
        mode: {type: string, enum: [STRICT, PERMISSIVE], default: STRICT}
        dpCert:
          type: object
          additionalProperties: false
          properties:
            requestTimeout: {$ref: "#/components/schemas/Duration"}
            rotation:
              type: object
              additionalProperties: false
              properties:
                expiration: {$ref: "#/components/schemas/Duration"}
        rootChain:
          type: object
          additionalProperties: false
          properties:
            requestTimeout: {$ref: "#/components/schemas/Duration"}
        conf:
          type: object
          additionalProperties: false
          properties:
            caCert:
              type: object
              additionalProperties: false
              properties:
                keyType: {$ref: "#/components/schemas/KeyType"}
                RSAbits: {type: integer, enum: [2048, 3072, 4096]}
                expiration: {$ref: "#/components/schemas/Duration"}
    KeyType:
      type: string
      enum: [EC-P256, EC-P384, RSA-2048, RSA-3072, RSA-4096]
    Bundle:
      type: object
      description: SPIFFE Trust Domain and Bundle, section 4
      required: [keys, spiffe_sequence, spiffe_refresh_hint]
      properties:
        keys:
          type: array
          items:
            type: object
            required: [use, kty, x5c]
            properties:
              use: {const: x509-svid}
              kty: {type: string, enum: [EC, RSA]}
              crv: {type: string}
              x: {type: string}
              y: {type: string}
              n: {type: string}
              e: {type: string}
              x5c:
                type: array
                minItems: 1
                maxItems: 1
                items: {type: string}
        spiffe_sequence: {type: integer}
        spiffe_refresh_hint: {type: integer}
    Verification:
      type: object
      required: [accepted, reason, detail]
      properties:
        accepted: {type: boolean}
        reason: {type: string}
        detail: {type: string}
        identity: {type: string}
    Proxy:
      type: object
      required: [name, mesh, identity, node, replica, connected, connectedAt, subscriptions]
      properties:
        name: {type: string}
        mesh: {type: string}
        identity: {type: string}
        node: {type: string}
        replica: {type: string}
        connected: {type: boolean}
        connectedAt: {type: string}
        disconnectedAt: {type: string}
        certificateExpiresAt: {type: string}
        subscriptions:
          type: array
          items:
            type: object
            required: [resource, silent]
            properties:
              resource: {type: string}
              sentVersion: {type: string}
              sentAt: {type: string}
              ackedVersion: {type: string}
              ackedAt: {type: string}
              nack:
                type: object
                required: [version, message, at]
                properties:
                  version: {type: string}
                  message: {type: string}
                  at: {type: string}
              refusal: {type: string}
              silent: {type: boolean}
              certificate:
                type: object
                required: [serial, issuer, notAfter, renewAt]
                properties:
                  serial: {type: string}
                  issuer: {type: string}
                  notAfter: {type: string}
                  renewAt: {type: string}
    Certificate:
      type: object
      required: [serial, kind, certificateAuthority, issuer, signedBy, notBefore, notAfter, digest, issuedAt]
      properties:
        serial: {type: string}
        kind: {type: string, enum: [cross, issuing, leaf, root]}
        mesh: {type: string}
        certificateAuthority: {type: string}
        issuer: {type: string}
        signedBy: {type: string}
        identity: {type: string}
        notBefore: {type: string}
        notAfter: {type: string}
        digest:
          type: string
          description: SHA-256 of the TBSCertificate
        issuedAt: {type: string}
        origin:
          type: object
          required: [tokenId, proxy, tags]
          properties:
            tokenId: {type: string}
            proxy: {type: string}
            tags: {$ref: "#/components/schemas/TagLists"}
    TagLists:
      type: object
      additionalProperties:
        type: array
        items: {type: string}
    Token:
      type: object
      required: [id, kind, name, tags, roles, issuedAt, expiresAt]
      properties:
        id: {type: string}
        kind: {type: string, enum: [dataplane, user]}
        mesh: {type: string}
        name: {type: string}
        tags: {$ref: "#/components/schemas/TagLists"}
        roles:
          type: array
          items: {type: string}
        identity: {type: string}
        issuedAt: {type: string}
        expiresAt: {type: string}
        revokedAt: {type: string}
    DataplaneTokenRequest:
      type: object
      additionalProperties: false
      required: [mesh]
      properties:
        mesh: {type: string}
        name: {type: string, maxLength: 253}
        tags: {$ref: "#/components/schemas/TagLists"}
        validFor: {$ref: "#/components/schemas/Duration"}
    UserTokenRequest:
      type: object
      additionalProperties: false
      required: [name, roles]
      properties:
        name: {type: string, minLength: 1, maxLength: 253}
        roles:
          type: array
          minItems: 1
          items: {type: string, enum: [admin, operator, viewer]}
        validFor: {$ref: "#/components/schemas/Duration"}
    Revocation:
      type: object
      description: Exactly one of the two
      additionalProperties: false
      properties:
        token:
          type: string
          description: The token's id (jti)
        identity:
          type: string
          description: A SPIFFE ID
      oneOf:
        - required: [token]
        - required: [identity]
    CertificateAuthority:
      type: object
      required: [type, name, keyType, expiration, meshes, issuers]
      properties:
        type: {const: CertificateAuthority}
        name: {type: string}
        keyType: {$ref: "#/components/schemas/KeyType"}
        expiration: {$ref: "#/components/schemas/Duration"}
        owner: {type: string}
        meshes:
          type: array
          items: {type: string}
        issuers:
          type: array
          items: {type: string}
    Issuer:
      type: object
      required: [id, certificateAuthority, uses, serial, fingerprint, notBefore, notAfter, certificate]
      properties:
        id: {type: string}
        certificateAuthority: {type: string}
        uses:
          type: array
          items:
            type: object
            required: [mesh, state]
            properties:
              mesh: {type: string}
              state: {type: string, enum: [prepared, active, outgoing, retired, revoked]}
        serial: {type: string}
        fingerprint: {type: string}
        notBefore: {type: string}
        notAfter: {type: string}
        certificate:
          type: string
          description: The root certificate, PEM
    CrossMeshAccess:
      type: object
      description: A door between two meshes of different certificate authorities, one way
      additionalProperties: false
      required: [type, name, from, to]
      properties:
        type: {const: CrossMeshAccess}
        name: {type: string, maxLength: 63}
        creationTime: {type: string, readOnly: true}
        modificationTime: {type: string, readOnly: true}
        kri: {type: string, writeOnly: true}
        from: {$ref: "#/components/schemas/CrossMeshAccessSide"}
        to: {$ref: "#/components/schemas/CrossMeshAccessSide"}
    CrossMeshAccessSide:
      type: object
      additionalProperties: false
      required: [mesh]
      properties:
        mesh: {type: string, maxLength: 63}
        services:
          type: array
          description: Values of `kuma.io/service`; absent, the whole mesh
          minItems: 1
          maxItems: 1000
          uniqueItems: true
          items: {type: string, minLength: 1, not: {const: "*"}}
    TrustMatrix:
      type: object
      required: [meshes, cells]
      properties:
        meshes:
          type: array
          description: Those with mTLS, by name
          items: {type: string}
        cells:
          type: array
          items:
            type: object
            required: [from, to, extent, through]
            properties:
              from: {type: string}
              to: {type: string}
              extent:
                type: string
                enum: [all, some, none]
                description: What proxies of `to` accept of `from`
              through:
                type: array
                description: "`same-mesh`, or the names of the doors"
                items: {type: string}
    TrustQuestion:
      type: object
      additionalProperties: false
      required: [from, to]
      properties:
        from: {type: string, description: The SPIFFE ID that connects, maxLength: 2048}
        to: {type: string, description: The SPIFFE ID that is connected to, maxLength: 2048}
    TrustVerdict:
      type: object
      required: [accepted, reason, detail]
      properties:
        accepted: {type: boolean}
        reason:
          type: string
          enum: [door, identity-revoked, mesh-without-mtls, no-door, not-through-door, same-mesh, unknown-trust-domain]
        detail: {type: string}
    AuditEntry:
      type: object
      required: [at, actor, source, action, object, details, requestId]
      properties:
        at: {type: string}
        actor: {type: string}
        source: {type: string}
        action: {type: string}
        mesh: {type: string}
        object: {type: string}
        details:
          type: object
          additionalProperties: {type: string}
        requestId: {type: string}
"""##
}
