//! In which order the operations of a bulk request are carried out (RFC 7644 §3.7, §3.7.1).
//!
//! An operation waits for those that create what it refers to, and for earlier ones on the same resource; everything else
//! stays in the order of the request. What refers to each other in a circle is carried out together. Nothing recurses, and
//! the work follows the number of operations and references.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What each operation waits for, by number.
pub(super) type Waits = Vec<Vec<usize>>;

/// Operations that are carried out together: one, or those of a circle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    /// in the order of the request
    pub(super) operations: Vec<usize>,
    /// whether they refer to each other, or one to itself
    pub(super) circular: bool,
}

/// The units in the order in which they are carried out.
pub(super) fn plan(waits: &Waits) -> Vec<Unit> {
    let (unit_of, mut units) = circles(waits);
    let mut open: Vec<usize> = vec![0; units.len()];
    let mut awaited: Vec<Vec<usize>> = vec![Vec::new(); units.len()];
    for (from, to) in edges(waits) {
        let (Some(from), Some(to)) = (unit_of.get(from), unit_of.get(to)) else { continue };
        match (open.get_mut(*from), awaited.get_mut(*to)) {
            (Some(open), Some(awaited)) if from != to => {
                *open += 1;
                awaited.push(*from);
            }
            _ => {}
        }
    }
    let first = |units: &[Unit], unit: usize| units.get(unit).and_then(|unit| unit.operations.first().copied());
    let ready = open.iter().enumerate().filter(|(_, open)| **open == 0);
    let mut ready: BinaryHeap<_> = ready.map(|(unit, _)| Reverse((first(&units, unit), unit))).collect();
    let mut order = Vec::with_capacity(units.len());
    while let Some(Reverse((_, unit))) = ready.pop() {
        for waiting in awaited.get_mut(unit).map(std::mem::take).unwrap_or_default() {
            let Some(open) = open.get_mut(waiting) else { continue };
            *open -= 1;
            if *open == 0 {
                ready.push(Reverse((first(&units, waiting), waiting)));
            }
        }
        if let Some(unit) = units.get_mut(unit) {
            order.push(Unit { operations: std::mem::take(&mut unit.operations), circular: unit.circular });
        }
    }
    order
}

fn edges(waits: &Waits) -> impl Iterator<Item = (usize, usize)> {
    waits.iter().enumerate().flat_map(|(from, targets)| targets.iter().map(move |to| (from, *to)))
}

/// What an operation is known by while circles are looked for.
#[derive(Clone, Copy, Default)]
struct Visit {
    /// the number of the visit; 0 is none yet
    number: usize,
    /// the earliest visit that can be reached from here
    low: usize,
    /// the next target to look at
    next: usize,
    on_stack: bool,
}

/// The strongly connected components, by Tarjan's algorithm with a stack of its own.
fn circles(waits: &Waits) -> (Vec<usize>, Vec<Unit>) {
    let mut visits = vec![Visit::default(); waits.len()];
    let mut unit_of = vec![0; waits.len()];
    let mut units = Vec::new();
    let (mut stack, mut path) = (Vec::new(), Vec::new());
    let mut count = 0;
    for start in 0..waits.len() {
        if visits.get(start).is_some_and(|visit| visit.number == 0) {
            path.push(start);
        }
        while let Some(at) = path.last().copied() {
            let Some(visit) = visits.get_mut(at) else { break };
            if visit.number == 0 {
                count += 1;
                *visit = Visit { number: count, low: count, next: 0, on_stack: true };
                stack.push(at);
            }
            let target = waits.get(at).and_then(|targets| targets.get(visit.next)).copied();
            visit.next += 1;
            let low = visit.low;
            if let Some(target) = target {
                match visits.get(target).copied() {
                    Some(seen) if seen.number == 0 => path.push(target),
                    Some(seen) if seen.on_stack => lower(&mut visits, at, seen.number),
                    _ => {}
                }
                continue;
            }
            path.pop();
            if let Some(parent) = path.last() {
                lower(&mut visits, *parent, low);
            }
            if visits.get(at).is_some_and(|visit| visit.low == visit.number) {
                let own = stack.iter().rposition(|operation| *operation == at).unwrap_or_default();
                let mut operations = stack.split_off(own);
                operations.sort_unstable();
                for operation in &operations {
                    if let (Some(visit), Some(unit)) = (visits.get_mut(*operation), unit_of.get_mut(*operation)) {
                        (visit.on_stack, *unit) = (false, units.len());
                    }
                }
                let to_itself = waits.get(at).is_some_and(|targets| targets.contains(&at));
                units.push(Unit { circular: operations.len() > 1 || to_itself, operations });
            }
        }
    }
    (unit_of, units)
}

fn lower(visits: &mut [Visit], at: usize, low: usize) {
    if let Some(visit) = visits.get_mut(at) {
        visit.low = visit.low.min(low);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(waits: &[&[usize]]) -> Vec<Vec<usize>> {
        let waits: Waits = waits.iter().map(|targets| targets.to_vec()).collect();
        plan(&waits).into_iter().map(|unit| unit.operations).collect()
    }

    #[test]
    fn what_waits_for_nothing_keeps_its_place() {
        assert_eq!(order(&[&[], &[], &[]]), [[0], [1], [2]]);
        assert_eq!(order(&[&[], &[0], &[1, 0]]), [[0], [1], [2]]);
    }

    #[test]
    fn what_refers_forward_waits() {
        assert_eq!(order(&[&[2], &[], &[], &[0]]), [[1], [2], [0], [3]]);
    }

    #[test]
    fn a_circle_is_one_unit_and_what_it_needs_comes_first() {
        assert_eq!(order(&[&[1], &[0, 3], &[1], &[]]), vec![vec![3], vec![0, 1], vec![2]]);
        assert_eq!(order(&[&[1], &[2], &[0], &[4], &[3, 0]]), vec![vec![0, 1, 2], vec![3, 4]]);
        let alone = plan(&vec![vec![0], vec![]]);
        assert_eq!((alone[0].circular, alone[1].circular), (true, false));
    }

    #[test]
    fn a_chain_or_a_circle_of_any_length_needs_no_stack() {
        let chain: Waits = (0..200_000).map(|n| if n == 199_999 { vec![] } else { vec![n + 1] }).collect();
        assert_eq!(plan(&chain).first().map(|unit| unit.operations.clone()), Some(vec![199_999]));
        let circle: Waits = (0..200_000).map(|n| vec![(n + 1) % 200_000]).collect();
        assert_eq!(plan(&circle).len(), 1);
    }
}
