-- What `schemas` of the document says, so that a resource of which only columns are wanted is not read as a whole. NULL in rows of
-- before and where there is data of extensions: those are read as a whole.

ALTER TABLE users ADD COLUMN IF NOT EXISTS schemas TEXT;
ALTER TABLE groups ADD COLUMN IF NOT EXISTS schemas TEXT;
