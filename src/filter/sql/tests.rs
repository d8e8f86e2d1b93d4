//! What the text looks like: each operator, column and polarity. Whether it means the right thing, `tests/it/push_down` asks
//! a database.

use super::{ChildTable, Column, ColumnMap, Dialect, MapErrorKind, SqlFilter, SqlValue};
use crate::schema::{Attribute, Schema};
use crate::sort::Sort;
use crate::{AttrPath, CompareOp, Compat, Filter, Literal, ResourceType, User};

fn users() -> ResourceType {
    let probe = Schema::new(
        "urn:example:2.0:Probe",
        "Probe",
        [
            Attribute::integer("rank"),
            Attribute::decimal("score"),
            Attribute::date_time("seen"),
            Attribute::string("code").case_exact(),
            Attribute::boolean("vip"),
            Attribute::complex("flag", [Attribute::boolean("primary"), Attribute::string("note")]),
            Attribute::complex("vault", [Attribute::string("key")]).write_only(),
        ],
    );
    User::resource_type().extension(probe).build().unwrap()
}

fn map(ty: &ResourceType) -> ColumnMap {
    ColumnMap::builder(ty)
        .column("id", Column::text("u.id"))
        .column("userName", Column::folded("u.name_key"))
        .column("externalId", Column::text("u.external"))
        .column("active", Column::boolean("u.active"))
        .column("name.familyName", Column::folded("u.family_key"))
        .column("title", Column::json("u.doc", &["title"]))
        .column("profileUrl", Column::json("u.doc", &["profileUrl"]))
        .column("meta.created", Column::whole_milliseconds("u.created"))
        .column("urn:example:2.0:Probe:rank", Column::integer("u.rank"))
        .column("urn:example:2.0:Probe:score", Column::number("u.score"))
        .column("urn:example:2.0:Probe:seen", Column::timestamp("u.seen"))
        .column("urn:example:2.0:Probe:vip", Column::json("u.doc", &["urn:example:2.0:Probe", "vip"]))
        .column("urn:example:2.0:Probe:flag.primary", Column::boolean("u.flag"))
        .values(
            "emails",
            ChildTable::new("emails e", "e.user = u.id")
                .column("value", Column::folded("e.value_key"))
                .column("type", Column::folded("e.type_key"))
                .column("primary", Column::boolean("e.main")),
        )
        .build()
        .unwrap()
}

fn translate(filter: &str, dialect: Dialect) -> SqlFilter {
    let ty = users();
    let filter = Filter::parse(filter, &crate::Limits::default()).unwrap();
    filter.bind(&ty, Compat::default()).unwrap().to_sql(&map(&ty), dialect, 1)
}

#[track_caller]
fn sqlite(filter: &str, exact: bool, sql: &str) {
    let translated = translate(filter, Dialect::Sqlite);
    assert_eq!(translated.sql(), sql, "{filter}");
    assert_eq!(translated.is_exact(), exact, "{filter}: {}", translated.explain());
}

#[test]
fn text_is_compared_by_its_characters() {
    for (op, sql) in [
        ("eq", "((u.name_key IS NOT NULL) AND (u.name_key COLLATE BINARY = ?))"),
        ("ne", "((u.name_key IS NULL) OR (u.name_key COLLATE BINARY <> ?))"),
        ("gt", "((u.name_key IS NOT NULL) AND (u.name_key COLLATE BINARY > ?))"),
        ("ge", "((u.name_key IS NOT NULL) AND (u.name_key COLLATE BINARY >= ?))"),
        ("lt", "((u.name_key IS NOT NULL) AND (u.name_key COLLATE BINARY < ?))"),
        ("le", "((u.name_key IS NOT NULL) AND (u.name_key COLLATE BINARY <= ?))"),
        ("co", "((u.name_key IS NOT NULL) AND (instr(u.name_key COLLATE BINARY, ?) > 0))"),
        ("sw", "((u.name_key IS NOT NULL) AND ((u.name_key COLLATE BINARY >= ?) AND (u.name_key COLLATE BINARY < ?)))"),
        ("ew", "((u.name_key IS NOT NULL) AND (substr(u.name_key, -length(?)) COLLATE BINARY = ?))"),
    ] {
        sqlite(&format!("userName {op} \"A\""), true, sql);
        sqlite(&format!("not (userName {op} \"A\")"), true, &format!("(NOT {sql})"));
    }
    for op in ["co", "sw", "ew"] {
        sqlite(&format!("userName {op} \"\""), true, "(u.name_key IS NOT NULL)");
    }
    sqlite("userName pr", true, "((u.name_key IS NOT NULL) AND (NOT (u.name_key COLLATE BINARY = '')))");
    sqlite("userName eq null", true, "((u.name_key IS NULL) OR (u.name_key COLLATE BINARY = ''))");
}

