//! A small harness for benches whose result is a ratio: all cases run in one process, interleaved round by round, timed in
//! CPU time of their thread, so that other work on the machine and changes of its clock fall on both sides.
//!
//! `--test`, or `SMOKE=1` in the environment, runs each case once and judges nothing.

use std::alloc::System;
use std::hint::black_box;

use cpu_time::ThreadTime;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROUNDS: usize = 25;
const NANOS_PER_ROUND: f64 = 10e6;

/// Cases that are measured together.
pub(crate) struct Bench<'a> {
    smoke: bool,
    cases: Vec<Case<'a>>,
}

struct Case<'a> {
    name: String,
    units: f64,
    work: Box<dyn FnMut() + 'a>,
    allocations: f64,
    /// Nanoseconds per unit, one for each round.
    nanos: Vec<f64>,
}

/// Which case is meant.
#[derive(Clone, Copy)]
pub(crate) struct Id(usize);

impl<'a> Bench<'a> {
    pub(crate) fn new() -> Self {
        let smoke = std::env::args().any(|arg| arg == "--test") || std::env::var_os("SMOKE").is_some_and(|v| v == "1");
        Self { smoke, cases: Vec::new() }
    }

    /// Adds a case. One call of `work` does `units` units of work; figures are per unit.
    pub(crate) fn case<T>(&mut self, name: &str, units: usize, mut work: impl FnMut() -> T + 'a) -> Id {
        let work = Box::new(move || drop(black_box(work())));
        self.cases.push(Case { name: name.to_owned(), units: units as f64, work, allocations: 0.0, nanos: Vec::new() });
        Id(self.cases.len() - 1)
    }

    /// Runs all cases.
    pub(crate) fn run(mut self) -> Report {
        if self.smoke {
            println!("each case runs once: the figures mean nothing");
        }
        let rounds = if self.smoke { 1 } else { ROUNDS };
        let repeats: Vec<u32> = self.cases.iter_mut().map(|case| case.prepare(self.smoke)).collect();
        for _ in 0..rounds {
            for (case, repeats) in self.cases.iter_mut().zip(&repeats) {
                let nanos = case.time(*repeats);
                case.nanos.push(nanos);
            }
        }
        let measured = self.cases.into_iter().map(|case| Measured {
            name: case.name,
            allocations: case.allocations,
            nanos: case.nanos,
        });
        Report { smoke: self.smoke, measured: measured.collect() }
    }
}

impl Case<'_> {
    /// Counts allocations, warms up, and finds how often the work is repeated in one round.
    fn prepare(&mut self, smoke: bool) -> u32 {
        let region = Region::new(ALLOCATOR);
        (self.work)();
        let change = region.change();
        self.allocations = (change.allocations + change.reallocations) as f64 / self.units;
        if smoke {
            return 1;
        }
        let mut repeats = 1_u32;
        loop {
            let nanos = self.time(repeats) * self.units * f64::from(repeats);
            if nanos * 2.0 > NANOS_PER_ROUND || repeats > u32::MAX / 2 {
                return repeats;
            }
            repeats *= 2;
        }
    }

    fn time(&mut self, repeats: u32) -> f64 {
        let start = ThreadTime::now();
        for _ in 0..repeats {
            (self.work)();
        }
        start.elapsed().as_secs_f64() * 1e9 / (f64::from(repeats) * self.units)
    }
}

/// What was measured.
pub(crate) struct Report {
    smoke: bool,
    measured: Vec<Measured>,
}

struct Measured {
    name: String,
    allocations: f64,
    nanos: Vec<f64>,
}

impl Report {
    /// Prints a case by itself.
    pub(crate) fn line(&self, id: Id) {
        let Measured { name, allocations, nanos } = &self.measured[id.0];
        println!("{name}: {:.1} ns  {} allocations", median(nanos.clone()), rounded(*allocations));
    }

    /// Prints the ratio of two cases beside its goal, and gives whether it was met. The ratio is the median of those of the
    /// rounds.
    pub(crate) fn ratio(&self, name: &str, case: Id, base: Id, goal: f64) -> bool {
        let (case, base) = (&self.measured[case.0], &self.measured[base.0]);
        let ratio = median(case.nanos.iter().zip(&base.nanos).map(|(case, base)| case / base).collect());
        println!(
            "{name}: ratio {ratio:.2} (goal {goal})  {:.1} ns / {:.1} ns  {} allocations",
            median(case.nanos.clone()),
            median(base.nanos.clone()),
            rounded(case.allocations),
        );
        self.met(ratio <= goal)
    }

    /// Prints the allocations of a case beside their goal, and gives whether it was met.
    pub(crate) fn allocations(&self, name: &str, case: Id, goal: f64) -> bool {
        let allocations = self.measured[case.0].allocations;
        println!("{name}: {} allocations (goal {goal})", rounded(allocations));
        self.met(allocations <= goal)
    }

    fn met(&self, met: bool) -> bool {
        if !met && !self.smoke {
            println!("  goal missed");
        }
        met || self.smoke
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
