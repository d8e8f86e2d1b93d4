-- What the planner is to believe until somebody runs ANALYZE, which SQLite never does by itself: many rows in a tenant, few for
-- a key. It would take a tenant for ten rows, and walk through all of them in the order of `*_by_age` for each look-up.
--
-- The first number is that of a table's rows; each other is that of the rows that share so many columns of the index.
ANALYZE sqlite_master;
DELETE FROM sqlite_stat1 WHERE tbl IN ('users', 'user_emails', 'groups', 'group_members');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('users', 'sqlite_autoindex_users_1', '1000000 10000 1'),
    ('users', 'users_by_name', '1000000 10000 1'),
    ('users', 'users_in_order_of_external_id', '1000000 10000 2 1'),
    ('users', 'users_in_order_of_change', '1000000 10000 2 1'),
    ('users', 'users_by_age', '1000000 10000 2 1'),
    ('user_emails', 'user_emails', '1000000 10000 2 1'),
    ('user_emails', 'user_emails_by_value', '1000000 10000 2 2 1'),
    ('groups', 'sqlite_autoindex_groups_1', '1000000 10000 1'),
    ('groups', 'groups_by_name', '1000000 10000 1'),
    ('groups', 'groups_in_order_of_external_id', '1000000 10000 2 1'),
    ('groups', 'groups_in_order_of_change', '1000000 10000 2 1'),
    ('groups', 'groups_by_age', '1000000 10000 2 1'),
    ('group_members', 'group_members', '1000000 10000 100 1'),
    ('group_members', 'group_members_by_member', '1000000 10000 10 1');
ANALYZE sqlite_master;
