//! Carrying out PATCH requests.

use std::collections::BTreeSet;

use http::Method;
use proptest::prelude::*;
use scim_provider::schema::{Attribute, AttributeType, Mutability, Returned};
use scim_provider::{
    Changes, Compat, Limits, MemoryStore, Patch, PatchError, Resource, ResourceType, UnknownAttributes,
};
use serde_json::{Value, json};

use super::documents::{alike, place, stored};
use super::filters::Subject;
use super::given::{Dice, IDS, body, visible};
use super::model::{Rule, Test};
use super::rewrite::{Op, Refused, Step, identical, rewrite};
use super::{DEVICES, GROUPS, USERS, attributes, inputs, is_link, json as body_of, now, send, service, value_of};

/// A type, a document, and another one of which the operations take their values.
fn patched() -> impl Strategy<Value = (ResourceType, Value, Value)> {
    let of = |ty: &ResourceType| (Just(ty.clone()), body(ty), body(ty));
    prop_oneof![1 => of(&GROUPS), 2 => of(&USERS), 3 => of(&DEVICES)]
}

proptest! {
    #![proptest_config(inputs())]

    /// Red when a value path touches all values, when `add` appends what is there, when a second primary stays, when
    /// `replace` without a match creates for everybody, or when a required or immutable attribute can be taken away.
    #[test]
    fn a_patch_is_its_operations_one_after_the_other((ty, body, other) in patched(), seed in any::<u64>()) {
        let resource = Resource::parse(&ty, body.to_string().as_bytes()).unwrap();
        let mut dice = Dice(seed);
        let before = value_of(&resource);
        let steps = steps(&mut dice, &ty, &before, &visible(&ty, &other));
        let expected = rewrite(&ty, &before, &steps);
        let request = spelled(&mut dice, &ty, &steps);
        match (bind(&ty, &request).and_then(|changes| changes.apply(&resource)), expected) {
            (Ok(patched), Ok(expected)) => {
                let after = value_of(&patched.resource);
                prop_assert!(alike(&sets(&after), &sets(&expected)), "{before}\n{request}\n{after}\nis not\n{expected}");
                prop_assert_eq!(patched.changed, patched.resource.as_json() != resource.as_json());
                let again = Resource::from_stored(&ty, patched.resource.as_json()).unwrap();
                prop_assert_eq!(again, patched.resource);
            }
            (Err(_), Err(Refused)) => {}
            (Err(error), Ok(expected)) => prop_assert!(false, "{before}\n{request}\n{error}, not\n{expected}"),
            (Ok(patched), Err(Refused)) => prop_assert!(false, "{before}\n{request}\n{:?}, not refused", patched.resource),
        }
    }

    /// Red when an addition does not take back an earlier removal, or a replacement keeps earlier additions.
    #[test]
    fn folded_relations_are_the_operations_on_a_set((body, other) in (body(&GROUPS), body(&GROUPS)), seed in any::<u64>()) {
        let resource = Resource::parse(&GROUPS, body.to_string().as_bytes()).unwrap();
        let mut dice = Dice(seed);
        let members = attributes(&GROUPS).into_iter().find(|(_, a)| a.name == "members").unwrap().1;
        let steps: Vec<Step> =
            (0..=dice.below(5)).map(|_| membership(&mut dice, &members, &other["members"])).collect();
        let request = spelled(&mut dice, &GROUPS, &steps);
        let changes = bind(&GROUPS, &request).unwrap();
        let expected = ids(&rewrite(&GROUPS, &value_of(&resource), &steps).unwrap());
        prop_assert_eq!(ids(&value_of(&changes.apply(&resource).unwrap().resource)), expected.clone(), "{}", request);
        prop_assert!(!changes.needs_references());
        // nothing is left of operations that add nothing
        let Some(change) = changes.relations().first() else { return Ok(()) };
        let mut set = if change.replaces_all() { BTreeSet::new() } else { ids(&value_of(&resource)) };
        let removed: Vec<String> = change.removed().map(|id| id.into_owned()).collect();
        let added: Vec<String> = change.added().map(|member| member.value().into_owned()).collect();
        prop_assert!(removed.iter().all(|id| !added.contains(id)));
        set.retain(|id| !removed.contains(id));
        set.extend(added);
        prop_assert_eq!(set, expected, "{}", request);
    }

    /// Red when a store writes before it has checked, when it counts a version for nothing, or forgets to.
    #[test]
    fn a_patch_that_fails_or_has_no_effect_leaves_no_trace((ty, body, other) in patched(), seed in any::<u64>()) {
        let store = MemoryStore::new();
        let service = service(&store, UnknownAttributes::Drop);
        let (status, response) = now(send(&service, Method::POST, ty.endpoint(), body.to_string()));
        prop_assert_eq!(status, 201, "{}", body_of(&response));
        let mut before = stored(&store, &ty, body_of(&response)["id"].as_str().unwrap());
        let mut dice = Dice(seed);
        for _ in 0..3 {
            let steps = steps(&mut dice, &ty, &before, &visible(&ty, &other));
            let expected = rewrite(&ty, &before, &steps);
            let request = spelled(&mut dice, &ty, &steps);
            let (status, response) = now(send(&service, Method::PATCH, &place(&ty, &before), request.to_string()));
            let after = stored(&store, &ty, before["id"].as_str().unwrap());
            match expected {
                Err(Refused) => {
                    prop_assert_eq!(status, 400, "{}", request);
                    prop_assert_eq!(&after, &before, "{}", request);
                }
                Ok(expected) => {
                    prop_assert!(matches!(status, 200 | 204), "{request}\n{}", body_of(&response));
                    let content = |value: &Value| sets(&json!({"all": value, "meta": null}));
                    let mut same = expected.clone();
                    same["meta"] = after["meta"].clone();
                    prop_assert!(alike(&content(&after), &content(&same)), "{before}\n{request}\n{after}\nis not\n{same}");
                    let effect = !identical(&sets(&expected), &sets(&before));
                    prop_assert_eq!(after["meta"] != before["meta"], effect, "{}\n{}\n{}", before, request, after);
                }
            }
            before = after;
        }
    }
}