#[test]
fn postgresql_has_its_own_words_and_numbers() {
    for (filter, sql) in [
        ("userName eq \"A\"", "((u.name_key IS NOT NULL) AND (u.name_key = $1::text))"),
        ("not (userName eq \"A\")", "(NOT ((u.name_key IS NOT NULL) AND (u.name_key COLLATE \"C\" = $1::text)))"),
        ("userName ne \"A\"", "((u.name_key IS NULL) OR (u.name_key COLLATE \"C\" <> $1::text))"),
        ("userName co \"A\"", "((u.name_key IS NOT NULL) AND (strpos(u.name_key COLLATE \"C\", $1::text) > 0))"),
        (
            "userName ew \"A\"",
            "((u.name_key IS NOT NULL) AND (right(u.name_key, char_length($1::text)) COLLATE \"C\" = $2::text))",
        ),
        ("active eq true", "((u.active IS NOT NULL) AND (u.active = TRUE))"),
        (
            "profileUrl gt \"A\"",
            "((((u.doc) #>> '{\"profileUrl\"}') IS NOT NULL) AND (((u.doc) #>> '{\"profileUrl\"}') COLLATE \"C\" > $1::text))",
        ),
        (
            "urn:example:2.0:Probe:vip eq true",
            "((((u.doc) #>> '{\"urn:example:2.0:Probe\",\"vip\"}') IS NOT NULL) AND \
             (((u.doc) #>> '{\"urn:example:2.0:Probe\",\"vip\"}') = 'true'))",
        ),
    ] {
        assert_eq!(translate(filter, Dialect::Postgres).sql(), sql, "{filter}");
    }
    let ty = users();
    let filter: Filter = "externalId eq \"a\" or meta.created gt \"2026-01-01T00:00:00Z\"".parse().unwrap();
    let sql = filter.bind(&ty, Compat::default()).unwrap().to_sql(&map(&ty), Dialect::Postgres, 7);
    assert!(sql.sql().contains("= $7::text") && sql.sql().contains("> $8::bigint"), "{}", sql.sql());
    assert_eq!(sql.binds(), [SqlValue::Text("a".into()), SqlValue::Integer(1_767_225_600_000)]);
}

