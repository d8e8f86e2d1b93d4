-- The product's own table, as it has been for years. Addresses are in lower case: the sign-up form sees to it.
CREATE TABLE IF NOT EXISTS users (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    email     TEXT    NOT NULL UNIQUE,
    name      TEXT,
    is_active BOOLEAN NOT NULL DEFAULT 1
);
-- once: whoever has gone since does not come back
INSERT INTO users (email, name)
SELECT * FROM (VALUES
    ('ada@example.com', 'Ada Lovelace'),
    ('grace@example.com', 'Grace Hopper'),
    ('edsger@example.com', NULL))
WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'users');
