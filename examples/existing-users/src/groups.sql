-- What groups need, and the product did not have.
CREATE TABLE IF NOT EXISTS groups (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT    NOT NULL,
    name_key TEXT    NOT NULL UNIQUE,
    version  INTEGER NOT NULL DEFAULT 1,
    created  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
    modified TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ'))
);
CREATE TABLE IF NOT EXISTS group_members (
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    user_id  INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS group_members_by_user ON group_members (user_id);
-- whoever changes a group, the product too, makes a new version of it
CREATE TRIGGER IF NOT EXISTS group_renamed AFTER UPDATE OF name ON groups WHEN new.name IS NOT old.name BEGIN
    UPDATE groups SET version = version + 1, modified = strftime('%Y-%m-%dT%H:%M:%fZ') WHERE id = new.id;
END;
CREATE TRIGGER IF NOT EXISTS member_added AFTER INSERT ON group_members BEGIN
    UPDATE groups SET version = version + 1, modified = strftime('%Y-%m-%dT%H:%M:%fZ') WHERE id = new.group_id;
END;
CREATE TRIGGER IF NOT EXISTS member_removed AFTER DELETE ON group_members BEGIN
    UPDATE groups SET version = version + 1, modified = strftime('%Y-%m-%dT%H:%M:%fZ') WHERE id = old.group_id;
END;