#[test]
fn numbers_and_times_are_exact_where_the_column_is() {
    let rank = |rest: &str| format!("((u.rank IS NOT NULL) AND (u.rank {rest}))");
    for (test, exact, sql) in [
        ("rank eq 5", true, rank("= ?")),
        ("rank gt 5.5", true, rank("> ?")),
        ("rank ge 5.5", true, rank("> ?")),
        ("rank lt 5.5", true, rank("<= ?")),
        ("rank eq 5.5", true, "(1 = 0)".into()),
        ("rank ne 5.5", true, "(1 = 1)".into()),
        ("rank lt 1e30", true, "(u.rank IS NOT NULL)".into()),
        ("rank gt 1e30", true, "(1 = 0)".into()),
        ("score ge 5", true, "((u.score IS NOT NULL) AND (u.score >= ?))".into()),
        ("score gt 9007199254740993", false, "((u.score IS NOT NULL) AND (u.score >= ?))".into()),
        ("score ne 1e300", false, "(1 = 1)".into()),
        ("seen ge \"2026-01-01T00:00:00Z\"", true, "((u.seen IS NOT NULL) AND (u.seen >= ?))".into()),
        ("seen gt \"2026-01-01T00:00:00Z\"", false, "((u.seen IS NOT NULL) AND (u.seen >= ?))".into()),
        ("seen eq \"2026-01-01T00:00:00Z\"", false, "((u.seen IS NOT NULL) AND (u.seen = ?))".into()),
    ] {
        sqlite(&format!("urn:example:2.0:Probe:{test}"), exact, &sql);
    }
    sqlite("not (urn:example:2.0:Probe:score gt 1e300)", false, "(NOT ((u.score IS NOT NULL) AND (u.score > ?)))");
    sqlite("not (urn:example:2.0:Probe:seen eq \"2026-01-01T00:00:00Z\")", false, "(1 = 1)");
    sqlite("meta.created gt \"2026-01-01T00:00:00.0005Z\"", true, "((u.created IS NOT NULL) AND (u.created > ?))");
    sqlite("meta.created eq \"2026-01-01T00:00:00.0005Z\"", true, "(1 = 0)");
}

#[test]
fn a_value_path_is_one_exists() {
    sqlite(
        "emails[type eq \"work\" and not (primary eq true)]",
        true,
        "(EXISTS (SELECT 1 FROM emails e WHERE (e.user = u.id) AND \
         (((e.type_key IS NOT NULL) AND (e.type_key COLLATE BINARY = ?)) AND \
         (NOT ((e.main IS NOT NULL) AND (e.main = 1))))))",
    );
    sqlite(
        "emails.value ne \"a\"",
        true,
        "((EXISTS (SELECT 1 FROM emails e WHERE (e.user = u.id) AND \
         ((e.value_key IS NOT NULL) AND (e.value_key COLLATE BINARY <> ?)))) OR \
         (NOT (EXISTS (SELECT 1 FROM emails e WHERE (e.user = u.id) AND (e.value_key IS NOT NULL)))))",
    );
    sqlite(
        "emails.primary eq false",
        true,
        "(EXISTS (SELECT 1 FROM emails e WHERE (e.user = u.id) AND ((e.main IS NULL) OR (e.main = 0))))",
    );
    // nothing is absent and present at once
    sqlite(
        "emails.value eq null",
        true,
        "(NOT (EXISTS (SELECT 1 FROM emails e WHERE (e.user = u.id) AND \
         ((e.value_key IS NOT NULL) AND (NOT (e.value_key COLLATE BINARY = ''))))))",
    );
    sqlite("emails pr", false, "(EXISTS (SELECT 1 FROM emails e WHERE (e.user = u.id)))");
    sqlite("name[familyName eq \"a\"]", true, "((u.family_key IS NOT NULL) AND (u.family_key COLLATE BINARY = ?))");
    // an object without the part satisfies, no object does not, and the columns look the same
    sqlite("name[familyName ne \"a\"]", false, "((u.family_key IS NULL) OR (u.family_key COLLATE BINARY <> ?))");
    sqlite("urn:example:2.0:Probe:flag.primary eq false", false, "((u.flag IS NULL) OR (u.flag = 0))");
    sqlite("not (urn:example:2.0:Probe:flag.primary eq false)", false, "(NOT ((u.flag IS NOT NULL) AND (u.flag = 0)))");
}