fn bind(ty: &ResourceType, request: &Value) -> Result<Changes, PatchError> {
    let limits = Limits::default();
    Patch::parse(request.to_string().as_bytes(), &limits)?.bind(ty, Compat::default(), &limits)
}

/// The document with its references as a set: order is a store's own, and what is said of a member that was there stays.
fn sets(document: &Value) -> Value {
    let mut document = document.clone();
    let holder = if document.get("all").is_some() { &mut document["all"] } else { &mut document };
    if holder.get("members").is_some() {
        let ids = ids(holder);
        holder["members"] = json!(ids);
    }
    document
}

fn ids(group: &Value) -> BTreeSet<String> {
    let members = group["members"].as_array().into_iter().flatten();
    members.map(|member| member["value"].as_str().unwrap().to_owned()).collect()
}

/// Up to four operations that make sense for the type, though perhaps not for the document.
fn steps(dice: &mut Dice, ty: &ResourceType, document: &Value, other: &Value) -> Vec<Step> {
    let all = attributes(ty);
    let writable =
        |a: &Attribute| a.mutability != Mutability::ReadOnly && a.returned != Returned::Never && a.name != "schemas";
    let mut usable: Vec<_> = all.iter().filter(|(_, a)| writable(a)).collect();
    // lists have the most rules, above all where there is something to add to what is there
    let lists: Vec<_> =
        usable.iter().filter(|(_, a)| a.multi_valued && other.get(&a.name).is_some()).copied().collect();
    usable.extend(lists.repeat(4));
    let mut step = || {
        let (urn, attribute) = dice.pick(&usable);
        let of = |document: &Value| {
            urn.as_ref().map_or(document, |urn| &document[urn]).get(&attribute.name).cloned().unwrap_or_default()
        };
        if attribute.sub_attributes.iter().any(is_link) && attribute.multi_valued {
            return membership(dice, attribute, &of(other));
        }
        single_step(dice, urn, attribute, &of(document), &of(other))
    };
    (0..4).map(|_| step()).take(1 + usize::from(document["id"].is_null()) * 3).collect()
}

