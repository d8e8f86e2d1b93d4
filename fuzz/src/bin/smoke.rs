//! Runs each target on a stable compiler: seeds and past failures first, then mutations for some seconds.
//!
//! `smoke [--seconds N] [TARGET …]`. An input that fails is written to `artifacts/<target>`. A stack overflow ends the
//! process, so `--trace` writes each input to `artifacts/last` before it is run.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use fuzz_laws::{Cases, Mutator, TARGETS, Target};

/// No input may take longer than this.
const LIMIT: Duration = Duration::from_secs(1);

/// What a server's threads usually have.
const STACK: usize = 2 << 20;

const SEED: u64 = 0x5c1d_2026;

struct Options {
    seconds: u64,
    trace: bool,
    only: Vec<String>,
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::from(2);
        }
    };
    let cases = Cases::load();
    let chosen = |target: &&Target| options.only.is_empty() || options.only.iter().any(|name| name == target.name);
    let mut failures = 0;
    for target in TARGETS.iter().filter(chosen) {
        let inputs = target.inputs(&cases);
        let outcome = std::thread::scope(|scope| {
            let run = || run(target, &inputs, &options);
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run).map(|thread| thread.join())
        });
        match outcome {
            Ok(Ok(Ok(runs))) => println!("{:10} {} seeds, {runs} runs", target.name, inputs.len()),
            Ok(Ok(Err(failure))) => {
                println!("{:10} FAILED: {failure}", target.name);
                failures += 1;
            }
            _ => {
                println!("{:10} FAILED: the thread could not be run", target.name);
                failures += 1;
            }
        }
    }
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn options() -> Result<Options, String> {
    let mut options = Options { seconds: 5, trace: false, only: Vec::new() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seconds" => {
                let seconds = arguments.next().and_then(|seconds| seconds.parse().ok());
                options.seconds = seconds.ok_or("--seconds needs a number")?;
            }
            "--trace" => options.trace = true,
            name if TARGETS.iter().any(|target| target.name == name) => options.only.push(name.to_owned()),
            other => {
                let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
                return Err(format!("`{other}` is no target: {}", names.join(", ")));
            }
        }
    }
    Ok(options)
}

/// How many inputs were run, or what failed.
fn run(target: &Target, inputs: &[Vec<u8>], options: &Options) -> Result<u64, String> {
    let mut runs = 0;
    for input in inputs {
        check(target, input, options)?;
        runs += 1;
    }
    let mut mutator = Mutator::new(SEED);
    let end = Instant::now() + Duration::from_secs(options.seconds);
    while Instant::now() < end {
        check(target, &mutator.mutate(inputs), options)?;
        runs += 1;
    }
    Ok(runs)
}

fn check(target: &Target, input: &[u8], options: &Options) -> Result<(), String> {
    if options.trace {
        keep("last", "input", input);
    }
    let start = Instant::now();
    let law = target.law;
    let failure = match std::panic::catch_unwind(|| law(input)) {
        Err(_) => "the law is broken (see above)".to_owned(),
        Ok(()) if start.elapsed() > LIMIT => format!("{} ms", start.elapsed().as_millis()),
        Ok(()) => return Ok(()),
    };
    let name = format!(
        "{:016x}",
        input
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| { (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3) })
    );
    let path = keep(target.name, &name, input);
    Err(format!("{failure}\n    {path}\n    {:.400}", String::from_utf8_lossy(input).escape_debug()))
}

fn keep(folder: &str, name: &str, input: &[u8]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("artifacts").join(folder);
    let path = folder.join(name);
    match fs::create_dir_all(&folder).and_then(|()| fs::write(&path, input)) {
        Ok(()) => format!("kept as {}", path.display()),
        Err(error) => format!("could not be kept: {error}"),
    }
}
