-- How long the document is. A list does not read what is longer than its request can pay for.

ALTER TABLE users ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE groups ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
UPDATE users SET bytes = length(CAST(attributes AS BLOB));
UPDATE groups SET bytes = length(CAST(attributes AS BLOB));