#[test]
fn a_keyed_table_is_looked_up_first_in_sqlite() {
    let ty = users();
    let emails = ChildTable::keyed("emails e", &[("e.tenant", "u.tenant"), ("e.user", "u.id")])
        .column("value", Column::folded("e.value_key").assigned());
    let sql = |table: ChildTable, filter: &str, dialect| {
        let map = ColumnMap::builder(&ty).values("emails", table).build().unwrap();
        let bound = filter.parse::<Filter>().unwrap().bind(&ty, Compat::default()).unwrap();
        let sql = bound.to_sql(&map, dialect, 1);
        assert!(sql.is_exact(), "{filter}");
        sql.sql().to_owned()
    };
    let exists = "EXISTS (SELECT 1 FROM emails e WHERE (u.tenant = e.tenant AND u.id = e.user)";
    let within = emails.clone().within("e.tenant = here");
    for (table, filter, dialect, expected) in [
        (
            within.clone(),
            "emails.value eq \"A\"",
            Dialect::Sqlite,
            "((u.tenant, u.id) IN (SELECT e.tenant, e.user FROM emails e WHERE e.tenant IS NOT NULL AND \
             e.user IS NOT NULL AND (e.tenant = here) AND (e.value_key COLLATE BINARY = ?)))"
                .to_owned(),
        ),
        (within.clone(), "emails pr", Dialect::Sqlite, format!("({exists}))")),
        (within.clone(), "not (emails pr)", Dialect::Sqlite, format!("(NOT ({exists})))")),
        (
            within.clone(),
            "not (emails.value eq \"A\")",
            Dialect::Sqlite,
            format!("(NOT ({exists} AND (e.value_key COLLATE BINARY = ?))))"),
        ),
        (within, "emails.value eq \"A\"", Dialect::Postgres, format!("({exists} AND (e.value_key = $1::text)))")),
        // of all tenants' rows there are too many
        (emails, "emails.value eq \"A\"", Dialect::Sqlite, format!("({exists} AND (e.value_key COLLATE BINARY = ?)))")),
        (
            ChildTable::keyed("emails e", &[("e.user", "u.id")]).column("value", Column::folded("e.key").assigned()),
            "emails.value eq \"A\"",
            Dialect::Sqlite,
            "(u.id IN (SELECT e.user FROM emails e WHERE e.user IS NOT NULL AND (e.key COLLATE BINARY = ?)))"
                .to_owned(),
        ),
    ] {
        assert_eq!(sql(table, filter, dialect), expected, "{filter}");
    }
}

#[test]
fn no_bind_value_holds_nul() {
    let ty = users();
    let path = || AttrPath::parse("userName").unwrap();
    for (op, sql, binds) in [
        (CompareOp::Eq, "(1 = 0)", 0),
        (CompareOp::Co, "(1 = 0)", 0),
        (CompareOp::Sw, "(1 = 0)", 0),
        (CompareOp::Ew, "(1 = 0)", 0),
        (CompareOp::Ne, "(1 = 1)", 0),
        (CompareOp::Gt, "((u.name_key IS NOT NULL) AND (u.name_key COLLATE BINARY > ?))", 1),
        (CompareOp::Ge, "((u.name_key IS NOT NULL) AND (u.name_key COLLATE BINARY > ?))", 1),
        (CompareOp::Lt, "((u.name_key IS NOT NULL) AND (u.name_key COLLATE BINARY <= ?))", 1),
        (CompareOp::Le, "((u.name_key IS NOT NULL) AND (u.name_key COLLATE BINARY <= ?))", 1),
    ] {
        let filter = Filter::Compare { path: path(), op, value: Literal::String("A\0b".into()) };
        let filter = filter.bind(&ty, Compat::default()).unwrap().to_sql(&map(&ty), Dialect::Sqlite, 1);
        assert_eq!((filter.sql(), filter.is_exact()), (sql, true), "{op:?}");
        assert_eq!(filter.binds(), vec![SqlValue::Text("a".into()); binds], "{op:?}");
    }
}

