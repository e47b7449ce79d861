extension SchemaMigration {
    /// Version 9: the audit trail as a chain of digests with a signed head, and what an act found and left.
    ///
    /// The chain is made by a trigger: a replica of the previous release, which knows nothing of it, extends it like any other.
    /// The trigger takes the head's row until its transaction ends, so that numbers have no gaps from here on and follow the
    /// order of the commits. Whoever appends does so last in its transaction: no two can wait for each other.
    ///
    /// What is there already is chained now, row by row, about twenty thousand a second, and the table is locked to everybody else
    /// (`ACCESS EXCLUSIVE`) until all of it is: acts wait meanwhile, and those of replicas of the previous release fail when their
    /// statement's time is over. Certificates do not wait. docs/operations.md tells the operator to choose a quiet time.
    static let auditChain = SchemaMigration(
        version: 9, name: "audit chain",
        statements: [
            "SELECT set_config('lock_timeout', '2s', true)",
            // Text and not jsonb: the digest is of the octets as they were written.
            """
            ALTER TABLE audit ADD COLUMN before_act text, ADD COLUMN after_act text,
                ADD COLUMN previous bytea, ADD COLUMN hash bytea
            """,
            // What the chain begins with is another in each database: no entry of one fits into the other.
            """
            CREATE TABLE audit_head (
                only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
                genesis bytea NOT NULL,
                seq bigint NOT NULL,
                hash bytea NOT NULL,
                sealed_seq bigint,
                sealed_hash bytea,
                sealed_at_ms bigint,
                public_key bytea,
                signature bytea
            )
            """,
            """
            INSERT INTO audit_head (genesis, seq, hash)
            SELECT genesis, 0, genesis
            FROM (SELECT sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')) AS genesis) AS made
            """,
            // A field of the preimage: its length in eight octets, then itself; the length of what is not there is -1.
            """
            CREATE FUNCTION audit_field(value text) RETURNS bytea LANGUAGE sql STABLE AS $$
                SELECT CASE WHEN value IS NULL THEN int8send(-1)
                    ELSE int8send(octet_length(convert_to(value, 'UTF8'))::bigint) || convert_to(value, 'UTF8') END
            $$
            """,
            """
            CREATE FUNCTION audit_hash(entry audit) RETURNS bytea LANGUAGE sql STABLE AS $$
                SELECT sha256(
                    convert_to('signet audit 1', 'UTF8') || entry.previous || int8send(entry.seq) || int8send(entry.at_ms)
                    || audit_field(entry.actor) || audit_field(entry.source) || audit_field(entry.action)
                    || audit_field(entry.mesh) || audit_field(entry.object)
                    || coalesce((
                        SELECT int8send(count(*)) || string_agg(
                            audit_field(detail.key) || audit_field(detail.value), ''::bytea
                            ORDER BY convert_to(detail.key, 'UTF8'))
                        FROM jsonb_each_text(entry.details) AS detail), int8send(0))
                    || audit_field(entry.request_id) || audit_field(entry.before_act) || audit_field(entry.after_act))
            $$
            """,
            """
            CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                SELECT head.seq + 1, head.hash INTO NEW.seq, NEW.previous FROM audit_head AS head FOR UPDATE;
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'the audit trail has no head: nothing can be recorded';
                END IF;
                NEW.hash := audit_hash(NEW);
                UPDATE audit_head SET seq = NEW.seq, hash = NEW.hash;
                RETURN NEW;
            END
            $$
            """,
            """
            CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'the audit trail is append-only';
            END
            $$
            """,
            """
            DO $$
            DECLARE
                entry audit;
                head audit_head;
            BEGIN
                SELECT * INTO head FROM audit_head;
                FOR entry IN SELECT * FROM audit ORDER BY seq LOOP
                    entry.previous := head.hash;
                    head.hash := audit_hash(entry);
                    head.seq := entry.seq;
                    UPDATE audit SET previous = entry.previous, hash = head.hash WHERE seq = entry.seq;
                END LOOP;
                UPDATE audit_head SET seq = head.seq, hash = head.hash;
            END
            $$
            """,
            "ALTER TABLE audit ALTER COLUMN previous SET NOT NULL, ALTER COLUMN hash SET NOT NULL",
            "CREATE TRIGGER audit_chain BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_chain()",
            """
            CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
                FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()
            """,
            "CREATE INDEX audit_actor ON audit (actor, seq)",
        ])
}