fn single_step(dice: &mut Dice, urn: &Option<String>, attribute: &Attribute, found: &Value, value: &Value) -> Step {
    let usable = |sub: &&Attribute| !is_link(sub) && sub.mutability == Mutability::ReadWrite;
    let subs: Vec<&Attribute> = attribute.sub_attributes.iter().filter(usable).collect();
    let sub = (!subs.is_empty() && dice.one_in(2)).then(|| (*dice.pick(&subs)).clone());
    let filter = (attribute.multi_valued && dice.one_in(2)).then(|| {
        let subject = Subject { urn, attribute, found };
        let rule = subject.test(dice, true);
        match (rule, dice.one_in(4)) {
            (Rule::Test(test), false) => Rule::Test(Test { op: if test.op == "pr" { "pr" } else { "eq" }, ..test }),
            (rule, _) => rule,
        }
    });
    let op = *dice.pick(&[Op::Add, Op::Replace, Op::Remove]);
    let first = value.as_array().map_or(value, |list| &list[0]).clone();
    let value = match (op, &sub) {
        (Op::Remove, _) => Value::Null,
        (_, Some(sub)) => first.get(&sub.name).cloned().unwrap_or_default(),
        (_, None) if filter.is_some() => first,
        _ => value.clone(),
    };
    let (urn, attribute) = (urn.clone(), attribute.clone());
    Step { op, urn, attribute, filter, sub, value, from_entra: dice.one_in(2) }
}

/// An operation on members as identity providers send them.
fn membership(dice: &mut Dice, members: &Attribute, other: &Value) -> Step {
    let id = |dice: &mut Dice| json!(*dice.pick(IDS));
    let value = members.sub_attributes.iter().find(|sub| sub.name == "value").cloned();
    let equals = |literal| {
        let (attribute, sub) = (members.clone(), value.clone());
        Rule::Test(Test { urn: None, attribute, sub, inside: true, op: "eq", literal })
    };
    let listed = json!([{"value": id(dice)}, {"value": id(dice), "type": "User"}]);
    let (op, filter, value) = match dice.below(5) {
        0 => (Op::Remove, Some(equals(id(dice))), Value::Null),
        1 => (Op::Remove, Some(Rule::Or(vec![equals(id(dice)), equals(id(dice))])), Value::Null),
        2 => (Op::Remove, None, listed),
        3 => (Op::Replace, None, other.clone()),
        _ => (Op::Add, None, other.clone()),
    };
    Step { op, urn: None, attribute: members.clone(), filter, sub: None, value, from_entra: dice.one_in(2) }
}

/// The request, each operation in one of the spellings that clients use for it.
fn spelled(dice: &mut Dice, ty: &ResourceType, steps: &[Step]) -> Value {
    // one capitalised operation does not make the others Entra's
    let operations: Vec<Value> = steps.iter().map(|step| operation(dice, ty, step)).collect();
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

fn operation(dice: &mut Dice, ty: &ResourceType, step: &Step) -> Value {
    let name = match step.op {
        Op::Add => "add",
        Op::Replace => "replace",
        Op::Remove => "remove",
    };
    let name = if step.from_entra { format!("{}{}", name[..1].to_uppercase(), &name[1..]) } else { name.to_owned() };
    let value = provider_value(dice, step);
    let whole = step.filter.is_none() && step.sub.is_none();
    let own = &step.attribute.name;
    match (dice.below(6), &step.urn, step.op) {
        (_, _, Op::Remove) if value.is_null() => json!({"op": name, "path": step.path()}),
        (_, _, Op::Remove) => json!({"op": name, "path": dice.respell(&step.path()), "value": value}),
        (0, None, _) if whole => json!({"op": name, "value": {dice.respell(own): value}}),
        (0, Some(urn), _) if whole => json!({"op": name, "value": {dice.respell(urn): {own: value}}}),
        (1, Some(urn), _) if whole => json!({"op": name, "path": urn, "value": {own: value}}),
        (2, _, _) if step.filter.is_none() && (step.urn.is_some() || step.sub.is_some()) => {
            json!({"op": name, "value": {step.path(): value}})
        }
        (3, None, _) => json!({"op": name, "path": format!("{}:{}", ty.schema().id, step.path()), "value": value}),
        (4, _, _) if step.filter.is_none() => json!({"op": name, "path": dice.respell(&step.path()), "value": value}),
        _ => json!({"op": name, "path": step.path(), "value": value}),
    }
}

/// The value as the RFC or as a provider writes it.
fn provider_value(dice: &mut Dice, step: &Step) -> Value {
    let lenient = dice.one_in(3);
    match &step.value {
        Value::Bool(value) if lenient => json!(if *value { "True" } else { "false" }),
        Value::Array(list) if lenient && list.len() == 1 => list[0].clone(),
        Value::Object(_)
            if lenient && step.attribute.kind == AttributeType::Complex && !step.attribute.multi_valued =>
        {
            json!([step.value])
        }
        Value::Null if step.op == Op::Replace && lenient => json!([]),
        value => value.clone(),
    }
}