#[test]
fn what_has_no_column_lets_rows_through_wherever_it_stands() {
    let active = "((u.active IS NOT NULL) AND (u.active = 1))";
    for (filter, exact, sql) in [
        ("nickName eq \"a\"", false, "(1 = 1)"),
        ("nickName ne \"a\"", false, "(1 = 1)"),
        ("not (nickName eq \"a\")", false, "(1 = 1)"),
        ("not (not (nickName eq \"a\"))", false, "(1 = 1)"),
        ("photos[type eq \"a\"] and active eq true", false, active),
        ("nickName eq \"a\" or active eq true", false, "(1 = 1)"),
        ("not (nickName eq \"a\" or active eq false)", false, "(NOT ((u.active IS NOT NULL) AND (u.active = 0)))"),
        ("not (nickName eq \"a\" and active eq true)", false, "(1 = 1)"),
        ("name pr", false, "(1 = 1)"),
        ("title eq \"a\"", false, "(json_extract(u.doc, '$.\"title\"') IS NOT NULL)"),
        ("title ne \"a\"", false, "(1 = 1)"),
        ("not (title eq \"a\")", false, "(1 = 1)"),
    ] {
        sqlite(filter, exact, sql);
    }
    sqlite(
        "title pr",
        true,
        "((json_extract(u.doc, '$.\"title\"') IS NOT NULL) AND (NOT (json_extract(u.doc, '$.\"title\"') COLLATE BINARY = '')))",
    );
    let ty = User::resource_type().build().unwrap();
    let other = "active eq true".parse::<Filter>().unwrap().bind(&ty, Compat::default()).unwrap();
    let sql = other.to_sql(&map(&users()), Dialect::Sqlite, 1);
    assert_eq!((sql.sql(), sql.is_exact()), ("(1 = 1)", false));
}

#[test]
fn nothing_that_was_sent_is_in_the_text() {
    let hostile = r#"x' OR 1=1; DROP TABLE u; -- \" ? $1 %_\\ 🦀"#;
    let texts = ["userName", "externalId", "profileUrl", "name.familyName", "emails.value"];
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        for op in ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"] {
            for attribute in texts {
                let sent = translate(&format!("{attribute} {op} \"{hostile}\""), dialect);
                let plain = translate(&format!("{attribute} {op} \"x\""), dialect);
                assert_eq!(sent.sql(), plain.sql());
                assert!(!sent.binds().is_empty() && !format!("{sent:?}{}", sent.explain()).contains("DROP"));
            }
        }
    }
}

#[test]
fn an_explanation_names_attributes_and_reasons() {
    for (filter, explanation) in [
        ("userName eq \"a\" and emails[type eq \"work\"]", "exact; in SQL: userName eq, emails[type] eq"),
        (
            "userName eq \"secret\" and nickName co \"x\"",
            "candidates; in SQL: userName eq; in memory: nickName co (no column)",
        ),
        (
            "userName eq \"a\" or nickName pr",
            "candidates; in memory: userName eq (decides nothing without the others), nickName pr (no column)",
        ),
        (
            "urn:example:2.0:Probe:seen gt \"2026-01-01T00:00:00Z\"",
            "candidates; weaker in SQL: urn:example:2.0:Probe:seen gt (the column holds rounded milliseconds)",
        ),
        ("photos[type eq \"a\"]", "candidates; in memory: photos [ ] (no child table)"),
    ] {
        assert_eq!(translate(filter, Dialect::Sqlite).explain().to_string(), explanation);
    }
}

#[test]
fn an_order_is_pushed_when_the_columns_order_alike() {
    let ty = users();
    let order = |path: &str, descending, dialect| {
        Sort::new(&ty, &AttrPath::parse(path).unwrap(), descending, Compat::strict())
            .unwrap()
            .to_sql(&map(&ty), dialect)
    };
    assert_eq!(
        order("userName", false, Dialect::Sqlite).unwrap(),
        "u.name_key COLLATE BINARY ASC NULLS LAST, u.id COLLATE BINARY ASC"
    );
    assert_eq!(
        order("meta.created", true, Dialect::Postgres).unwrap(),
        "u.created DESC NULLS FIRST, u.id COLLATE \"C\" ASC"
    );
    for path in ["emails", "nickName", "title", "urn:example:2.0:Probe:seen", "urn:example:2.0:Probe:score"] {
        assert_eq!(order(path, false, Dialect::Sqlite), None, "{path}");
    }
    let hidden = AttrPath::parse("urn:example:2.0:Probe:vault.key").unwrap();
    assert_eq!(Sort::new(&ty, &hidden, false, Compat::default()), None);
}

