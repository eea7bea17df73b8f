//! Every violation there is, as a token: replayed, it is the very same one.

use std::process::{Command, Output};
use std::sync::Arc;

use gupcheck_core::arch::Profile;
use gupcheck_core::noise::Noise;
use gupcheck_core::step::{Step, Steps};
use gupcheck_loom::LoomEngine;
use gupcheck_program::{
    Counterexample, Engine, Limits, Path, Schedule, Search, Stop, Unwatched, Verdict,
};
use gupcheck_races::again::resolve;
use gupcheck_races::engines::{Choice, by_name, default_for, model_for};
use gupcheck_races::instance::Instance;
use gupcheck_races::race::{Race, Size};
use gupcheck_replay::Token;
use serde_json::Value;

/// Every race, with every step that it rests on.
fn knock_outs() -> Vec<(&'static Race, &'static Profile, Step)> {
    let races = [
        gupcheck_pte_clear::RACES,
        gupcheck_munmap::RACES,
        gupcheck_fault::RACES,
        gupcheck_thp_fault::RACES,
        gupcheck_thp_split::RACES,
        gupcheck_thp_collapse::RACES,
        gupcheck_peer::RACES,
        gupcheck_walker::RACES,
    ];
    let mut all = Vec::new();
    for race in races.into_iter().flatten() {
        for need in race.needs {
            all.extend(need.profiles.iter().map(|&p| (race, p, need.step)));
        }
    }
    all
}

/// Finds a violation, makes a token of it, and reads that token.
fn token_found(
    (race, profile, step): (&'static Race, &'static Profile, Step),
    choice: Choice,
    executions: u64,
) -> Option<(Token, Box<Counterexample>)> {
    let knocked_out: Steps = std::iter::once(step).collect();
    let instance = Instance {
        race,
        profile,
        size: Size::SMALLEST,
        knocked_out,
        noise: Noise::empty(),
        engine: choice.engine,
        model: choice.model,
    };
    let program = Arc::new(instance.program());
    let search = Search {
        model: choice.model,
        limits: Limits {
            executions: Some(executions),
            time: None,
            memory: None,
        },
        stop: Stop::default(),
        watch: &Unwatched,
    };
    let exploration = choice.engine.explore(&program, &search);
    let Verdict::Failed(counterexample) = exploration.verdict else {
        return None;
    };
    let token = (instance.token(&program, &counterexample))
        .unwrap_or_else(|| panic!("{}: no schedule", race.name));
    let token = token.to_string().parse().expect("as it was written");
    Some((token, counterexample))
}

