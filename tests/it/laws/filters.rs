//! Evaluating filters.

use chrono::DateTime;
use proptest::prelude::*;
use scim_provider::schema::{Attribute, AttributeType, Returned};
use scim_provider::{Compat, Filter, Limits, Resource, ResourceType, Version};
use serde_json::{Value, json};

use super::given::{Dice, TIMES, body, typed_body};
use super::model::{Rule, Test};
use super::{DEVICES, attributes, inputs, is_link, value_of};

proptest! {
    #![proptest_config(inputs())]

    /// Red when `[ ]` looks at all values instead of one, when `ne` forgets what has no value, when numbers are compared as
    /// text or times by their letters, when a missing `primary` is not false, or when folding is left out.
    #[test]
    fn a_filter_means_what_the_rfc_says((ty, body) in typed_body(), seed in any::<u64>()) {
        let read = Resource::parse(&ty, body.to_string().as_bytes()).unwrap();
        let resource = read.stamped("m-1", DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH, &Version::from(7));
        let document = value_of(&resource);
        for turn in 0..8 {
            let rule = rule(&mut Dice(seed ^ turn), &ty, &document, 2);
            let text = rule.to_string();
            let filter = Filter::parse(&text, &Limits::default()).unwrap_or_else(|error| panic!("{error:#}"));
            let bound = filter.bind(&ty, Compat::strict()).unwrap_or_else(|error| panic!("{text}: {error}"));
            prop_assert_eq!(bound.matches(&resource), rule.holds(&document), "{}\n{}", text, document);
        }
    }

    /// Red when the printed filter drops parentheses, or when names are told apart by letter case.
    #[test]
    fn a_filter_means_the_same_however_it_is_spelled(body in body(&DEVICES), seed in any::<u64>()) {
        let resource = Resource::parse(&DEVICES, body.to_string().as_bytes()).unwrap();
        let rule = rule(&mut Dice(seed), &DEVICES, &value_of(&resource), 2);
        let holds = |text: &str| {
            let filter: Filter = text.parse().unwrap_or_else(|error| panic!("{error:#}"));
            filter.bind(&DEVICES, Compat::strict()).unwrap().matches(&resource)
        };
        let text = rule.to_string();
        let printed = text.parse::<Filter>().unwrap().to_string();
        let spelled = respelled(&text, &mut Dice(seed));
        prop_assert_eq!(holds(&printed), holds(&text), "{} prints as {}", text, printed);
        prop_assert_eq!(holds(&spelled), holds(&text), "{} against {}", text, spelled);
    }
}

/// A random filter over the attributes of a type, with operands that are likely to meet what the document holds.
pub(super) fn rule(dice: &mut Dice, ty: &ResourceType, document: &Value, depth: usize) -> Rule {
    let all = attributes(ty);
    let hidden = |a: &Attribute| a.returned == Returned::Never;
    let usable: Vec<_> = all.iter().filter(|(_, a)| !hidden(a)).collect();
    if depth > 0 && dice.one_in(3) {
        let mut more = || rule(dice, ty, document, depth - 1);
        let (one, two) = (more(), more());
        return match dice.below(3) {
            0 => Rule::Or(vec![one, two]),
            1 => Rule::And(vec![one, two]),
            _ => Rule::Not(Box::new(one)),
        };
    }
    let (urn, attribute) = dice.pick(&usable);
    let at = urn.as_ref().map_or(document, |urn| &document[urn]);
    let found = at.get(&attribute.name).unwrap_or(&Value::Null);
    let of = Subject { urn, attribute, found };
    if (attribute.multi_valued || !attribute.sub_attributes.is_empty()) && dice.one_in(2) {
        return Rule::Element(urn.clone(), attribute.clone(), Box::new(of.inside(dice, depth)));
    }
    of.test(dice, false)
}

/// What a comparison is about.
pub(super) struct Subject<'s> {
    pub(super) urn: &'s Option<String>,
    pub(super) attribute: &'s Attribute,
    /// what the document has there
    pub(super) found: &'s Value,
}