#[test]
fn a_map_that_does_not_fit_is_refused() {
    let ty = users();
    let column = |path: &str, column| ColumnMap::builder(&ty).column(path, column).build().map_err(|e| e.kind()).err();
    for (path, mapped, kind) in [
        ("nope", Column::text("c"), MapErrorKind::UnknownAttribute),
        ("emails.nope", Column::text("c"), MapErrorKind::UnknownAttribute),
        ("password", Column::text("c"), MapErrorKind::Hidden),
        ("urn:example:2.0:Probe:vault.key", Column::folded("c"), MapErrorKind::Hidden),
        ("meta.location", Column::text("c"), MapErrorKind::Computed),
        ("emails", Column::text("c"), MapErrorKind::Shape),
        ("emails.value", Column::folded("c"), MapErrorKind::Shape),
        ("name", Column::json("c", &["name"]), MapErrorKind::Shape),
        ("userName", Column::text("c"), MapErrorKind::Form),
        ("externalId", Column::folded("c"), MapErrorKind::Form),
        ("active", Column::integer("c"), MapErrorKind::Form),
        ("userName", Column::folded("c = ? OR c"), MapErrorKind::Sql),
        ("userName", Column::folded(" "), MapErrorKind::Sql),
        ("title", Column::json("c", &["x'y"]), MapErrorKind::Sql),
        ("title", Column::json("c", &[]), MapErrorKind::Sql),
    ] {
        assert_eq!(column(path, mapped), Some(kind), "{path}");
    }
    let values = |path: &str, table| ColumnMap::builder(&ty).values(path, table).build().unwrap_err().to_string();
    assert_eq!(
        values("userName", ChildTable::new("t", "true")),
        "attribute `userName` is not multi-valued: it needs a column"
    );
    let twice = ChildTable::new("t", "true").column("type", Column::folded("a")).column("type", Column::folded("b"));
    assert_eq!(values("emails", twice), "attribute `emails.type` is mapped twice");
}

#[test]
fn one_table_leads_a_conjunction_and_the_others_are_no_joins() {
    for (dialect, end) in [(Dialect::Postgres, " OFFSET 0"), (Dialect::Sqlite, " LIMIT 1")] {
        let text = |filter: &str| translate(filter, dialect).sql().to_owned();
        let alone = |filter: &str| text(filter).replace("$2", "$1").replace("$3", "$1");
        let [by_type, by_value] = ["emails.type eq \"a\"", "emails.value eq \"b\""].map(alone);
        let fenced = by_type.strip_suffix("))").map(|sql| format!("{sql}{end}))")).unwrap();
        let both = alone("emails.type eq \"a\" and emails.value eq \"b\"");
        assert_eq!(both, format!("({fenced} AND {by_value})"), "the value is what an index finds few rows for");
    }
}

#[test]
fn the_cost_is_told_table_by_table() {
    for (filter, subqueries, comparisons) in [
        ("userName eq \"a\" and active eq true", 0, vec![(None, 2)]),
        ("title pr", 0, vec![(None, 5)]),
        (
            "emails.value eq \"a\" or emails.type co \"b\" or userName sw \"c\"",
            1,
            vec![(None, 2), (Some("emails e"), 3)],
        ),
        ("emails.value eq \"a\" and emails.value eq \"b\"", 2, vec![(Some("emails e"), 2)]),
        ("emails pr and nickName eq \"a\"", 1, vec![]),
    ] {
        let sql = translate(filter, Dialect::Sqlite);
        assert_eq!((sql.subqueries(), sql.comparisons().collect()), (subqueries, comparisons), "{filter}");
    }
    let long = format!("userName co \"{}\"", "a".repeat(640));
    assert_eq!(translate(&long, Dialect::Sqlite).comparisons().collect::<Vec<_>>(), [(None, 12)]);
}
