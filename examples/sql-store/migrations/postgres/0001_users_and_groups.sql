-- As for SQLite, table by table. Keys are compared and ordered by their bytes, COLLATE "C": the application has folded them,
-- and an index in this order serves `sw` and ranges too. IF NOT EXISTS, because processes that start at once do not lock each
-- other out, and because not every engine undoes a migration that fails half-way.

CREATE TABLE IF NOT EXISTS users (
    tenant        TEXT COLLATE "C" NOT NULL,
    id            TEXT COLLATE "C" NOT NULL,
    user_name     TEXT             NOT NULL,
    user_name_key TEXT COLLATE "C" NOT NULL,
    external_id   TEXT COLLATE "C",
    active        BOOLEAN          NOT NULL,
    display_name  TEXT,
    password_hash TEXT,
    attributes    JSONB            NOT NULL,
    created       BIGINT           NOT NULL,
    modified      BIGINT           NOT NULL,
    version       BIGINT           NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX IF NOT EXISTS users_by_name ON users (tenant, user_name_key);
CREATE INDEX IF NOT EXISTS users_by_external_id ON users (tenant, external_id);
CREATE INDEX IF NOT EXISTS users_by_age ON users (tenant, created, id);

CREATE TABLE IF NOT EXISTS user_emails (
    tenant     TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL,
    position   BIGINT           NOT NULL,
    value_key  TEXT COLLATE "C",
    type_key   TEXT COLLATE "C",
    is_primary BOOLEAN,
    PRIMARY KEY (tenant, user_id, position),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS user_emails_by_value ON user_emails (tenant, value_key);

CREATE TABLE IF NOT EXISTS groups (
    tenant           TEXT COLLATE "C" NOT NULL,
    id               TEXT COLLATE "C" NOT NULL,
    display_name     TEXT,
    display_name_key TEXT COLLATE "C",
    external_id      TEXT COLLATE "C",
    attributes       JSONB            NOT NULL,
    created          BIGINT           NOT NULL,
    modified         BIGINT           NOT NULL,
    version          BIGINT           NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX IF NOT EXISTS groups_by_name ON groups (tenant, display_name_key);
CREATE INDEX IF NOT EXISTS groups_by_external_id ON groups (tenant, external_id);
CREATE INDEX IF NOT EXISTS groups_by_age ON groups (tenant, created, id);

CREATE TABLE IF NOT EXISTS group_members (
    tenant      TEXT COLLATE "C" NOT NULL,
    group_id    TEXT COLLATE "C" NOT NULL,
    member_id   TEXT COLLATE "C" NOT NULL,
    member_kind TEXT,
    PRIMARY KEY (tenant, group_id, member_id),
    FOREIGN KEY (tenant, group_id) REFERENCES groups (tenant, id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS group_members_by_member ON group_members (tenant, member_id, group_id);
