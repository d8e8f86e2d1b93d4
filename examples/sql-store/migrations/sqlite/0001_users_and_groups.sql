-- The tenant comes first in every key: a statement that forgets it finds no index, and shows up as a scan.
--
-- A resource is one row: the columns that a host wants to ask for, and the document as the client gave it. Keys are folded
-- by the application (`scim_provider::fold`), never by lower(): the database folds ASCII only, or by its locale.
-- Times are milliseconds since 1970, in UTC.

CREATE TABLE users (
    tenant        TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    user_name     TEXT    NOT NULL,
    user_name_key TEXT    NOT NULL,
    external_id   TEXT,
    active        BOOLEAN NOT NULL,
    display_name  TEXT,
    password_hash TEXT,
    attributes    TEXT    NOT NULL,
    created       BIGINT  NOT NULL,
    modified      BIGINT  NOT NULL,
    version       BIGINT  NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX users_by_name ON users (tenant, user_name_key);
CREATE INDEX users_by_external_id ON users (tenant, external_id);
CREATE INDEX users_by_age ON users (tenant, created, id);

-- A row for each e-mail, with the parts that filters name. Identity providers look users up by their address.
CREATE TABLE user_emails (
    tenant     TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    position   BIGINT  NOT NULL,
    value_key  TEXT,
    type_key   TEXT,
    is_primary BOOLEAN,
    PRIMARY KEY (tenant, user_id, position),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX user_emails_by_value ON user_emails (tenant, value_key);

CREATE TABLE groups (
    tenant           TEXT   NOT NULL,
    id               TEXT   NOT NULL,
    display_name     TEXT,
    display_name_key TEXT,
    external_id      TEXT,
    attributes       TEXT   NOT NULL,
    created          BIGINT NOT NULL,
    modified         BIGINT NOT NULL,
    version          BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX groups_by_name ON groups (tenant, display_name_key);
CREATE INDEX groups_by_external_id ON groups (tenant, external_id);
CREATE INDEX groups_by_age ON groups (tenant, created, id);

-- A member is a user, a group, or something that only the client knows: hence no foreign key on member_id, and the kind that
-- the client gave. Where the member is known, its own kind counts.
CREATE TABLE group_members (
    tenant      TEXT NOT NULL,
    group_id    TEXT NOT NULL,
    member_id   TEXT NOT NULL,
    member_kind TEXT,
    PRIMARY KEY (tenant, group_id, member_id),
    FOREIGN KEY (tenant, group_id) REFERENCES groups (tenant, id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX group_members_by_member ON group_members (tenant, member_id, group_id);
