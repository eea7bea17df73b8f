//! Read-side sections and grace periods: what a grace period forbids under every model, and what it leaves alone.

mod support;

use gupcheck_litmus::Observation::{self, Never, Sometimes};
use gupcheck_litmus::{Coverage, Litmus};
use gupcheck_program::{Limits, Model};
use std::fmt::Write;
use support::{engines, explore};

/// What is observed under SC, TSO and RC11; engines that know the same model agree.
fn observed(source: &str) -> [Observation; 3] {
    let litmus = Litmus::parse(source).unwrap_or_else(|error| panic!("{error}\n{source}"));
    let mut observed = [None; 3];
    for (engine, models) in engines() {
        for model in models {
            let report = explore(&litmus, &*engine, model, Limits::default());
            assert_eq!(report.coverage, Coverage::Complete, "{source}");
            let known = match model {
                Model::Sc => &mut observed[0],
                Model::Tso => &mut observed[1],
                _ => &mut observed[2],
            };
            let says = report.observation;
            assert!(known.is_none() || *known == says, "{}", engine.name());
            *known = says;
        }
    }
    observed.map(|observation| observation.expect("an engine for each model"))
}

/// A test of these processes, called P0, P1..
fn test(processes: &[&str], exists: &str) -> String {
    let mut source = "C t\n{ }\n".to_owned();
    for (index, process) in processes.iter().enumerate() {
        let parameters = "int *x, int *y, int *z, int *w";
        writeln!(
            source,
            "P{index}({parameters}) {{ int r; int q; {process} }}"
        )
        .expect("a string");
    }
    format!("{source}exists ({exists})")
}

/// A read-side section.
fn section(body: &str) -> String {
    format!("rcu_read_lock(); {body} rcu_read_unlock();")
}

#[test]
fn a_grace_period_is_a_full_barrier() {
    let bad = "0:r=0 /\\ 1:r=0";
    for other in ["smp_mb();", "synchronize_rcu();"] {
        let one = "WRITE_ONCE(*x, 1); synchronize_rcu(); r = READ_ONCE(*y);";
        let two = format!("WRITE_ONCE(*y, 1); {other} r = READ_ONCE(*x);");
        assert_eq!(observed(&test(&[one, &two], bad)), [Never; 3], "{other}");
    }
    let iriw = test(
        &[
            "WRITE_ONCE(*x, 1);",
            "WRITE_ONCE(*y, 1);",
            "r = READ_ONCE(*x); synchronize_rcu(); q = READ_ONCE(*y);",
            "r = READ_ONCE(*y); synchronize_rcu(); q = READ_ONCE(*x);",
        ],
        "2:r=1 /\\ 2:q=0 /\\ 3:r=1 /\\ 3:q=0",
    );
    assert_eq!(observed(&iriw), [Never; 3]);
}

#[test]
fn a_read_side_section_is_no_barrier() {
    let bad = "0:r=0 /\\ 1:r=0";
    let beside = "WRITE_ONCE(*x, 1); rcu_read_lock(); rcu_read_unlock(); r = READ_ONCE(*y);";
    let within = section("WRITE_ONCE(*x, 1); r = READ_ONCE(*y);");
    for one in [beside, &within] {
        let two = "WRITE_ONCE(*y, 1); smp_mb(); r = READ_ONCE(*x);";
        let waits = "synchronize_rcu();";
        let says = observed(&test(&[one, two, waits], bad));
        assert_eq!(says, [Never, Sometimes, Sometimes], "{one}");
    }
}

/// What a CPU of a ring is.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// One that waits for a grace period between its two accesses.
    Period,
    /// One that has both in a read-side section.
    Section,
}

use Part::{Period, Section};

/// A ring of CPUs, each with a cell of its own. None sees what the next one writes.
fn ring_of_unseen_writes(parts: &[Part]) -> String {
    ring(parts, 0, |part, own, next| {
        let (write, read) = (write(own), read(next));
        match part {
            Period => format!("{write} synchronize_rcu(); {read}"),
            Section => section(&format!("{write} {read}")),
        }
    })
}

/// As above, but each sees what the one before it writes. In a section the write comes first, so that an interleaving
/// may do.
fn ring_of_seen_writes(parts: &[Part]) -> String {
    ring(parts, 1, |part, own, next| {
        let (read, write) = (read(own), write(next));
        match part {
            Period => format!("{read} synchronize_rcu(); {write}"),
            Section => section(&format!("{write} {read}")),
        }
    })
}

fn ring(parts: &[Part], seen: u8, body: impl Fn(Part, &str, &str) -> String) -> String {
    let cells = ["x", "y", "z", "w"];
    let next = |index| cells[(index + 1) % parts.len()];
    let processes: Vec<String> = (0..parts.len())
        .map(|index| body(parts[index], cells[index], next(index)))
        .collect();
    let bad: Vec<String> = (0..parts.len())
        .map(|index| format!("{index}:r={seen}"))
        .collect();
    let processes: Vec<&str> = processes.iter().map(String::as_str).collect();
    test(&processes, &bad.join(" /\\ "))
}

