//! A small harness for benches whose result is a ratio: all cases run in one process, interleaved round by round, timed in
//! CPU time of their thread, so that other work on the machine and changes of its clock fall on both sides.
//!
//! `--test`, or `SMOKE=1` in the environment, runs each case once, on small data, and judges nothing.
#![allow(dead_code, reason = "each bench uses a part of it")]

pub(crate) mod data;
pub(crate) mod walk;

use std::alloc::System;
use std::hint::black_box;
use std::pin::pin;
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};

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
    /// does the work so many times
    work: Box<dyn FnMut(u32) -> Run + 'a>,
    allocations: f64,
    /// Nanoseconds per unit, one for each round.
    nanos: Vec<f64>,
}

/// What doing the work cost.
struct Run {
    nanos: f64,
    allocations: f64,
}

/// Which case is meant.
#[derive(Clone, Copy)]
pub(crate) struct Id(usize);

impl<'a> Bench<'a> {
    pub(crate) fn new() -> Self {
        Self { smoke: smoke(), cases: Vec::new() }
    }

    /// Adds a case. One call of `work` does `units` units of work; figures are per unit.
    pub(crate) fn case<T>(&mut self, name: &str, units: usize, mut work: impl FnMut() -> T + 'a) -> Id {
        self.case_with(name, units, || (), move |()| work())
    }

    /// Adds a case whose work consumes something. Making that is not measured.
    pub(crate) fn case_with<I, T>(
        &mut self,
        name: &str,
        units: usize,
        mut make: impl FnMut() -> I + 'a,
        mut work: impl FnMut(I) -> T + 'a,
    ) -> Id {
        let work = move |times: u32| {
            let inputs: Vec<I> = (0..times).map(|_| make()).collect();
            let (region, start) = (Region::new(ALLOCATOR), ThreadTime::now());
            for input in inputs {
                drop(black_box(work(input)));
            }
            let nanos = start.elapsed().as_secs_f64() * 1e9;
            let change = region.change();
            Run { nanos, allocations: (change.allocations + change.reallocations) as f64 }
        };
        let (name, work) = (name.to_owned(), Box::new(work));
        self.cases.push(Case { name, units: units as f64, work, allocations: 0.0, nanos: Vec::new() });
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
        Report { measured: measured.collect() }
    }
}

impl Case<'_> {
    /// Counts allocations, warms up, and finds how often the work is repeated in one round.
    fn prepare(&mut self, smoke: bool) -> u32 {
        let mut repeats = 1_u32;
        let mut run = (self.work)(repeats);
        self.allocations = run.allocations / self.units;
        while !smoke && run.nanos * 2.0 <= NANOS_PER_ROUND && repeats <= u32::MAX / 2 {
            repeats *= 2;
            run = (self.work)(repeats);
            // what is filled on first use is not part of the work
            self.allocations = run.allocations / (f64::from(repeats) * self.units);
        }
        repeats
    }

    fn time(&mut self, repeats: u32) -> f64 {
        (self.work)(repeats).nanos / (f64::from(repeats) * self.units)
    }
}

/// Whether everything runs once only.
pub(crate) fn smoke() -> bool {
    std::env::args().any(|arg| arg == "--test") || std::env::var_os("SMOKE").is_some_and(|v| v == "1")
}

/// The bytes that are allocated now.
pub(crate) fn live_bytes() -> f64 {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated as f64 - stats.bytes_deallocated as f64
}

/// Runs a future that never has to wait.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

/// What a bench exits with.
pub(crate) fn exit(met: &[bool]) -> ExitCode {
    if met.contains(&false) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// What was measured.
pub(crate) struct Report {
    measured: Vec<Measured>,
}

struct Measured {
    name: String,
    allocations: f64,
    nanos: Vec<f64>,
}

impl Measured {
    fn ratio(&self, base: &Self) -> f64 {
        median(self.nanos.iter().zip(&base.nanos).map(|(case, base)| case / base).collect())
    }
}

impl Report {
    /// Prints a case by itself.
    pub(crate) fn line(&self, id: Id) {
        let Measured { name, allocations, nanos } = &self.measured[id.0];
        println!("{name}: {:.1} ns  {} allocations", median(nanos.clone()), rounded(*allocations));
    }

    /// Prints the ratio of two cases beside its goal, if it has one, and gives whether it was met. The ratio is the median of
    /// those of the rounds.
    pub(crate) fn ratio(&self, name: &str, case: Id, base: Id, goal: impl Into<Option<f64>>) -> bool {
        let goal = goal.into();
        let (case, base) = (&self.measured[case.0], &self.measured[base.0]);
        let ratio = case.ratio(base);
        println!(
            "{name}: ratio {ratio:.3}{}  {:.1} ns / {:.1} ns  {} allocations",
            goal.map_or_else(String::new, |goal| format!(" (goal {goal})")),
            median(case.nanos.clone()),
            median(base.nanos.clone()),
            rounded(case.allocations),
        );
        met(goal.is_none_or(|goal| ratio <= goal))
    }

    /// Prints the mean of the ratios of several pairs of cases beside its goal, and gives whether it was met.
    pub(crate) fn mean(&self, name: &str, pairs: &[(Id, Id)], goal: f64) -> bool {
        let ratios = pairs.iter().map(|(case, base)| self.measured[case.0].ratio(&self.measured[base.0]));
        figure(name, ratios.sum::<f64>() / pairs.len() as f64, goal)
    }

    /// Prints the allocations of a case beside their goal, and gives whether it was met.
    pub(crate) fn allocations(&self, name: &str, case: Id, goal: f64) -> bool {
        let allocations = self.measured[case.0].allocations;
        println!("{name}: {} allocations (goal {goal})", rounded(allocations));
        met(allocations <= goal)
    }
}

/// Prints a figure beside its goal, and gives whether it was met.
pub(crate) fn figure(name: &str, value: f64, goal: f64) -> bool {
    println!("{name}: {value:.3} (goal {goal})");
    met(value <= goal)
}

fn met(met: bool) -> bool {
    if !met && !smoke() {
        println!("  goal missed");
    }
    met || smoke()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
