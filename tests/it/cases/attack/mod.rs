//! `hostile.json`: 286 inputs that broke servers, fired at a server in this process.
//!
//! Each item is a request built from a recipe, the answers that are fine, and what must hold afterwards: no panic, no
//! 5xx, no internals in the answer, nothing half written, in bounded time. Items that are about the bytes on the wire
//! (`raw`) and requests that the `http` crate cannot express never reach a library; they are skipped and counted.

mod build;
mod effects;
mod fire;
mod item;
mod proof;
mod verdict;

pub(crate) use fire::run;

use item::Item;

/// How many inputs the file has.
pub(crate) const CASES: usize = 286;

/// How many of them are about the bytes on the wire.
pub(crate) const ON_THE_WIRE: usize = 7;

pub(crate) fn items() -> Vec<Item> {
    #[derive(serde::Deserialize)]
    struct File {
        items: Vec<Item>,
    }
    super::load::<File>("hostile.json").items
}

#[test]
fn there_are_286_inputs() {
    let items = items();
    let on_the_wire = items.iter().filter(|item| item.send.raw.is_some()).count();
    assert_eq!((items.len(), on_the_wire), (CASES, ON_THE_WIRE));
}

/// Each recipe can be followed; most yield what can be sent.
#[test]
fn each_input_can_be_built() {
    let names = build::Names::default();
    for item in items() {
        let bytes = item.input.as_ref().map(|input| build::build(input, &names)).unwrap_or_default();
        assert!(bytes.len() < 12 << 20, "{} {}: {} bytes", item.id, item.name, bytes.len());
    }
}