fn write(cell: &str) -> String {
    format!("WRITE_ONCE(*{cell}, 1);")
}

fn read(cell: &str) -> String {
    format!("r = READ_ONCE(*{cell});")
}

#[test]
fn as_many_grace_periods_as_sections_forbid_a_ring_of_them() {
    for parts in [
        &[Period, Section][..],
        &[Period, Period, Section],
        &[Period, Period, Section, Section],
        &[Period, Section, Period, Section],
    ] {
        let unseen = observed(&ring_of_unseen_writes(parts));
        assert_eq!(unseen, [Never; 3], "{parts:?}");
        let seen = observed(&ring_of_seen_writes(parts));
        assert_eq!(seen, [Never; 3], "{parts:?}");
    }
}

#[test]
fn more_sections_than_grace_periods_allow_a_ring_of_them() {
    for parts in [
        &[Period, Section, Section][..],
        &[Period, Section, Section, Section],
    ] {
        // No interleaving has it, whatever the grace period does.
        let unseen = observed(&ring_of_unseen_writes(parts));
        assert_eq!(unseen, [Never, Sometimes, Sometimes], "{parts:?}");
        let seen = observed(&ring_of_seen_writes(parts));
        assert_eq!(seen, [Sometimes; 3], "{parts:?}");
    }
}

#[test]
fn two_sections_may_overlap_with_one_grace_period() {
    // One begins before the grace period and ends within it, the other begins within it and ends after it; the first
    // sees what the second wrote, whichever of the two CPUs comes first.
    let waits = "WRITE_ONCE(*x, 1); synchronize_rcu(); WRITE_ONCE(*y, 1);";
    let early = section("r = READ_ONCE(*x); q = READ_ONCE(*w);");
    let late = section("WRITE_ONCE(*w, 1); r = READ_ONCE(*y);");
    for (one, two, first, second) in [(&early, &late, 1, 2), (&late, &early, 2, 1)] {
        let overlap = format!("{first}:r=0 /\\ {first}:q=1 /\\ {second}:r=1");
        assert_eq!(
            observed(&test(&[waits, one, two], &overlap)),
            [Sometimes; 3]
        );
    }
}

#[test]
fn a_section_within_a_section_ends_nothing() {
    let waits = "WRITE_ONCE(*x, 1); synchronize_rcu(); WRITE_ONCE(*y, 1);";
    let bad = "1:r=0 /\\ 1:q=1";
    let nested = section(&format!(
        "r = READ_ONCE(*x); {} q = READ_ONCE(*y);",
        section("")
    ));
    assert_eq!(observed(&test(&[waits, &nested], bad)), [Never; 3]);
    let apart = [section("r = READ_ONCE(*x);"), section("q = READ_ONCE(*y);")].concat();
    assert_eq!(observed(&test(&[waits, &apart], bad)), [Sometimes; 3]);
}

#[test]
fn as_many_cpus_as_the_engine_has_may_wait_and_be_waited_for() {
    let bad = |reader| format!("{reader}:r=1 /\\ {reader}:q=0");
    let waits = "WRITE_ONCE(*x, 1); synchronize_rcu(); WRITE_ONCE(*y, 1);";
    let reads = section("r = READ_ONCE(*y); q = READ_ONCE(*x);");
    let idle = |count| vec![""; count];
    for (processes, reader) in [
        ([&idle(14)[..], &[waits, reads.as_str()]].concat(), 15),
        ([&[reads.as_str()][..], &idle(14), &[waits]].concat(), 0),
    ] {
        assert_eq!(processes.len(), 16);
        assert_eq!(observed(&test(&processes, &bad(reader))), [Never; 3]);
        let apart = reads.replace(" q = ", " rcu_read_unlock(); rcu_read_lock(); q = ");
        let processes: Vec<&str> = (processes.iter())
            .map(|&process| {
                if process == reads {
                    apart.as_str()
                } else {
                    process
                }
            })
            .collect();
        let read_first = format!("{reader}:r=0 /\\ {reader}:q=1");
        assert_eq!(observed(&test(&processes, &read_first)), [Sometimes; 3]);
    }
    let more = Litmus::parse(&test(&idle(17), "true")).expect("is read");
    assert_eq!(more.beyond_engines(), Some("more than 16 processes"));
    let most = Litmus::parse(&test(&idle(16), "true")).expect("is read");
    assert_eq!(most.beyond_engines(), None);
}

#[test]
fn who_waits_for_a_lock_within_a_section_keeps_nobody_waiting_for_ever() {
    let reads = section("spin_lock(s); r = READ_ONCE(*x); spin_unlock(s);");
    let waits = "r = spin_is_locked(s); spin_lock(s); WRITE_ONCE(*x, 1); spin_unlock(s); synchronize_rcu();";
    let source = test(&[&reads, waits], "0:r=1").replace("int *w", "spinlock_t *s");
    assert_eq!(observed(&source), [Sometimes; 3]);
}
