-- For pages by cursor: the columns that can be sorted by, with the id behind each. Such an index is read from the position of
-- a cursor, in either direction. Names have theirs already: they are unique, so that nothing is left for the id to decide.

CREATE INDEX IF NOT EXISTS users_in_order_of_external_id ON users (tenant, external_id, id);
DROP INDEX IF EXISTS users_by_external_id;
CREATE INDEX IF NOT EXISTS users_in_order_of_change ON users (tenant, modified, id);

CREATE INDEX IF NOT EXISTS groups_in_order_of_external_id ON groups (tenant, external_id, id);
DROP INDEX IF EXISTS groups_by_external_id;
CREATE INDEX IF NOT EXISTS groups_in_order_of_change ON groups (tenant, modified, id);
