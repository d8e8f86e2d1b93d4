-- The product's own table, as it has been for years. Addresses are in lower case: the sign-up form sees to it.
CREATE TABLE IF NOT EXISTS users (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    email     TEXT    NOT NULL UNIQUE,
    name      TEXT,
    is_active BOOLEAN NOT NULL DEFAULT 1
);
INSERT OR IGNORE INTO users (email, name) VALUES
    ('ada@example.com', 'Ada Lovelace'),
    ('grace@example.com', 'Grace Hopper'),
    ('edsger@example.com', NULL);
