//! In which order the operations of a bulk request are carried out (RFC 7644 §3.7, §3.7.1).
//!
//! In the order of the request, but for references to what a later operation creates. That creation comes first where nothing
//! but operations on other types lies between, since it cannot depend on those. Else what refers waits for it, and so does what
//! follows on the same resource: a creation must not overtake a deletion or a change that may free the name that it needs.
//! What refers to each other in a circle is carried out together. Nothing recurses, and the work follows the number of
//! operations and references.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

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

/// The units in the order in which they are carried out. `types` has the type of resource that each operation is about.
pub(super) fn plan(waits: &Waits, types: &[Option<usize>]) -> Vec<Unit> {
    let mut queue = Queue::new(waits, types);
    let mut places: Vec<usize> = (0..queue.units.len()).collect();
    places.sort_unstable_by_key(|unit| queue.place(*unit));
    for unit in places {
        queue.come_to(unit);
    }
    queue.order
}

/// The units that are still to be put in order.
struct Queue<'p> {
    waits: &'p Waits,
    types: &'p [Option<usize>],
    unit_of: Vec<usize>,
    /// one that is in order already has no operations any more
    units: Vec<Unit>,
    /// how many others each unit waits for
    open: Vec<usize>,
    /// the units that wait for each
    awaited: Vec<Vec<usize>>,
    /// whether its turn came when it had to wait
    deferred: Vec<bool>,
    /// by type, the operations to come
    coming: HashMap<usize, VecDeque<usize>>,
    order: Vec<Unit>,
}

impl<'p> Queue<'p> {
    fn new(waits: &'p Waits, types: &'p [Option<usize>]) -> Self {
        let (unit_of, units) = circles(waits);
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
        let mut coming: HashMap<usize, VecDeque<usize>> = HashMap::new();
        for (number, ty) in types.iter().enumerate() {
            ty.iter().for_each(|ty| coming.entry(*ty).or_default().push_back(number));
        }
        let deferred = vec![false; units.len()];
        Self { waits, types, unit_of, units, open, awaited, deferred, coming, order: Vec::new() }
    }

    /// Where a unit stands in the request: `None` when it is in order already.
    fn place(&self, unit: usize) -> Option<usize> {
        self.units.get(unit)?.operations.first().copied()
    }

    /// The turn of a unit, in the order of the request.
    fn come_to(&mut self, unit: usize) {
        let Some(first) = self.place(unit) else { return };
        if !self.is_ready(unit) {
            self.bring_forward(first);
        }
        if self.is_ready(unit) {
            self.put(unit);
        } else if let Some(deferred) = self.deferred.get_mut(unit) {
            *deferred = true;
        }
    }

    /// Puts in order what an operation waits for, as far as that overtakes nothing on its own type but the operation itself.
    fn bring_forward(&mut self, number: usize) {
        let own = self.type_of(number).filter(|ty| self.next_of(*ty) == Some(number));
        own.and_then(|ty| self.coming.get_mut(&ty)?.pop_front());
        let waits = self.waits;
        for need in waits.get(number).into_iter().flatten() {
            let Some(maker) = self.unit_of.get(*need).copied().filter(|maker| self.is_ready(*maker)) else { continue };
            let alone = self.units.get(maker).is_some_and(|unit| unit.operations.len() == 1);
            if alone && self.type_of(*need).and_then(|ty| self.next_of(ty)) == Some(*need) {
                self.put(maker);
            }
        }
        own.and_then(|ty| self.coming.get_mut(&ty)).into_iter().for_each(|coming| coming.push_front(number));
    }

