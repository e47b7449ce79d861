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

    Every path needs an admin token, this description too; no address is an administrator by itself. The one exception
    is `POST /meshes/{mesh}/certificates`, which takes a dataplane token instead. Roles: a `viewer` reads, an `operator`
    also issues dataplane tokens, revokes tokens and identities, and rotates and revokes roots, an `admin` does all. A token may be limited to named
    meshes: then lists show what concerns these alone, whatever concerns others is 403 whether it is there or not, and
    so is what is of no mesh. Lists that are narrowed by `mesh` need it of a token that is limited to several.

    A HEAD answers as the GET of its path, without the body; a method that a path does not have is 405, with `Allow`. A
    query parameter that a path does not know is refused; a member of a body whose value is null is one that is left
    out. Every answer carries `x-request-id`: the request's own when it is 1 to 64 letters, digits, `-`, `.` or `_`.
  license: {name: Apache-2.0, identifier: Apache-2.0}
servers:
  - {url: https://localhost:5682}
security:
  - {adminToken: []}
tags:
  - {name: service, description: The service itself}
  - {name: meshes, description: "Mesh documents, trust bundles, and whom a mesh accepts"}
  - {name: proxies, description: "The proxies of a mesh, as the answering replica sees them"}
  - {name: certificates, description: The issuance ledger}
  - {name: tokens, description: Dataplane and admin tokens}
  - name: certificate-authorities
    description: Certificate authorities and their roots; a private key leaves over no path
  - {name: rotations, description: "The replacement of one root by another, step by step"}
  - {name: trust, description: "Doors between meshes, and who accepts whom"}
  - {name: audit, description: Who did what}
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
            application/json: {schema: {$ref: "#/components/schemas/Product"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
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
            application/yaml: {schema: {type: object}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
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
                      items: {type: array, items: {$ref: "#/components/schemas/Mesh"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
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
            application/json: {schema: {$ref: "#/components/schemas/Mesh"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
    put:
      operationId: writeMesh
      tags: [meshes]
      summary: Create or replace a mesh (admin)
      description: |
        The mesh, its certificate authorities, roots and sealed keys, the rotation that moves it from one to another,
        and the audit entry are made in one transaction. Both of Kuma's forms are read: Universal, as below, and
        Kubernetes (`apiVersion`, `kind`, `metadata`, `spec`). A dry run checks everything, changes nothing, and always
        answers 200 with what would change.
      parameters:
        - {$ref: "#/components/parameters/dryRun"}
        - name: leave
          in: query
          description: Whether the document may take the mesh away from a shared certificate authority; else 409
          schema: {type: boolean, default: false}
        - {$ref: "#/components/parameters/ifMatch"}
        - {$ref: "#/components/parameters/ifNoneMatch"}
      requestBody:
        required: true
        description: At most 1 MiB; the name must be the path's
        content:
          application/json:
            schema: {$ref: "#/components/schemas/Mesh"}
            example:
              type: Mesh
              name: default
              mtls:
                enabledBackend: corp
                backends:
                  - {name: ca-1, type: builtin}
                  - {name: corp, type: shared, conf: {authority: corp}}
          application/yaml: {schema: {$ref: "#/components/schemas/Mesh"}}
      responses:
        "200":
          description: Replaced; or, in a dry run, what would change
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json: {schema: {$ref: "#/components/schemas/MeshChange"}}
        "201":
          description: Created
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json: {schema: {$ref: "#/components/schemas/MeshChange"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "412": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
    delete:
      operationId: deleteMesh
      tags: [meshes]
      summary: Delete a mesh and the certificate authorities that it owns (admin)
      description: |
        Refused while proxies are connected, a door names it, or a rotation of it runs. Its trust domain is free again
        when all issued for it has expired.
      parameters:
        - {$ref: "#/components/parameters/ifMatch"}
      responses:
        "200":
          description: Deleted
          content:
            application/json: {schema: {$ref: "#/components/schemas/Change"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "412": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
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
            application/x-pem-file: {schema: {type: string}}
            application/json: {schema: {$ref: "#/components/schemas/Bundle"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
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
          application/x-pem-file: {schema: {type: string}}
          application/pem-certificate-chain: {schema: {type: string}}
          text/plain:
            schema: {type: string}
            example: |
              -----BEGIN CERTIFICATE-----
              MIIBeTCCAR+gAwIBAgIULoyeWOpu9tOUbvtXMDNxrzWx29gwCgYIKoZIzj0EAwIw
              EjEQMA4GA1UEAwwHZXhhbXBsZTAeFw0yNjExMjExMTUzMDBaFw0zNjExMTgxMTUz
              MDBaMBIxEDAOBgNVBAMMB2V4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
              AATMwq/eEsVy1z3d4CXqUtq0b938Pv+wS2v944ZYlRm0qD404riGSNAP+ZnwFjzB
              +RStWIg80RZKw0TbTGkNIZg5o1MwUTAdBgNVHQ4EFgQU/13YoqjG4ckO4EpDOw8E
              rgD5Wo4wHwYDVR0jBBgwFoAU/13YoqjG4ckO4EpDOw8ErgD5Wo4wDwYDVR0TAQH/
              BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAk4bAwlcFhhIVN50NfxP+WRoEKFDw
              xPdjie7+wClkwX0CIAVbau5INF1fenqlQ3uANWbJi7iVpzFtaVvO/Kfl9i9Z
              -----END CERTIFICATE-----
      responses:
        "200":
          description: The verdict; a refused chain is an answer, not an error
          content:
            application/json: {schema: {$ref: "#/components/schemas/Verification"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /meshes/{mesh}/meshservices:
    parameters:
      - {$ref: "#/components/parameters/mesh"}
    get:
      operationId: listMeshServices
      tags: [meshes]
      summary: The services of a mesh, by name
      parameters:
        - {$ref: "#/components/parameters/size"}
        - {$ref: "#/components/parameters/offset"}
      responses:
        "200":
          description: A page of services
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema:
                allOf:
                  - {$ref: "#/components/schemas/Listing"}
                  - type: object
                    properties:
                      items: {type: array, items: {$ref: "#/components/schemas/MeshService"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /meshes/{mesh}/meshservices/{name}:
    parameters:
      - {$ref: "#/components/parameters/mesh"}
      - {$ref: "#/components/parameters/serviceName"}
    get:
      operationId: readMeshService
      tags: [meshes]
      summary: One service
      responses:
        "200":
          description: The document
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json: {schema: {$ref: "#/components/schemas/MeshService"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
    put:
      operationId: writeMeshService
      tags: [meshes]
      summary: Create or replace a service (admin)
      description: |
        Names the identities behind a service: those granted to tokens with every tag of the selector. Both of Kuma's
        forms are read. A dry run checks everything, changes nothing, and always answers 200 with what would change.
      parameters:
        - {$ref: "#/components/parameters/dryRun"}
        - {$ref: "#/components/parameters/ifMatch"}
        - {$ref: "#/components/parameters/ifNoneMatch"}
      requestBody:
        required: true
        description: At most 1 MiB; name and mesh must be the path's
        content:
          application/json:
            schema: {$ref: "#/components/schemas/MeshService"}
            example:
              type: MeshService
              mesh: default
              name: api
              spec:
                selector: {dataplaneTags: {kuma.io/service: api}}
                ports:
                  - {port: 80, targetPort: 8080}
          application/yaml: {schema: {$ref: "#/components/schemas/MeshService"}}
      responses:
        "200":
          description: Replaced; or, in a dry run, what would change
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json: {schema: {$ref: "#/components/schemas/MeshChange"}}
        "201":
          description: Created
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json: {schema: {$ref: "#/components/schemas/MeshChange"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "412": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
    delete:
      operationId: deleteMeshService
      tags: [meshes]
      summary: Delete a service (admin)
      parameters:
        - {$ref: "#/components/parameters/ifMatch"}
      responses:
        "200":
          description: Deleted
          content:
            application/json: {schema: {$ref: "#/components/schemas/Change"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "412": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /meshes/{mesh}/proxies:
    parameters:
      - {$ref: "#/components/parameters/mesh"}
    get:
      operationId: listProxies
      tags: [proxies]
      summary: The proxies that are, or lately were, connected to this replica
      parameters:
        - {$ref: "#/components/parameters/identity"}
        - {$ref: "#/components/parameters/node"}
        - {$ref: "#/components/parameters/size"}
        - {$ref: "#/components/parameters/offset"}
      responses:
        "200":
          description: A page of proxies, by identity, name and node
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema:
                allOf:
                  - {$ref: "#/components/schemas/Listing"}
                  - type: object
                    properties:
                      items: {type: array, items: {$ref: "#/components/schemas/Proxy"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
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
        - {$ref: "#/components/parameters/node"}
      responses:
        "200":
          description: The proxy
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json: {schema: {$ref: "#/components/schemas/Proxy"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "409":
          description: Several have this name; `identity` and `node` say which
          content:
            application/problem+json: {schema: {$ref: "#/components/schemas/Problem"}}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
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
                      items: {type: array, items: {$ref: "#/components/schemas/Certificate"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
    post:
      operationId: signCSR
      tags: [certificates]
      summary: The token's identity for the CSR's key (dataplane token)
      description: |
        Of the CSR only the public key is taken, after proof of possession; whatever else it asks for is refused.
      security:
        - {dataplaneToken: []}
      requestBody:
        required: true
        description: A PKCS#10 request as PEM; at most 64 KiB
        content:
          application/x-pem-file: {schema: {type: string}}
          text/plain:
            schema: {type: string}
            example: |
              -----BEGIN CERTIFICATE REQUEST-----
              MIG6MGICAQAwADBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGREWyy7rmXI5k79
              WzfvX+GRBMJ0Fj7jy+NPxMxnR6tYEJedClk/Wnco0J0Ok0yCUtS4givalLqgtTLW
              inJK2kygADAKBggqhkjOPQQDAgNIADBFAiAd08rqNA3uYyTaQabFR8guuR/Odhra
              BSbVx5RrHb757wIhAPqJzVzIS2fqUdjoejuIDhuVhTqvTervzvIgNYakR1JI
              -----END CERTIFICATE REQUEST-----
      responses:
        "200":
          description: The leaf and the issuing certificate
          content:
            application/pem-certificate-chain: {schema: {type: string}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
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
                      items: {type: array, items: {$ref: "#/components/schemas/Token"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
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
            example: {mesh: default, name: web-1, tags: {kuma.io/service: [web]}, validFor: 1h}
          application/yaml: {schema: {$ref: "#/components/schemas/DataplaneTokenRequest"}}
      responses:
        "200": {$ref: "#/components/responses/IssuedToken"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /tokens/user:
    post:
      operationId: issueUserToken
      tags: [tokens]
      summary: Issue an admin token (admin of all meshes)
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: "#/components/schemas/UserTokenRequest"}
            example: {name: eve, roles: [viewer], meshes: [default], validFor: 1h}
          application/yaml: {schema: {$ref: "#/components/schemas/UserTokenRequest"}}
      responses:
        "200": {$ref: "#/components/responses/IssuedToken"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "409": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
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
                      items: {type: array, items: {$ref: "#/components/schemas/Revocation"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
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
            example: {identity: spiffe://default/nobody}
          application/yaml: {schema: {$ref: "#/components/schemas/Revocation"}}
      responses:
        "200":
          description: Revoked
          content:
            application/json: {schema: {$ref: "#/components/schemas/Change"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
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
                      items: {type: array, items: {$ref: "#/components/schemas/CertificateAuthority"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /certificate-authorities/{ca}:
    parameters:
      - {$ref: "#/components/parameters/ca"}
    get:
      operationId: readCertificateAuthority
      tags: [certificate-authorities]
      summary: One certificate authority
      responses:
        "200":
          description: The document
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json: {schema: {$ref: "#/components/schemas/CertificateAuthority"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
    put:
      operationId: writeCertificateAuthority
      tags: [certificate-authorities]
      summary: Create a certificate authority that meshes may share, or change its terms (admin of all meshes)
      description: |
        The meshes that it names join; one that it does not name stays: leaving is by `DELETE …/meshes/{mesh}`. A root
        that is brought (`cert`, `key`) is checked whole before anything changes. A dry run checks everything, changes
        nothing, and always answers 200 with what would change.
      parameters:
        - {$ref: "#/components/parameters/dryRun"}
        - {$ref: "#/components/parameters/ifMatch"}
        - {$ref: "#/components/parameters/ifNoneMatch"}
      requestBody:
        required: true
        description: At most 1 MiB; the name must be the path's
        content:
          application/json:
            schema: {$ref: "#/components/schemas/CertificateAuthority"}
            example: {type: CertificateAuthority, name: corp}
          application/yaml: {schema: {$ref: "#/components/schemas/CertificateAuthority"}}
      responses:
        "200":
          description: Replaced; or, in a dry run, what would change
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json: {schema: {$ref: "#/components/schemas/CertificateAuthorityChange"}}
        "201":
          description: Created
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json: {schema: {$ref: "#/components/schemas/CertificateAuthorityChange"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "412": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
    delete:
      operationId: deleteCertificateAuthority
      tags: [certificate-authorities]
      summary: Delete a certificate authority (admin of all meshes)
      description: Refused, naming them, while meshes use it or trust a root of it.
      parameters:
        - {$ref: "#/components/parameters/ifMatch"}
      responses:
        "200":
          description: Deleted
          content:
            application/json: {schema: {$ref: "#/components/schemas/Change"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "412": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /certificate-authorities/{ca}/meshes:
    parameters:
      - {$ref: "#/components/parameters/ca"}
    get:
      operationId: listSharers
      tags: [certificate-authorities]
      summary: The meshes whose enabled backend it is, by name
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
                      items: {type: array, items: {$ref: "#/components/schemas/Mesh"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /certificate-authorities/{ca}/meshes/{mesh}:
    parameters:
      - {$ref: "#/components/parameters/ca"}
      - {$ref: "#/components/parameters/mesh"}
    get:
      operationId: readSharer
      tags: [certificate-authorities]
      summary: One mesh whose enabled backend it is
      responses:
        "200":
          description: The document of the mesh
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json: {schema: {$ref: "#/components/schemas/Mesh"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
    put:
      operationId: share
      tags: [certificate-authorities]
      summary: Make a mesh share it (admin of all its meshes)
      description: |
        Adds a backend of `type: shared` to the mesh's document and switches to it: a rotation moves the mesh, and its
        traffic never breaks. A dry run checks everything, changes nothing, and always answers 200 with what would
        change.
      parameters:
        - {$ref: "#/components/parameters/dryRun"}
        - {$ref: "#/components/parameters/ifMatch"}
        - {$ref: "#/components/parameters/ifNoneMatch"}
      responses:
        "200":
          description: It shares it already; or, in a dry run, what would change
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json: {schema: {$ref: "#/components/schemas/MeshChange"}}
        "201":
          description: It joins
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json: {schema: {$ref: "#/components/schemas/MeshChange"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "412": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
    delete:
      operationId: unshare
      tags: [certificate-authorities]
      summary: Make a mesh leave it (admin of all its meshes)
      description: |
        Back to the backend before, or to a new builtin one. From the first push on the other meshes refuse it, and it
        them. A dry run checks everything, changes nothing, and always answers 200 with what would change.
      parameters:
        - {$ref: "#/components/parameters/dryRun"}
        - {$ref: "#/components/parameters/ifMatch"}
      responses:
        "200":
          description: It leaves; or, in a dry run, what would change
          content:
            application/json: {schema: {$ref: "#/components/schemas/MeshChange"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "412": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
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
                      items: {type: array, items: {$ref: "#/components/schemas/Issuer"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /certificate-authorities/{ca}/issuers/{id}:
    parameters:
      - {$ref: "#/components/parameters/ca"}
      - {$ref: "#/components/parameters/issuer"}
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
            application/json: {schema: {$ref: "#/components/schemas/Issuer"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /certificate-authorities/{ca}/issuers/{id}/revoke:
    parameters:
      - {$ref: "#/components/parameters/ca"}
      - {$ref: "#/components/parameters/issuer"}
    post:
      operationId: revokeIssuer
      tags: [certificate-authorities]
      summary: Its root is compromised (operator of all its meshes)
      description: |
        Out of every bundle at once, whatever breaks; a new root signs in its place. Roots that had signed a cross
        certificate for it which still holds are revoked with it, and rotations that run are superseded. By the rotation in
        the answer one sees who has followed. Connections that are open live on in Envoy until they are closed.
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: "#/components/schemas/IssuerRevocation"}
            example: {reason: key copied from a backup}
          application/yaml: {schema: {$ref: "#/components/schemas/IssuerRevocation"}}
      responses:
        "200":
          description: Revoked
          content:
            application/json: {schema: {$ref: "#/components/schemas/IssuerRevoked"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /certificate-authorities/{ca}/rotations:
    parameters:
      - {$ref: "#/components/parameters/ca"}
    get:
      operationId: listRotationsOfAuthority
      tags: [rotations]
      summary: The rotations to or from it, newest first
      parameters:
        - {$ref: "#/components/parameters/meshFilter"}
        - {$ref: "#/components/parameters/size"}
        - {$ref: "#/components/parameters/offset"}
      responses:
        "200":
          description: A page of rotations
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema:
                allOf:
                  - {$ref: "#/components/schemas/Listing"}
                  - type: object
                    properties:
                      items: {type: array, items: {$ref: "#/components/schemas/Rotation"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
    post:
      operationId: startRotation
      tags: [rotations]
      summary: Replace its root for all its meshes (operator of all its meshes)
      description: |
        Without a failed handshake: all proxies first trust the new root, then get certificates under it, then forget the
        old one. One whose roots are brought needs `cert` and `key`, any other makes its next root itself. 409 while
        another rotation runs. A dry run changes nothing, and answers 200 with what the rotation would meet.
      parameters:
        - {$ref: "#/components/parameters/dryRun"}
      requestBody:
        content:
          application/json:
            schema: {$ref: "#/components/schemas/RotationStart"}
            example: {retireAfter: reissued}
          application/yaml: {schema: {$ref: "#/components/schemas/RotationStart"}}
      responses:
        "200":
          description: In a dry run, what it would meet
          content:
            application/json: {schema: {$ref: "#/components/schemas/RotationPreview"}}
        "201":
          description: It began
          headers:
            Location:
              description: Of the rotation, as a path
              schema: {type: string, pattern: "^/rotations/rot-[0-9a-f]{16}$"}
          content:
            application/json: {schema: {$ref: "#/components/schemas/Rotation"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /rotations:
    get:
      operationId: listRotations
      tags: [rotations]
      summary: All rotations, newest first, those that ended too
      parameters:
        - {$ref: "#/components/parameters/meshFilter"}
        - {$ref: "#/components/parameters/size"}
        - {$ref: "#/components/parameters/offset"}
      responses:
        "200":
          description: A page of rotations
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema:
                allOf:
                  - {$ref: "#/components/schemas/Listing"}
                  - type: object
                    properties:
                      items: {type: array, items: {$ref: "#/components/schemas/Rotation"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /rotations/{id}:
    parameters:
      - {$ref: "#/components/parameters/rotation"}
    get:
      operationId: readRotation
      tags: [rotations]
      summary: One rotation and, while it runs, what it waits for, by name
      description: |
        The ETag is of its phase and of what was ordered, not of who has followed: an order with it in `If-Match` is not
        obeyed in a phase that began since.
      responses:
        "200":
          description: The rotation
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json: {schema: {$ref: "#/components/schemas/Rotation"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /rotations/{id}/advance:
    parameters:
      - {$ref: "#/components/parameters/rotation"}
    post:
      operationId: advanceRotation
      tags: [rotations]
      summary: Take it through its gate (operator of all its meshes)
      description: |
        A gate that holds is 409, unless it is forced: whoever holds it is left behind, and named in the answer and in the
        audit trail. Nothing forces a replica of the service that cannot sign under the new root yet.
      parameters:
        - {$ref: "#/components/parameters/ifMatch"}
      requestBody:
        content:
          application/json:
            schema: {$ref: "#/components/schemas/RotationAdvance"}
            example: {}
          application/yaml: {schema: {$ref: "#/components/schemas/RotationAdvance"}}
      responses:
        "200":
          description: "As it is then; forced, with those left behind"
          content:
            application/json: {schema: {$ref: "#/components/schemas/Rotation"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "412": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /rotations/{id}/pause:
    parameters:
      - {$ref: "#/components/parameters/rotation"}
    post:
      operationId: pauseRotation
      tags: [rotations]
      summary: Keep it in its phase (operator of all its meshes)
      description: Until it is resumed; 409 where it is paused already, or takes a revoked root out.
      parameters:
        - {$ref: "#/components/parameters/ifMatch"}
      requestBody:
        content:
          application/json:
            schema: {$ref: "#/components/schemas/RotationOrder"}
            example: {reason: until the night is over}
          application/yaml: {schema: {$ref: "#/components/schemas/RotationOrder"}}
      responses:
        "200":
          description: As it is then
          content:
            application/json: {schema: {$ref: "#/components/schemas/Rotation"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "412": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /rotations/{id}/resume:
    parameters:
      - {$ref: "#/components/parameters/rotation"}
    post:
      operationId: resumeRotation
      tags: [rotations]
      summary: Let it go on (operator of all its meshes)
      description: |
        409 where it is not paused. Of one that was aborted: rotations by the root's age begin again.
      parameters:
        - {$ref: "#/components/parameters/ifMatch"}
      requestBody:
        content:
          application/json:
            schema: {$ref: "#/components/schemas/RotationOrder"}
            example: {}
          application/yaml: {schema: {$ref: "#/components/schemas/RotationOrder"}}
      responses:
        "200":
          description: As it is then
          content:
            application/json: {schema: {$ref: "#/components/schemas/Rotation"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "412": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /rotations/{id}/abort:
    parameters:
      - {$ref: "#/components/parameters/rotation"}
    post:
      operationId: abortRotation
      tags: [rotations]
      summary: Take it back to the old root (operator of all its meshes)
      description: |
        Through gates again, so that no traffic breaks. From `withdrawing` there is no way back: 409. Afterwards no rotation
        starts by the root's age, until this one is resumed.
      parameters:
        - {$ref: "#/components/parameters/ifMatch"}
      requestBody:
        content:
          application/json:
            schema: {$ref: "#/components/schemas/RotationOrder"}
            example: {reason: a proxy lost its peers}
          application/yaml: {schema: {$ref: "#/components/schemas/RotationOrder"}}
      responses:
        "200":
          description: As it is then
          content:
            application/json: {schema: {$ref: "#/components/schemas/Rotation"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "412": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
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
                      items: {type: array, items: {$ref: "#/components/schemas/CrossMeshAccess"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /cross-mesh-accesses/{name}:
    parameters:
      - {$ref: "#/components/parameters/doorName"}
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
            application/json: {schema: {$ref: "#/components/schemas/CrossMeshAccess"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
    put:
      operationId: writeCrossMeshAccess
      tags: [trust]
      summary: Open or replace a door (admin of both meshes)
      description: |
        One way only: proxies of `to` accept identities of `from`, from the next push on. Both meshes must be there.
        Both of Kuma's forms are read: Universal, as below, and Kubernetes (`apiVersion`, `kind`, `metadata`, `spec`). A
        dry run checks everything, changes nothing, and always answers 200 with what would change.
      parameters:
        - {$ref: "#/components/parameters/dryRun"}
        - {$ref: "#/components/parameters/ifMatch"}
        - {$ref: "#/components/parameters/ifNoneMatch"}
      requestBody:
        required: true
        description: At most 1 MiB; the name must be the path's
        content:
          application/json:
            schema: {$ref: "#/components/schemas/CrossMeshAccess"}
            example:
              type: CrossMeshAccess
              name: orders-to-payments
              from: {mesh: orders, services: [web]}
              to: {mesh: payments, services: [api]}
          application/yaml: {schema: {$ref: "#/components/schemas/CrossMeshAccess"}}
      responses:
        "200":
          description: Replaced; or, in a dry run, what would change
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json: {schema: {$ref: "#/components/schemas/MeshChange"}}
        "201":
          description: Created
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json: {schema: {$ref: "#/components/schemas/MeshChange"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "409": {$ref: "#/components/responses/Problem"}
        "412": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
    delete:
      operationId: deleteCrossMeshAccess
      tags: [trust]
      summary: Close a door (admin of both meshes)
      description: New connections are refused from the next push on; those that stand are not cut.
      parameters:
        - {$ref: "#/components/parameters/ifMatch"}
      responses:
        "200":
          description: Closed
          content:
            application/json: {schema: {$ref: "#/components/schemas/Change"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "412": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /trust/matrix:
    get:
      operationId: readTrustMatrix
      tags: [trust]
      summary: Who accepts whom, read from the contexts that SDS serves
      parameters:
        - name: mesh
          in: query
          description: Among these alone, at most 200; may occur more than once; needed where there are more meshes
          explode: true
          schema: {type: array, minItems: 1, items: {type: string}}
          example: [default]
      responses:
        "200":
          description: A cell for each pair of meshes with mTLS, in both directions
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json: {schema: {$ref: "#/components/schemas/TrustMatrix"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
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
            example: {from: spiffe://default/web, to: spiffe://default/api}
          application/yaml: {schema: {$ref: "#/components/schemas/TrustQuestion"}}
      responses:
        "200":
          description: The verdict; a refusal is an answer, not an error
          content:
            application/json: {schema: {$ref: "#/components/schemas/TrustVerdict"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /audit:
    get:
      operationId: listAudit
      tags: [audit]
      summary: The audit trail, newest first
      description: |
        Whoever is limited to named meshes sees the entries of those, without `before`, `after`, `previous` and `hash`, which may
        speak of others. A page has fewer entries than asked for where they are large; `next` says whether there are more.
      parameters:
        - {$ref: "#/components/parameters/meshFilter"}
        - name: actor
          in: query
          description: What one alone did, such as `user:alice`
          schema: {type: string}
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
                      items: {type: array, items: {$ref: "#/components/schemas/AuditEntry"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /audit/chain:
    get:
      operationId: listAuditChain
      tags: [audit]
      summary: The audit trail, oldest first, as it is verified (for all meshes)
      parameters:
        - name: after
          in: query
          description: The number of the row before the first one; 0 for the whole trail
          schema: {type: integer, format: int64, minimum: 0, default: 0}
        - {$ref: "#/components/parameters/size"}
      responses:
        "200":
          description: Rows of the trail, fewer than asked for where they are large; none only after the last
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema:
                type: object
                required: [items]
                properties:
                  items: {type: array, items: {$ref: "#/components/schemas/AuditEntry"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /audit/head:
    get:
      operationId: readAuditHead
      tags: [audit]
      summary: Where the audit trail ends, and how far it is signed (for all meshes)
      responses:
        "200":
          description: The head of the trail
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json:
              schema: {$ref: "#/components/schemas/AuditHead"}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /ledger:
    get:
      operationId: getLedger
      tags: [service]
      summary: How the replica that is asked is with its database
      responses:
        "200":
          description: Whether it answers and is believed, and what the journal holds
          headers:
            ETag: {$ref: "#/components/headers/ETag"}
          content:
            application/json: {schema: {$ref: "#/components/schemas/Ledger"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
  /ledger/confirm:
    post:
      operationId: confirmLedger
      tags: [service]
      summary: A database that lost transactions is right as it is (admin)
      description: |
        After a failover without the last transactions, or a restored backup, the service is read-only. From this on it goes on
        with the database as it is, in a new epoch; all replicas follow. 409 where nothing is in doubt.
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: "#/components/schemas/RotationOrder"}
            example: {reason: backup of Monday}
          application/yaml: {schema: {$ref: "#/components/schemas/RotationOrder"}}
      responses:
        "200":
          description: Confirmed
          content:
            application/json: {schema: {$ref: "#/components/schemas/Ledger"}}
        "400": {$ref: "#/components/responses/Problem"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/Problem"}
        "409": {$ref: "#/components/responses/Problem"}
        "413": {$ref: "#/components/responses/Problem"}
        "415": {$ref: "#/components/responses/Problem"}
        "429": {$ref: "#/components/responses/TooManyRequests"}
        "503": {$ref: "#/components/responses/Unavailable"}
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
      example: default
    ca:
      name: ca
      in: path
      required: true
      description: Its name; `<mesh>.<backend>` for a mesh's own
      schema: {type: string, pattern: "^[a-z0-9][a-z0-9.-]*$", maxLength: 127}
      example: corp
    issuer:
      name: id
      in: path
      required: true
      schema: {type: string, pattern: "^[0-9a-f]{16}$"}
    rotation:
      name: id
      in: path
      required: true
      schema: {type: string, pattern: "^rot-[0-9a-f]{16}$"}
    meshFilter:
      name: mesh
      in: query
      description: Of this mesh alone
      schema: {type: string}
      example: default
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
    serviceName:
      name: name
      in: path
      required: true
      schema: {type: string, pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}
      example: api
    doorName:
      name: name
      in: path
      required: true
      schema: {type: string, pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}
      example: orders-to-payments
    node:
      name: node
      in: query
      description: Of this Envoy node alone
      schema: {type: string}
    dryRun:
      name: dryRun
      in: query
      description: Check and preview, change nothing
      schema: {type: boolean, default: false}
  responses:
    Problem:
      description: What is wrong and what to do about it
      content:
        application/problem+json: {schema: {$ref: "#/components/schemas/Problem"}}
    Unauthorized:
      description: No token, or one that opens nothing
      headers:
        WWW-Authenticate: {required: true, schema: {type: string}}
      content:
        application/problem+json: {schema: {$ref: "#/components/schemas/Problem"}}
    TooManyRequests:
      description: |
        Too often, and nothing was done: `reason` names the limit. Writes have a rate for each admin token, certificates
        one for each proxy and identity, and refused credentials one for each address.
      headers:
        Retry-After: {required: true, description: Seconds, schema: {type: string, pattern: "^[1-9][0-9]*$"}}
      content:
        application/problem+json: {schema: {$ref: "#/components/schemas/Problem"}}
    Unavailable:
      description: The database does not answer
      headers:
        Retry-After: {required: true, schema: {type: string}}
      content:
        application/problem+json: {schema: {$ref: "#/components/schemas/Problem"}}
    IssuedToken:
      description: The bare token, which is shown this once
      content:
        text/plain: {schema: {type: string}}
    Forbidden:
      description: The role does not allow it, or it concerns other meshes than the token is limited to
      content:
        application/problem+json: {schema: {$ref: "#/components/schemas/Problem"}}
  schemas:
    Duration:
      type: string
      pattern: ^([0-9]+(y|w|d|h|m|s|ms))+$
      examples:
        - 24h
        - 1h30m
        - 10y
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
        warnings: {type: array, items: {type: string}}
      additionalProperties: false
    Listing:
      type: object
      required: [total, items, next]
      properties:
        total: {type: integer, minimum: 0}
        items: {type: array}
        next:
          type:
            - string
            - "null"
          description: The absolute URL of the next page; null on the last
    Problem:
      type: object
      required: [type, title, status, detail, instance]
      properties:
        type: {type: string}
        title: {type: string}
        status: {type: integer}
        detail: {type: string}
        instance: {type: string, description: The request id}
        reason: {type: string, description: "Stable and kebab-case, where a credential was refused or a limit exceeded"}
        invalid_parameters:
          type: array
          items:
            type: object
            required: [field, reason]
            properties:
              field: {type: string}
              reason: {type: string}
    Tags: {type: object, additionalProperties: {type: string}}
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
        name: {type: string, pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}
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
            backends: {type: array, items: {$ref: "#/components/schemas/Backend"}}
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
        skipCreatingInitialPolicies: {description: Kept and given back}
    Backend:
      type: object
      additionalProperties: false
      required: [name, type]
      properties:
        name: {type: string, pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}
        type: {type: string, enum: [builtin, provided, shared]}
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
          description: "`builtin`: `caCert`. `provided`: `cert` and `key`. `shared`: `authority`"
          additionalProperties: false
          properties:
            caCert:
              type: object
              additionalProperties: false
              properties:
                keyType: {$ref: "#/components/schemas/KeyType"}
                RSAbits: {type: integer, enum: [2048, 3072, 4096]}
                expiration: {$ref: "#/components/schemas/Duration"}
            cert: {$ref: "#/components/schemas/CertificateSource"}
            key: {$ref: "#/components/schemas/KeySource"}
            authority: {type: string, pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}
    KeyType: {type: string, enum: [EC-P256, EC-P384, RSA-2048, RSA-3072, RSA-4096]}
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
              x5c: {type: array, minItems: 1, maxItems: 1, items: {type: string}}
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
        digest: {type: string, description: SHA-256 of the TBSCertificate}
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
      additionalProperties: {type: array, items: {type: string}}
    Token:
      type: object
      required: [id, kind, name, tags, roles, issuedAt, expiresAt]
      properties:
        id: {type: string}
        kind: {type: string, enum: [dataplane, user]}
        mesh: {type: string}
        name: {type: string}
        tags: {$ref: "#/components/schemas/TagLists"}
        roles: {type: array, items: {type: string}}
        identity: {type: string}
        issuedAt: {type: string}
        expiresAt: {type: string}
        revokedAt: {type: string}
        meshes:
          type: array
          description: The roles hold for these alone; absent, for all
          items: {type: string}
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
        meshes:
          type: array
          description: The roles hold for these alone; absent, for all
          minItems: 1
          uniqueItems: true
          items: {type: string}
    Revocation:
      type: object
      description: Exactly one of the two
      additionalProperties: false
      properties:
        token: {type: string, description: The token's id (jti)}
        identity: {type: string, description: A SPIFFE ID}
      oneOf:
        - {required: [token]}
        - {required: [identity]}
    CertificateAuthority:
      type: object
      description: One that meshes may share, or a mesh's own, which its Mesh document governs
      additionalProperties: false
      required: [type, name]
      properties:
        type: {const: CertificateAuthority}
        name: {type: string, maxLength: 127}
        creationTime: {type: string, readOnly: true}
        modificationTime: {type: string, readOnly: true}
        kri: {type: string, writeOnly: true}
        keyType: {$ref: "#/components/schemas/KeyType"}
        expiration: {$ref: "#/components/schemas/Duration"}
        cert: {$ref: "#/components/schemas/CertificateSource"}
        key: {$ref: "#/components/schemas/KeySource"}
        meshes:
          type: array
          uniqueItems: true
          description: Whose enabled backend it is; written, those that join
          items: {type: string}
        rotation:
          type: object
          additionalProperties: false
          properties:
            automatic: {type: boolean, default: true}
            retireAfter: {type: string, enum: [expired, reissued], default: expired}
        automaticHeld:
          type: boolean
          readOnly: true
          description: True while a rotation of it was aborted and none starts by the root's age; else absent
        automaticHeldBy: {type: string, readOnly: true, description: "The id of that rotation; not in lists"}
        keyStore:
          description: Where the keys of its roots are made and stay; absent, as it is, and the database for a new one
          oneOf:
            - {const: database}
            - type: object
              additionalProperties: false
              required: [pkcs11]
              properties:
                pkcs11: {$ref: "#/components/schemas/TokenLocation"}
        origin: {type: string, enum: [generated, provided], readOnly: true}
        owner: {type: string, readOnly: true}
        issuers: {type: array, readOnly: true, items: {type: string}}
        currentIssuers:
          type: array
          readOnly: true
          description: Those in the bundle of some mesh; where there is none, the newest that was not revoked
          items: {type: string}
    TokenLocation:
      type: object
      description: >-
        A PKCS #11 token. The module and the PIN file are on the server's host, and must be listed in its configuration
        (pkcs11.modules, pkcs11.pinFiles)
      additionalProperties: false
      required: [module, token, pinFile]
      properties:
        module: {type: string, maxLength: 1024, pattern: "^/"}
        token: {type: string, minLength: 1, maxLength: 32, description: The token's label}
        pinFile: {type: string, maxLength: 1024, pattern: "^/"}
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
        revokedAt: {type: string, description: When it was found compromised}
        certificate: {type: string, description: "The root certificate, PEM"}
    CrossMeshAccess:
      type: object
      description: A door between two meshes of different certificate authorities, one way
      additionalProperties: false
      required: [type, name, from, to]
      properties:
        type: {const: CrossMeshAccess}
        name: {type: string, pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}
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
        mesh: {type: string, pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}
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
        meshes: {type: array, description: "Those with mTLS, by name", items: {type: string}}
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
                description: "`same-mesh`, `shared-ca`, or the names of the doors"
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
          enum:
            - door
            - identity-revoked
            - isolated
            - mesh-without-mtls
            - moving
            - no-door
            - not-through-door
            - same-mesh
            - shared-ca
            - unknown-trust-domain
        detail: {type: string}
    AuditHead:
      type: object
      required: [genesis, seq, hash]
      properties:
        genesis: {type: string, description: "What the first row follows, hexadecimal; another in each database"}
        seq: {type: integer, format: int64, description: Of the last row}
        hash: {type: string, description: "Of the last row: SHA-256, hexadecimal"}
        signed:
          type: object
          description: Up to where a replica has signed; a few seconds behind
          required: [seq, hash, at, atMilliseconds, publicKey, keyFingerprint, signature]
          properties:
            seq: {type: integer, format: int64}
            hash: {type: string}
            at: {type: string}
            atMilliseconds: {type: integer, format: int64}
            publicKey: {type: string, description: "SubjectPublicKeyInfo, DER, base64"}
            keyFingerprint: {type: string, description: "SHA-256 of the public key, hexadecimal"}
            signature: {type: string, description: "ECDSA with SHA-256, DER, base64"}
    AuditEntry:
      type: object
      required: [seq, at, atMilliseconds, actor, source, action, object, details, requestId]
      properties:
        seq: {type: integer, format: int64, description: "Its number: grows by one with each entry"}
        at: {type: string}
        atMilliseconds: {type: integer, format: int64, description: "The same since the Unix epoch, as it is hashed"}
        actor: {type: string, description: "`user:<name>`, `proxy:<SPIFFE ID>`, `local:<name>`, `system` or `unknown`"}
        source:
          type: string
          description: "`192.0.2.7:45796`, `[2001:db8::7]:45796`, `unix`, `local` (the service and commands on the database) or `unknown`"
        action: {type: string}
        mesh: {type: string}
        object: {type: string}
        details: {type: object, additionalProperties: {type: string}}
        requestId: {type: string}
        before:
          type: string
          description: |
            What the act found: JSON as text, as it is hashed; by kind and name. What is too large is an object of `octets` and
            `sha256` in its place.
        after: {type: string, description: What the act left}
        previous: {type: string, description: "Hash of the row before, hexadecimal"}
        hash: {type: string, description: "SHA-256 of the row, hexadecimal"}
    Move:
      type: object
      additionalProperties: false
      required: [mesh, from, to]
      properties:
        mesh: {type: string}
        from: {type: string, description: The certificate authority that the mesh comes from}
        to: {type: string, description: The one that it goes to}
    RootReplacement:
      type: object
      description: A certificate authority that gets a new root by the change
      additionalProperties: false
      required: [certificateAuthority, meshes]
      properties:
        certificateAuthority: {type: string}
        meshes: {type: array, description: Those that it signs for, items: {type: string}}
        rotation: {type: string, description: The id of the rotation; not in a dry run}
    TrustChange:
      type: object
      description: Who begins or ceases to accept whom, once everything that was started has completed
      additionalProperties: false
      required: [begins, ceases]
      properties:
        begins: {type: array, items: {$ref: "#/components/schemas/TrustPair"}}
        ceases: {type: array, items: {$ref: "#/components/schemas/TrustPair"}}
    TrustPair:
      type: object
      description: Proxies of `to` accept those of `from`
      additionalProperties: false
      required: [from, to]
      properties:
        from: {type: string}
        to: {type: string}
    Difference:
      type: object
      additionalProperties: false
      required: [field, before, after]
      properties:
        field: {type: string, description: "A dotted path; a list element by its name, in brackets"}
        before: {description: null where it was not there}
        after: {description: null where it is not there any more}
    MeshChange:
      type: object
      description: "`created`, `trust` and `differences` only in a dry run"
      additionalProperties: false
      required: [warnings]
      properties:
        warnings: {type: array, items: {type: string}}
        rotation: {type: string, description: The id of the rotation that was started}
        move: {$ref: "#/components/schemas/Move"}
        replacement: {$ref: "#/components/schemas/RootReplacement"}
        created: {type: boolean, description: Only in a dry run}
        trust: {$ref: "#/components/schemas/TrustChange"}
        differences: {type: array, items: {$ref: "#/components/schemas/Difference"}}
    CertificateAuthorityChange:
      type: object
      description: "`created`, `trust` and `differences` only in a dry run"
      additionalProperties: false
      required: [warnings, rotations, moves]
      properties:
        warnings: {type: array, items: {type: string}}
        rotations: {type: array, items: {type: string}}
        moves: {type: array, items: {$ref: "#/components/schemas/Move"}}
        replacement: {$ref: "#/components/schemas/RootReplacement"}
        created: {type: boolean, description: Only in a dry run}
        trust: {$ref: "#/components/schemas/TrustChange"}
        differences: {type: array, items: {$ref: "#/components/schemas/Difference"}}
    CertificateSource:
      type: object
      description: Exactly one of the two
      additionalProperties: false
      minProperties: 1
      maxProperties: 1
      properties:
        inline: {type: string, description: Base64 of PEM}
        inlineString: {type: string, description: PEM}
    KeySource:
      type: object
      description: Exactly one of the three; read back as the fingerprint alone
      additionalProperties: false
      minProperties: 1
      maxProperties: 1
      properties:
        inline: {type: string, description: Base64 of PEM, writeOnly: true}
        inlineString: {type: string, description: "PEM, PKCS#8, not encrypted", writeOnly: true}
        fingerprint:
          type: string
          pattern: ^[0-9a-fA-F]{64}$
          description: "SHA-256 of the SubjectPublicKeyInfo: the key that is there already, unchanged"
    NewKeySource:
      type: object
      description: Exactly one of the two
      additionalProperties: false
      minProperties: 1
      maxProperties: 1
      properties:
        inline: {type: string, description: Base64 of PEM, writeOnly: true}
        inlineString: {type: string, description: "PEM, PKCS#8, not encrypted", writeOnly: true}
    Reason:
      type: string
      description: For the audit trail; one line
      minLength: 1
      maxLength: 500
    RotationStart:
      type: object
      description: All of it may be left out; `cert` and `key` come together, and without `keyType`
      additionalProperties: false
      properties:
        manual: {type: boolean, default: false, description: Each open gate waits for `advance`}
        retireAfter: {type: string, enum: [expired, reissued], description: "Absent: as the certificate authority says"}
        keyType: {$ref: "#/components/schemas/KeyType"}
        cert: {$ref: "#/components/schemas/CertificateSource"}
        key: {$ref: "#/components/schemas/NewKeySource"}
      dependentRequired:
        cert: [key]
        key: [cert]
    Ledger:
      type: object
      additionalProperties: false
      required: [status, journaled, issuesOffline]
      properties:
        status: {type: string, enum: [answering, away, doubtful]}
        ledger: {type: string, description: The database's own id}
        epoch: {type: integer, description: Grows by one each time that a database in doubt is confirmed}
        revision: {type: integer}
        doubt: {type: string, enum: [another-ledger, earlier-epoch, earlier-timeline, lost-transactions]}
        detail: {type: string}
        awaySeconds: {type: integer}
        journaled: {type: integer, description: Certificates that are in the replica's journal alone}
        journalFailure: {type: string, description: Why the journal takes nothing now}
        issuesOffline: {type: boolean, description: Whether the replica issues certificates while the database is away}
    RotationOrder:
      type: object
      additionalProperties: false
      properties:
        reason: {$ref: "#/components/schemas/Reason"}
    RotationAdvance:
      type: object
      description: To force needs a reason
      additionalProperties: false
      properties:
        force: {type: boolean, default: false, description: Leave behind whoever holds the gate}
        reason: {$ref: "#/components/schemas/Reason"}
    RotationPreview:
      type: object
      additionalProperties: false
      required: [rotation, forecast, warnings]
      properties:
        rotation: {$ref: "#/components/schemas/Rotation"}
        forecast:
          type: object
          description: By what is known now
          additionalProperties: false
          required: [connected, reissue, distributing, issuing, crossCertified]
          properties:
            connected: {type: integer, description: "Proxies, on the replica that was asked"}
            reissue: {type: string, description: "How long the re-issue of their certificates takes, as a duration"}
            distributing:
              type: array
              description: Who would hold the gate of `distributing`
              items: {$ref: "#/components/schemas/Blocker"}
            issuing:
              type: array
              description: Who would hold the gate of `issuing` for longer than the re-issue takes
              items: {$ref: "#/components/schemas/Blocker"}
            lastExpiry: {type: string, description: When the last certificate under the old root ends}
            crossCertified: {type: boolean, description: Whether proxies that are away hold nothing up}
        warnings: {type: array, items: {type: string}}
    IssuerRevocation:
      type: object
      description: One whose roots are brought also takes the next one, as `cert` and `key` together
      additionalProperties: false
      required: [reason]
      properties:
        reason: {$ref: "#/components/schemas/Reason"}
        cert: {$ref: "#/components/schemas/CertificateSource"}
        key: {$ref: "#/components/schemas/NewKeySource"}
      dependentRequired:
        cert: [key]
        key: [cert]
    IssuerRevoked:
      type: object
      additionalProperties: false
      required: [revoked, warnings]
      properties:
        revoked:
          type: array
          description: The ids of the issuers, the one that was named first
          items: {type: string}
        newIssuer: {type: string, description: "The id of the root that was made, or brought"}
        rotation: {type: string, description: The id of the rotation by which one sees who has followed}
        warnings: {type: array, items: {type: string}}
    MeshService:
      type: object
      description: A service of a mesh by its selector, in Kuma's shape
      additionalProperties: false
      required: [type, name, spec]
      properties:
        type: {const: MeshService}
        mesh: {type: string, default: default}
        name: {type: string, pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}
        creationTime: {type: string, readOnly: true}
        modificationTime: {type: string, readOnly: true}
        kri: {type: string, writeOnly: true}
        labels: {$ref: "#/components/schemas/Tags"}
        annotations: {$ref: "#/components/schemas/Tags"}
        spec:
          type: object
          additionalProperties: false
          required: [selector]
          properties:
            selector:
              type: object
              additionalProperties: false
              required: [dataplaneTags]
              properties:
                dataplaneTags:
                  type: object
                  minProperties: 1
                  additionalProperties: {type: string, minLength: 1}
            ports:
              type: array
              maxItems: 1000
              items:
                type: object
                additionalProperties: false
                required: [port]
                properties:
                  name: {type: string}
                  port: {$ref: "#/components/schemas/Port"}
                  targetPort:
                    oneOf:
                      - {$ref: "#/components/schemas/Port"}
                      - {type: string, minLength: 1}
                  appProtocol: {type: string}
            identities: {description: Kept and given back}
            state: {description: Kept and given back}
        status: {description: Kept and given back}
    Port: {type: integer, minimum: 1, maximum: 65535}
    Rotation:
      type: object
      required:
        - id
        - kind
        - trigger
        - meshes
        - certificateAuthority
        - previousAuthority
        - from
        - to
        - phase
        - phaseSince
        - retireAfter
        - manual
        - paused
        - startedAt
      properties:
        id: {type: string}
        kind:
          type: string
          enum: [move, replace, revoke]
          description: A mesh goes to another certificate authority; one replaces its root; or takes a revoked root out
        trigger: {type: string, enum: [operator, schedule], description: "`schedule`: the root's age"}
        meshes: {type: array, items: {type: string}}
        certificateAuthority: {type: string, description: That of `to`}
        previousAuthority: {type: string, description: That of `from`}
        from: {type: string, description: The issuer that is replaced}
        to: {type: string, description: The issuer that replaces it}
        phase:
          type: string
          enum: [distributing, issuing, withdrawing, completed, reverting, aborted]
        phaseSince: {type: string}
        retireAfter: {type: string, enum: [expired, reissued]}
        manual: {type: boolean, description: Each open gate waits for `advance`}
        paused: {type: boolean, description: It stays in its phase until it is resumed}
        crossCertificate:
          type: object
          description: The new root signed by the old one, for peers that were away; absent where there is none
          additionalProperties: false
          required: [notBefore, notAfter]
          properties:
            notBefore: {type: string}
            notAfter: {type: string}
        startedAt: {type: string}
        endedAt: {type: string}
        duration: {type: string, description: "How long it ran, to the millisecond; absent while it runs"}
        gate:
          type: object
          description: What the phase waits for; not in lists, and not once it has ended
          required: [open, settled, pending, blockers]
          properties:
            open: {type: boolean}
            settled: {type: integer}
            pending: {type: integer}
            blockers: {type: array, items: {$ref: "#/components/schemas/Blocker"}}
        events:
          type: array
          description: What happened to it, oldest first; not in lists
          items:
            type: object
            additionalProperties: false
            required: [event, at, actor, detail]
            properties:
              event: {type: string, description: A phase that began, or what an operator did}
              at: {type: string}
              actor: {type: string}
              detail: {type: string}
        leftBehind:
          type: array
          description: Whom an order that was forced left behind; only in its answer
          items: {$ref: "#/components/schemas/Blocker"}
        warnings: {type: array, description: Only in the answer that starts it, items: {type: string}}
    Blocker:
      type: object
      required: [proxy, node, resource, reason, detail]
      properties:
        mesh: {type: string}
        identity: {type: string}
        proxy: {type: string, description: "The proxy's name, or the replica's"}
        node: {type: string}
        resource: {type: string}
        reason: {type: string, enum: [absent, away, pending, rejected, replica, silent, unexpired, unsubscribed]}
        detail: {type: string}
        until: {type: string, description: When it stops blocking by itself}
"""##
}
