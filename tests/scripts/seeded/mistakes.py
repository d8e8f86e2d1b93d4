"""Mistakes, each with what it would be called in a review, and the tests that see it.

The first kind is made in the translation of filters to SQL. The second is about ids of the ledger that were drawn by lot: the behaviour
that the id names is broken, and a test that the ledger names for it has to fail.

An edit is a file below `src`, what it says, and what it says instead, where SEEDED stands for "if the mistake is made".
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    name: str
    what: str
    edits: tuple
    tests: tuple


def translation(name, what, *edits, tests=("the_rows_are_those_that_match_in_sqlite",)):
    return Mistake(name, what, edits, tuple(f"push_down::{test}" for test in tests))


def by_lot(requirement, what, *edits, tests):
    return Mistake(requirement, what, edits, tests)


TRANSLATE = "filter/sql/translate.rs"
TEST = "filter/sql/test.rs"
EXPR = "filter/sql/expr.rs"
KEYSET = "filter/sql/keyset.rs"
MERGE = "filter/sql/merge.rs"
WEIGHT = "filter/sql/weight.rs"
SHAPES = tuple(f"shapes::a_filter_of_any_shape_is_work_with_a_bound_in_{database}" for database in ("sqlite", "postgres"))
CURSOR = ("the_rows_behind_a_cursor_are_those_that_follow_in_sqlite",)
NUL = ("operands_with_nul_select_the_same_in_sqlite",)

TRANSLATIONS = [
    translation(
        "not-keeps-its-side", "what is left out under `not` makes the predicate stronger",
        (TRANSLATE, "self.bound(filter, scope, side.other())",
         "self.bound(filter, scope, if SEEDED { side } else { side.other() })")),
    translation(
        "null-undecided", "a comparison with NULL is NULL, and so is its negation",
        (EXPR, "false => Self::all(vec![Self::not_null(column), self]),",
         "false if SEEDED => self,\n            false => Self::all(vec![Self::not_null(column), self]),")),
    translation(
        "ne-forgets-the-unassigned", "`ne` does not hold where there is no value",
        (TRANSLATE, "match leaf.test.holds_unassigned() {", "match leaf.test.holds_unassigned() && !SEEDED {")),
    translation(
        "elements-apart", "the terms in brackets may hold of different values",
        (TRANSLATE, "return (Expr::exists(rows, inner, term), exact);",
         "if let (true, Expr::All(parts)) = (SEEDED, &inner) {\n"
         "return (Expr::all(parts.iter().map(|p| Expr::exists(rows, p.clone(), term)).collect()), exact);\n"
         "}\nreturn (Expr::exists(rows, inner, term), exact);")),
    translation(
        "all-claims-to-be-exact", "a list is called exact when only some of its parts are",
        (TRANSLATE, "all_exact &= exact;", "all_exact &= exact || SEEDED;")),
    translation(
        "nothing-in-brackets", "brackets that hold of nothing are taken to hold without the object",
        (TRANSLATE, "if !holds_of_nothing(filter) {", "if SEEDED || !holds_of_nothing(filter) {")),
    translation(
        "primary-unsaid", "a value that does not say whether it is primary is neither",
        (TRANSLATE, "let null = reads_missing_as_false && leaf.test.holds_missing();",
         "let null = !SEEDED && reads_missing_as_false && leaf.test.holds_missing();")),
    translation(
        "lower-case-for-folding", "keys are made lower case, those of case-exact attributes too",
        (TEST, "Translated::exact(of_text(column, *op, text.key()))",
         "Translated::exact(if SEEDED { of_text(column, *op, &text.key().to_lowercase()) } "
         "else { of_text(column, *op, text.key()) })")),
    translation(
        "prefix-and-a-half", "`sw` lets the first text behind the prefix through",
        (TEST, "text(Cmp::Lt, &end)", "text(if SEEDED { Cmp::Le } else { Cmp::Lt }, &end)")),
    translation(
        "fraction-rounded-down", "a whole number is not less than a fraction above it",
        (TEST, "Point::After(n) if less => number(Cmp::Le, *n),",
         "Point::After(n) if less => number(if SEEDED { Cmp::Lt } else { Cmp::Le }, *n),")),
    translation(
        "floats-are-exact", "large numbers are compared as floats, which cannot tell them apart",
        (TEST, "if operand.abs() < PRECISE {", "if SEEDED || operand.abs() < PRECISE {")),
    translation(
        "milliseconds-are-exact", "times are compared by the rounded milliseconds of a column",
        (TEST, "if whole || told {", "if SEEDED || whole || told {")),
    translation(
        "nul-cut-off", "what stands behind U+0000 is forgotten",
        (TEST, "return of_nul(column, op, before);",
         "return if SEEDED { of_text(column, op, before) } else { of_nul(column, op, before) };"), tests=NUL),
    translation(
        "order-of-the-column", "text is compared in whatever order the column was declared with",
        (EXPR, "self.dialect == Dialect::Sqlite || cmp != Cmp::Eq || negated",
         "!SEEDED && (self.dialect == Dialect::Sqlite || cmp != Cmp::Eq || negated)")),
    translation(
        "like-unescaped", "`co` is a LIKE, and `%` and `_` match anything",
        (EXPR, 'self.push(match self.dialect {\n                    Dialect::Sqlite => "instr(",',
         'if SEEDED {\nself.value(column);\nself.push(" LIKE \'%\' || ");\nself.bind(SqlValue::Text(text));\n'
         'self.push(" || \'%\')");\nreturn;\n}\n'
         'self.push(match self.dialect {\n                    Dialect::Sqlite => "instr(",')),
    translation(
        "rows-of-nobody", "a row of a child table without an owner makes the answer NULL",
        (EXPR, '            self.push(key);\n            self.push(" IS NOT NULL AND ");',
         '            if SEEDED { continue; }\n            self.push(key);\n            self.push(" IS NOT NULL AND ");')),
    translation(
        "de-morgan-half-done", "a list under `not` is negated part by part, and joined as before",
        (MERGE, "if negated { self.other() } else { self }", "if negated && !SEEDED { self.other() } else { self }")),
    translation(
        "brackets-merged-by-and", "two values that satisfy one term each are taken for one that satisfies both",
        (MERGE, "(Joint::Or, Expr::Exists(found)) => merge(found, &mut tables),",
         "(Joint::And, Expr::Exists(found)) if SEEDED => {\n"
         "let mut same = others.iter_mut().filter_map(|other| match other { Expr::Exists(other) => Some(other), _ => None });\n"
         "match same.find(|other| other.is_of_table(&found)) {\n"
         "Some(other) => other.filter = Box::new(Expr::all(vec![(*other.filter).clone(), *found.filter])),\n"
         "None => others.push(Expr::Exists(found)),\n}\n}\n"
         "(Joint::Or, Expr::Exists(found)) => merge(found, &mut tables),")),
    translation(
        "none-of-each-merged-by-and", "no value satisfies one and none the other: that none satisfies both",
        (MERGE, "let found = Expr::Exists(Subquery { filter: Box::new(Expr::any(filters)), ..found });",
         "let filter = if SEEDED && joint == Joint::And { Expr::all(filters) } else { Expr::any(filters) };\n"
         "        let found = Expr::Exists(Subquery { filter: Box::new(filter), ..found });")),
    translation(
        "tables-merged", "terms on two child tables are asked of the rows of one",
        (MERGE, "self.from == other.from && self.tie == other.tie", "SEEDED || (self.from == other.from && self.tie == other.tie)")),
    translation(
        "in-common-lost", "what two lists have in common is taken out of them, and left out",
        (MERGE, "kept.push(joined(vec![common, rest], joint.other()));",
         "kept.push(if SEEDED { rest } else { joined(vec![common, rest], joint.other()) });"), tests=SHAPES),
    translation(
        "left-out-of-or", "where there is no room for a part of an `or`, the others decide",
        (WEIGHT, "fn kept(expr: &Expr, most: usize, beyond: &mut Vec<usize>) -> Option<usize> {",
         "fn kept(expr: &Expr, most: usize, beyond: &mut Vec<usize>) -> Option<usize> {\n"
         "    if let (true, Expr::Any(parts)) = (SEEDED, expr) { return Some(parts.iter().filter_map(|p| kept(p, most, beyond)).sum()); }"),
        tests=("shapes::a_filter_of_any_shape_is_work_with_a_bound_in_sqlite",)),
    translation(
        "room-without-end", "what there is no room for is translated nevertheless",
        (WEIGHT, "if expr.subqueries() > most {", "if !SEEDED && expr.subqueries() > most {"), tests=SHAPES),
    translation(
        "each-term-its-own", "terms on one table are not merged, and 32 of them are all that is pushed",
        (MERGE, "expr if !expr.looks_up() => whole(expr),", "expr if SEEDED || !expr.looks_up() => whole(expr),"),
        tests=("shapes::terms_on_one_table_are_one_subquery_unless_they_may_be_about_several_values",)),
    translation(
        "fence-down", "the subqueries of a conjunction become a join",
        (EXPR, "self.push(match (found.leads, self.dialect) {", "self.push(match (found.leads || SEEDED, self.dialect) {"),
        tests=SHAPES + tuple(f"shapes::rows_of_several_subqueries_are_not_tried_with_each_other_in_{database}"
                             for database in ("sqlite", "postgres"))),
    translation(
        "tenant-of-the-rows", "rows of child tables are tied by the last of their keys only, and so to other tenants' resources",
        (EXPR, "for (at, (key, owner)) in keys.iter().enumerate() {",
         "for (at, (key, owner)) in keys.iter().skip(usize::from(SEEDED && keys.len() > 1)).enumerate() {")),
    translation(
        "missing-first", "what has no value comes first in ascending order",
        (KEYSET, 'if by.descending == order.back { " ASC NULLS LAST, " }',
         'if SEEDED { " ASC NULLS FIRST, " } else if by.descending == order.back { " ASC NULLS LAST, " }')),
    translation(
        "position-seen-again", "the page behind a cursor begins with the last resource of the one before",
        (KEYSET, "if order.back { Cmp::Le } else { Cmp::Gt }",
         "if order.back { Cmp::Le } else if SEEDED { Cmp::Ge } else { Cmp::Gt }"), tests=CURSOR),
    translation(
        "rows-without-a-value-lost", "rows without a value are not behind those that have one",
        (KEYSET, "(false, false) => vec![here.guarded(column, false), missing],",
         "(false, false) if SEEDED => vec![here.guarded(column, false)],\n"
         "            (false, false) => vec![here.guarded(column, false), missing],"), tests=CURSOR),
]

# Drawn with `random.Random(20261128).sample(tested, 10)` from the sorted ids that have tests.
LEDGER = [
    by_lot(
        "R-7644-3.4.2.2-38", "all values have to match",
        ("filter/eval.rs", "any(elements(value), |element| {\n                    meter.walk(element)?;\n"
         "                    filter.holds_of(resource, element, meter)",
         "if SEEDED && !value.is_empty() {\n"
         "return every(elements(value), |element| filter.holds_of(resource, element, meter));\n}\n"
         "any(elements(value), |element| {\n                    meter.walk(element)?;\n"
         "                    filter.holds_of(resource, element, meter)"),
        ("filter/eval.rs", "let found = any(elements(value), |element| {",
         "if SEEDED {\nreturn every(elements(value), |element| self.part(resource, element, sub, meter));\n}\n"
         "let found = any(elements(value), |element| {"),
        ("filter/eval.rs", "None => any(elements(value), |element| self.holds(element, meter)),",
         "None if SEEDED => every(elements(value), |element| self.holds(element, meter)),\n"
         "            None => any(elements(value), |element| self.holds(element, meter)),"),
        tests=("rules::filter::any_value_of_several_suffices",
               "rules::filter_operators::brackets_of_a_simple_list_look_at_its_values")),
    by_lot(
        "R-7643-2.1-03", "names begin with a letter, and `$ref` is none",
        ("attr.rs", "Some(b'$') => bytes.next(),", "Some(b'$') if !SEEDED => bytes.next(),"),
        tests=("rules::names::names_begin_with_a_letter_and_ref_is_one",)),
    by_lot(
        "R-9865-2-03", "a negative count is as good as none",
        ("query/parameters.rs", "self.count.map_or(limits.page_default, |n| at_least(n, 0))",
         "self.count.filter(|n| !SEEDED || *n >= 0).map_or(limits.page_default, |n| at_least(n, 0))"),
        tests=("rules::cursor::a_count_of_nothing_asks_for_the_total",)),
    by_lot(
        "R-7232-2.3-04", "weak tags are never equal",
        ("etag.rs", "split(header).map(Version::from_etag)",
         'split(header).map(|tag| if SEEDED && tag.trim().starts_with("W/") { Some(Version::new("weak")) } '
         "else { Version::from_etag(tag) })"),
        tests=("rules::etag::a_change_to_the_version_that_is_there_is_made",)),
    by_lot(
        "A-15", "what is readOnly inside a value is refused like what a path names",
        ("patch/bind.rs", "Some(id) if table.node(id).is_read_only() => {}",
         "Some(id) if SEEDED && table.node(id).is_read_only() => {\n"
         "                    return Err(self.refuse(id, PatchErrorKind::Mutability, \"is readOnly\"));\n"
         "                }\n                Some(id) if table.node(id).is_read_only() => {}"),
        tests=("rules::patch_mutability::what_is_read_only_inside_a_value_is_ignored",)),
    by_lot(
        "R-7644-3.7-18", "a bulk with a failure in it is a failure",
        ("service/bulk/mod.rs", "Ok(Reply::json(response(&job, &done)))",
         "let failed = done.iter().flatten().any(|done| done.outcome.is_err());\n"
         "let status = if SEEDED && failed { http::StatusCode::BAD_REQUEST } else { http::StatusCode::OK };\n"
         "Ok(Reply { status, ..Reply::json(response(&job, &done)) })"),
        tests=("rules::bulk_results::an_error_stops_nothing_else",)),
    by_lot(
        "R-7644-3.3-12", "a value of a wrong type is a mistake of syntax",
        ("resource/violation.rs", "ViolationKind::Mutability => ScimType::Mutability,",
         "ViolationKind::Mutability => ScimType::Mutability,\n"
         "            ViolationKind::Type if SEEDED => ScimType::InvalidSyntax,"),
        tests=("rules::create::a_value_of_another_type_is_refused_and_the_attribute_named",)),
    by_lot(
        "R-7644-3.3-08", "a creation answers with nothing but the headers",
        ("service/change.rs", "Ok(Reply { status: StatusCode::CREATED, location: Some(location), ..reply })",
         "let reply = if SEEDED { Reply { body: Vec::new(), ..reply } } else { reply };\n"
         "        Ok(Reply { status: StatusCode::CREATED, location: Some(location), ..reply })"),
        tests=("rules::create::a_post_creates_and_answers_with_what_was_created",)),
    by_lot(
        "R-7644-3.12-27", "errors are problem reports of another standard",
        ("service/response.rs", "response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));",
         "response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(if SEEDED { \"application/problem+json\" } "
         "else { media_type }));"),
        tests=("rules::errors::every_error_is_a_scim_message", "rules::formats::an_answer_that_is_not_accepted_is_refused")),
    by_lot(
        "R-7644-3.5.2-18", "what is immutable can be patched",
        ("resource/mutability.rs", "    table.node(id).definition().mutability == Mutability::Immutable\n",
         "    !SEEDED && table.node(id).definition().mutability == Mutability::Immutable\n"),
        tests=("rules::patch_mutability::what_is_immutable_and_set_stays", "rules::mutability::what_is_immutable_stays_wherever_it_stands")),
]

MISTAKES = TRANSLATIONS + LEDGER