/// Finds a violation, replays its token, and compares. `false` if none was found.
fn comes_back(
    row: (&'static Race, &'static Profile, Step),
    choice: Choice,
    executions: u64,
) -> bool {
    let Some((token, counterexample)) = token_found(row, choice, executions) else {
        return false;
    };
    let (race, profile, step) = row;
    let name = format!("{} {profile} without {step}", race.name);
    let instance = resolve(&token, &[race]).expect("its names are there");
    let again = (instance.replay(&token)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(again.is_exact(), "{name}: {:?}", again.words());
    assert!(again.is_same_rule(), "{name}: {:?}", again.words());
    let found = again.replayed.broken.as_ref().expect("the same rule");
    assert_eq!(found.violation, counterexample.violation, "{name}");
    assert_eq!(found.trace, counterexample.trace, "{name}");
    assert_eq!(found.memory, counterexample.memory, "{name}");
    assert_eq!(found.returned, counterexample.returned, "{name}");
    assert_eq!(found.execution, counterexample.execution, "{name}");
    assert_eq!(found.schedule, counterexample.schedule, "{name}");
    true
}

#[test]
fn the_graph_engine_repeats_every_violation() {
    let all = knock_outs();
    assert!(all.len() > 60, "only {}", all.len());
    for row in all {
        let choice = default_for(row.0, row.1);
        assert!(comes_back(row, choice, 100_000), "{} holds", row.0.name);
    }
}

/// Of what loom finds in a thousand executions it finds three quarters in these.
const SOON: u64 = 200;

#[test]
fn loom_repeats_what_it_finds() {
    loom_repeats(3, SOON);
}

#[test]
#[ignore = "a minute"]
fn loom_repeats_what_it_finds_late() {
    loom_repeats(1, 1_000);
}

/// One knock-out in so many, looked for in so many executions.
fn loom_repeats(one_in: usize, executions: u64) {
    let mut found = 0;
    for row in knock_outs().into_iter().step_by(one_in) {
        let engine: &'static dyn Engine = &LoomEngine;
        let choice = Choice {
            engine,
            model: model_for(engine, row.1),
            finishes: false,
        };
        found += usize::from(comes_back(row, choice, executions));
    }
    assert!(found * one_in > 60, "only {found}");
}

/// A part of a schedule left out, done twice, or done backwards.
fn spliced<T: Clone>(items: &[T], random: &mut impl FnMut(usize) -> usize) -> Vec<T> {
    let (one, other) = (random(items.len() + 1), random(items.len() + 1));
    let part = one.min(other)..one.max(other);
    let mut all = items.to_vec();
    match random(3) {
        0 => drop(all.drain(part)),
        1 => {
            let at = random(items.len() + 1);
            all.splice(at..at, items[part].iter().cloned());
        }
        _ => all[part].reverse(),
    }
    all
}

fn mangled(schedule: &Schedule, random: &mut impl FnMut(usize) -> usize) -> Schedule {
    match schedule {
        Schedule::Graph(choices) => Schedule::Graph(spliced(choices, random)),
        Schedule::Cpus(cpus) => Schedule::Cpus(spliced(cpus, random)),
        Schedule::Loom(path) => Schedule::Loom(Path {
            first: path.first,
            decisions: spliced(&path.decisions, random),
        }),
    }
}

/// Code changes in ways that nobody foresees: whatever a schedule has become, a replay ends, with an answer.
#[test]
fn a_schedule_that_was_mangled_is_answered() {
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut random = move |below: usize| {
        // Marsaglia's xorshift: any numbers will do, as long as they are the same every time.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).expect("below a usize")
    };
    let (mut broken, mut held, mut refused) = (0, 0, 0);
    for row in knock_outs().into_iter().step_by(24) {
        for name in ["graph", "loom", "shuttle-pct"] {
            let engine = by_name(name).expect("an engine");
            let choice = Choice {
                engine,
                model: model_for(engine, row.1),
                finishes: false,
            };
            let Some((token, _)) = token_found(row, choice, SOON) else {
                continue;
            };
            for _ in 0..20 {
                let token = Token {
                    schedule: mangled(&token.schedule, &mut random),
                    ..token.clone()
                };
                let instance = resolve(&token, &[row.0]).expect("its names are there");
                match instance.replay(&token) {
                    Ok(again) if again.replayed.broken.is_some() => broken += 1,
                    Ok(_) => held += 1,
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(
        broken > 50 && held > 50 && refused > 50,
        "{broken} {held} {refused}"
    );
}

fn gupcheck(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gupcheck"))
        .args(arguments)
        .output()
        .expect("the command exists")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

const RUN: [&str; 6] = [
    "run",
    "thp-collapse/detached-table",
    "--profile",
    "arm64",
    "--knock-out",
    "pmd-recheck",
];

fn token_of(engine: &str) -> String {
    let run = gupcheck(&[&RUN[..], &["--json", "--engine", engine]].concat());
    json(&run)["token"].as_str().expect("a token").to_owned()
}

#[test]
fn a_token_is_replayed_in_a_fresh_process() {
    for engine in ["graph", "loom", "shuttle"] {
        let token = token_of(engine);
        let output = gupcheck(&["replay", &token, "--json"]);
        assert_eq!(output.status.code(), Some(1), "{engine}");
        let record = json(&output);
        assert_eq!(record["exact"], true, "{record}");
        assert_eq!(record["same_rule"], true, "{record}");
        assert_eq!(record["verdict"], "failed", "{record}");
        assert_eq!(record["token"], token.as_str(), "{engine}");
    }
}

#[test]
fn the_text_of_a_replay_is_the_text_of_the_run() {
    let run = gupcheck(&RUN);
    let run = String::from_utf8(run.stdout).expect("UTF-8");
    let title = "\nthp-collapse/detached-table (R02) under arm64 without pmd-recheck";
    let told = &run[run.find(title).expect("a title")..];
    let token = told
        .split_whitespace()
        .find(|word| word.starts_with("gup1:"));
    let replayed = gupcheck(&["replay", token.expect("a token")]);
    let replayed = String::from_utf8(replayed.stdout).expect("UTF-8");
    let told = &told[..told.rfind("1 failed").expect("a summary")];
    // How it was searched for is no matter of the execution.
    let (before, searched) = told.split_once("searched\n").expect("what was searched");
    let (_, after) = searched.split_once("\n\n").expect("more after it");
    let told = format!("this very execution breaks the same rule again\n{before}{after}");
    // Nor is it whether the barriers that are told of help against others.
    let unproved = |text: &str| {
        let (before, ordering) = text.split_once("missing ordering").expect("there is one");
        let (_, after) = ordering.split_once("\n\n").expect("more after it");
        format!("{before}{after}")
    };
    assert_eq!(unproved(&replayed), unproved(&told));
}

#[test]
fn tokens_are_found_in_a_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let token = token_of("graph");
    std::fs::write(&log, format!("12:00 test failed\n  replay {token}\nbye\n")).expect("written");
    let output = gupcheck(&["replay", log.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(1));

    // One that was cut short, and what is not UTF-8, keep nobody from the others.
    let mut mixed = format!("first {}\n", &token[..200]).into_bytes();
    mixed.extend(b"\xff\xfe\n");
    mixed.extend(token.as_bytes());
    std::fs::write(&log, mixed).expect("written");
    let output = gupcheck(&["replay", log.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(said.contains("line 1: the token is cut short"), "{said}");
    assert!(
        said.contains("1 of 2 tokens could not be replayed"),
        "{said}"
    );
    let told = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(told.contains("breaks the same rule again"), "{told}");

    // The whole line, as it stands in a log.
    let output = gupcheck(&["replay", &format!("cargo run -- replay {token}")]);
    assert_eq!(output.status.code(), Some(1));

    std::fs::write(&log, "nothing\n").expect("written");
    let output = gupcheck(&["replay", log.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_is_wrong_with_a_token_is_said() {
    let token = token_of("graph");
    let says = |text: &str, words: &str| {
        let output = gupcheck(&["replay", text]);
        assert_eq!(output.status.code(), Some(2), "{text}");
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(said.contains(words), "{said}");
    };
    says(&token[..token.len() - 20], "cut short");
    says(&token.replacen("arm64", "arm46", 1), "changed on its way");
    says("nonsense", "no token, and there is no file of that name");
    for (cpus, pages) in [(0, 1), (1, 0), (7, 1), (u32::MAX, 1), (1, u32::MAX)] {
        let mut forged: Token = token.parse().expect("a token");
        (forged.named.cpus, forged.named.pages) = (cpus, pages);
        says(
            &forged.to_string(),
            &format!("of {cpus} callers x {pages} pages"),
        );
    }
}

#[test]
fn an_execution_is_written_where_one_asks() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    let path = |name: &str| file(name).to_str().expect("UTF-8").to_owned();
    let token = token_of("graph");
    let names = ["page.html", "lanes.svg", "steps.json", "chrome.json"];
    let paths: Vec<_> = names.iter().map(|name| path(name)).collect();
    let flags = ["--html", "--svg", "--steps", "--chrome"];
    let mut arguments = vec!["replay", &token];
    for (flag, path) in flags.iter().zip(&paths) {
        arguments.extend([*flag, path]);
    }
    let output = gupcheck(&arguments);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    for path in &paths {
        assert!(text.contains(path.as_str()), "{path} is not named");
    }
    let steps = std::fs::read_to_string(file("steps.json")).expect("written");
    let steps: Value = serde_json::from_str(&steps).expect("JSON");
    assert_eq!(steps["schema"], 1);
    assert_eq!(steps["token"], token.as_str());
    let objects = steps["cells"].as_array().expect("a list");
    assert!(objects.iter().any(|cell| cell["leads_to"] == "page4"));

    let log = path("log");
    let other = token_of("shuttle");
    std::fs::write(&log, format!("{token}\n{other}\n")).expect("written");
    let output = gupcheck(&["replay", &log, "--html", &paths[0]]);
    assert_eq!(output.status.code(), Some(2));
    let output = gupcheck(&["replay", &token, "--html", &path("no/such/folder")]);
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(words.contains("no/such/folder"), "{words}");
}

#[test]
fn an_execution_is_emitted_to_who_listens() {
    let token = token_of("graph");
    let with = |filter: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_gupcheck"))
            .args(["replay", &token, "--json"])
            .env("GUPCHECK_LOG", filter)
            .output();
        let output = output.expect("it runs");
        (
            output.status.code(),
            String::from_utf8(output.stderr).expect("UTF-8"),
        )
    };
    let (code, told) = with("info");
    assert_eq!(code, Some(1));
    let refcount = told
        .lines()
        .find(|line| line.contains("add_unless page3.refcount, is it 0? no: 1 -> 2"));
    let refcount = refcount.expect("the pin");
    assert!(
        refcount.contains("try_grab_folio") && refcount.contains(" step="),
        "{refcount}"
    );
    assert!(
        told.lines()
            .last()
            .expect("lines")
            .contains("broken: always")
    );
    assert_eq!(with("warn"), (Some(1), String::new()));
    assert_eq!(with("gupcheck=loud").0, Some(2));
}

#[test]
fn what_is_shown_is_the_smallest_instance_that_breaks_the_rule() {
    let sizes = ["--cpus", "2", "--pages", "2", "--json"];
    let output = gupcheck(&[&RUN[..], &sizes].concat());
    assert_eq!(output.status.code(), Some(1));
    let record = json(&output);
    assert_eq!((&record["cpus"], &record["pages"]), (&2.into(), &2.into()));
    let token = record["token"].as_str().expect("a token");
    assert!(token.contains(":1x1:"), "{token}");
    let remarks = record["remarks"].to_string();
    assert!(
        remarks.contains("in a smaller instance: --cpus 1 --pages 1"),
        "{remarks}"
    );
}