impl Subject<'_> {
    fn inside(&self, dice: &mut Dice, depth: usize) -> Rule {
        if depth > 0 && dice.one_in(2) {
            let rules = vec![self.inside(dice, depth - 1), self.inside(dice, depth - 1)];
            return if dice.one_in(3) { Rule::Or(rules) } else { Rule::And(rules) };
        }
        if depth > 0 && dice.one_in(6) {
            return Rule::Not(Box::new(self.inside(dice, depth - 1)));
        }
        self.test(dice, true)
    }

    pub(super) fn test(&self, dice: &mut Dice, inside: bool) -> Rule {
        let links = |sub: &&Attribute| !is_link(sub) && sub.name != "location" && sub.returned != Returned::Never;
        let subs: Vec<&Attribute> = self.attribute.sub_attributes.iter().filter(links).collect();
        let sub = match subs.is_empty() || (!inside && dice.one_in(5)) {
            true => None,
            false => Some((*dice.pick(&subs)).clone()),
        };
        // a comparison with a complex list means its `value`; with a single complex value it means nothing
        let value = self.attribute.sub_attributes.iter().find(|sub| sub.name == "value");
        let compared = match (&sub, self.attribute.kind) {
            (Some(sub), _) => Some(sub),
            (None, AttributeType::Complex) => value.filter(|_| self.attribute.multi_valued),
            (None, _) => Some(self.attribute),
        };
        let (op, literal) = match compared {
            None => (*dice.pick(&["pr", "eq", "ne"]), Value::Null),
            Some(_) if dice.one_in(6) => (*dice.pick(&["pr", "eq", "ne"]), Value::Null),
            Some(compared) => (*dice.pick(operators(compared.kind)), self.literal(dice, compared)),
        };
        let (urn, attribute) = (self.urn.clone(), self.attribute.clone());
        Rule::Test(Test { urn, attribute, sub, inside, op, literal })
    }

    /// A value of the document, the same in other clothes, or another one.
    fn literal(&self, dice: &mut Dice, attribute: &Attribute) -> Value {
        let elements = match self.found {
            Value::Array(list) => list.clone(),
            value => vec![value.clone()],
        };
        let sub =
            |element: &Value| if element.is_object() { element[&attribute.name].clone() } else { element.clone() };
        let values: Vec<Value> = elements.iter().map(sub).filter(|v| !v.is_null() && !v.is_object()).collect();
        let known = (!values.is_empty() && !dice.one_in(3)).then(|| dice.pick(&values).clone());
        match attribute.kind {
            AttributeType::Boolean => json!(dice.one_in(2)),
            AttributeType::Integer | AttributeType::Decimal => known.unwrap_or_else(|| {
                dice.pick(&[json!(0), json!(-0.0), json!(1.0), json!(1), json!(1.5), json!(9_007_199_254_740_992_i64)])
                    .clone()
            }),
            AttributeType::DateTime => known.unwrap_or_else(|| json!(dice.pick(TIMES))),
            _ => match known.as_ref().and_then(Value::as_str) {
                Some(text) => json!(redressed(dice, text)),
                None => json!(dice.pick(&["", "a", "É", "work", "K", "σ", "\\", "\"", "m-1", "🦀", "User"])),
            },
        }
    }
}

fn operators(kind: AttributeType) -> &'static [&'static str] {
    match kind {
        AttributeType::Boolean | AttributeType::Binary => &["eq", "ne"],
        AttributeType::Integer | AttributeType::Decimal | AttributeType::DateTime => {
            &["eq", "ne", "gt", "ge", "lt", "le"]
        }
        _ => &["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"],
    }
}

/// A text in another letter case, or a piece of it.
fn redressed(dice: &mut Dice, text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let cut = dice.below(chars.len() + 1);
    match dice.below(5) {
        0 => text.to_uppercase(),
        1 => text.to_lowercase(),
        2 => chars[cut..].iter().collect(),
        3 => chars[..cut].iter().collect(),
        _ => text.to_owned(),
    }
}

/// The filter with words outside of quotes in other letter cases, but for JSON's own.
fn respelled(text: &str, dice: &mut Dice) -> String {
    let mut out = String::new();
    let (mut quoted, mut escaped) = (false, false);
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let end = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).len();
        let (name, rest) = word.split_at(end);
        let json = matches!(name, "true" | "false" | "null") || name.starts_with(|c: char| c.is_ascii_digit());
        out.push_str(&if quoted || json { name.to_owned() } else { dice.respell(name) });
        out.push_str(rest);
        escaped &= end == 0;
        for c in rest.chars() {
            quoted ^= c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
        }
    }
    out
}
