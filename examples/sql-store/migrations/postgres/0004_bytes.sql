-- How long the document is as text. JSONB is stored compressed: it would have to be read whole to be measured, and a list does not
-- read what is longer than its request can pay for.

ALTER TABLE users ADD COLUMN IF NOT EXISTS bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE groups ADD COLUMN IF NOT EXISTS bytes BIGINT NOT NULL DEFAULT 0;
UPDATE users SET bytes = octet_length(attributes::text) WHERE bytes = 0;
UPDATE groups SET bytes = octet_length(attributes::text) WHERE bytes = 0;

-- Whoever writes a membership has locked the row of its group, or has just made it. To check that again cost a third of adding it.
ALTER TABLE group_members DROP CONSTRAINT IF EXISTS group_members_tenant_group_id_fkey;