    /// Puts a unit in order, and after it those that have waited for it only.
    fn put(&mut self, unit: usize) {
        let mut ready = BinaryHeap::from([Reverse((self.place(unit), unit))]);
        while let Some(Reverse((_, unit))) = ready.pop() {
            for waiting in self.awaited.get_mut(unit).map(std::mem::take).unwrap_or_default() {
                let (Some(open), Some(deferred)) = (self.open.get_mut(waiting), self.deferred.get(waiting)) else {
                    continue;
                };
                *open -= 1;
                if *open == 0 && *deferred {
                    ready.push(Reverse((self.place(waiting), waiting)));
                }
            }
            if let Some(unit) = self.units.get_mut(unit) {
                self.order.push(Unit { operations: std::mem::take(&mut unit.operations), circular: unit.circular });
            }
        }
    }

    fn is_ready(&self, unit: usize) -> bool {
        self.open.get(unit) == Some(&0)
    }

    fn type_of(&self, number: usize) -> Option<usize> {
        self.types.get(number).copied().flatten()
    }

    /// The next operation on a type.
    fn next_of(&mut self, ty: usize) -> Option<usize> {
        let coming = self.coming.get_mut(&ty)?;
        while let Some(number) = coming.front().copied() {
            let unit = self.unit_of.get(number).and_then(|unit| self.units.get(*unit));
            if unit.is_some_and(|unit| !unit.operations.is_empty()) {
                return Some(number);
            }
            coming.pop_front();
        }
        None
    }
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
        order_of(waits, &vec![0; waits.len()])
    }

    fn order_of(waits: &[&[usize]], types: &[usize]) -> Vec<Vec<usize>> {
        let waits: Waits = waits.iter().map(|targets| targets.to_vec()).collect();
        let types: Vec<_> = types.iter().copied().map(Some).collect();
        plan(&waits, &types).into_iter().map(|unit| unit.operations).collect()
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
    fn a_creation_comes_early_where_it_overtakes_other_types_only() {
        assert_eq!(order_of(&[&[2], &[], &[]], &[0, 0, 1]), [[2], [0], [1]]);
        assert_eq!(order_of(&[&[2], &[], &[], &[0]], &[0, 1, 0, 1]), [[2], [0], [1], [3]]);
        assert_eq!(order_of(&[&[2], &[], &[]], &[0, 1, 1]), [[1], [2], [0]]);
        // two at once, and one behind what it must not overtake
        assert_eq!(order_of(&[&[2, 3], &[], &[], &[]], &[0, 0, 1, 1]), [[2], [3], [0], [1]]);
        assert_eq!(order_of(&[&[1, 3], &[], &[], &[]], &[0, 1, 1, 1]), [[1], [2], [3], [0]]);
        // the first waits for a second, which is in the way of the third
        assert_eq!(order_of(&[&[2], &[3], &[], &[]], &[0, 1, 0, 1]), [[2], [0], [3], [1]]);
        assert_eq!(order_of(&[&[3], &[2], &[], &[]], &[0, 1, 0, 1]), [[2], [1], [3], [0]]);
    }

    #[test]
    fn a_circle_is_one_unit_and_what_it_needs_comes_first() {
        assert_eq!(order(&[&[1], &[0, 3], &[1], &[]]), vec![vec![3], vec![0, 1], vec![2]]);
        assert_eq!(order(&[&[1], &[2], &[0], &[4], &[3, 0]]), vec![vec![0, 1, 2], vec![3, 4]]);
        let alone = plan(&vec![vec![0], vec![]], &[None; 2]);
        assert_eq!((alone[0].circular, alone[1].circular), (true, false));
    }

    #[test]
    fn a_chain_or_a_circle_of_any_length_needs_no_stack() {
        let chain: Waits = (0..200_000).map(|n| if n == 199_999 { vec![] } else { vec![n + 1] }).collect();
        assert_eq!(
            plan(&chain, &vec![Some(0); 200_000]).first().map(|unit| unit.operations.clone()),
            Some(vec![199_999])
        );
        let circle: Waits = (0..200_000).map(|n| vec![(n + 1) % 200_000]).collect();
        assert_eq!(plan(&circle, &vec![Some(0); 200_000]).len(), 1);
    }
}
