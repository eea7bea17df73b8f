//! How the command ends where something is in its way: signals, limits of the system, files without an end, bytes that
//! steer a terminal.

use std::io::Read;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const GUPCHECK: &str = env!("CARGO_BIN_EXE_gupcheck");

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn run(command: &mut Command) -> Output {
    command.output().expect("the command exists")
}

/// What a shell runs `gupcheck` under: limits that its process cannot take back.
fn limited(limit: &str, arguments: &str) -> Output {
    let line = format!("ulimit {limit} && exec {GUPCHECK} {arguments}");
    run(Command::new("bash").args(["-c", &line]))
}

/// Starts a command, tells it to end by this signal after a second, and returns how it ended and what it said.
fn told_to_end(signal: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let mut child = Command::new(GUPCHECK)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command exists");
    std::thread::sleep(Duration::from_secs(1));
    let id = child.id().to_string();
    run(Command::new("kill").args([signal, &id]));
    let mut said = String::new();
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_to_string(&mut said).expect("it is UTF-8");
    (child.wait().expect("it ends").code(), said)
}

#[test]
fn whoever_tells_it_to_end_gets_the_verdict_so_far() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let arguments = [
            "run",
            "pte-clear/freeze",
            "--profile",
            "weak",
            "--cpus",
            "3",
        ];
        let (code, said) = told_to_end(signal, &arguments);
        assert_eq!(code, Some(3), "{signal}: {said}");
        assert!(
            said.contains("TRUNCATED") && said.contains("interrupted"),
            "{signal}: {said}"
        );
    }
}

#[test]
fn what_never_ran_is_not_told() {
    let (code, said) = told_to_end("-INT", &["selfcheck", "--programs", "4000000000", "--json"]);
    assert_eq!((code, said.lines().count()), (Some(3), 1), "{said}");
    let (code, said) = told_to_end(
        "-INT",
        &[
            "bench",
            "--needs",
            "pte-clear/freeze",
            "--max-seconds",
            "60",
        ],
    );
    assert_eq!(code, Some(3), "{said}");
    let rows: Vec<_> = said
        .lines()
        .filter(|line| line.contains("pte-clear"))
        .collect();
    assert!(rows.len() < 10 && !said.contains("not in 0"), "{said}");
}

#[test]
fn a_small_stack_is_no_verdict() {
    let output = limited("-s 100", "run pte-clear/reuse --profile weak");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let output = limited("-s 100", "run pte-clear/reuse --profile weak --engine loom");
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("UNSUPPORTED  a stack for a CPU could not be had"),
        "{said}"
    );
}

#[test]
fn a_thread_that_cannot_be_had_is_told() {
    // The address space of the command alone, and no room for a thread beside it.
    for engine in ["graph", "loom", "shuttle", "native"] {
        let arguments =
            format!("run pte-clear/reuse --profile weak --max-executions 5 --engine {engine}");
        for room in [40_000, 60_000, 90_000] {
            let output = limited(&format!("-v {room}"), &arguments);
            let complaint = text(&output.stderr);
            assert!(
                !complaint.contains("panicked"),
                "{engine} in {room}: {complaint}"
            );
        }
    }
}

#[test]
fn a_file_without_an_end_is_not_read_to_it() {
    let began = Instant::now();
    let output = run(Command::new(GUPCHECK).args(["replay", "/dev/zero"]));
    assert_eq!(output.status.code(), Some(2));
    let words = "error: cannot read /dev/zero: more than 64 MiB: no place to look for tokens\n";
    assert_eq!(text(&output.stderr), words);
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn there_must_be_a_place_to_keep_before_anything_is_searched() {
    let folder = tempfile::tempdir().expect("a folder");
    for arguments in [
        &["run", "pte-clear/reuse", "--keep"][..],
        &["replay", "gup1:x.00000000", "--keep"],
    ] {
        let mut command = Command::new(GUPCHECK);
        command.args(arguments).current_dir(folder.path());
        let output = run(command.env_remove("CARGO_MANIFEST_DIR"));
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
        assert!(text(&output.stderr).contains("no cargo workspace here"));
    }
}

#[test]
fn no_token_steers_the_terminal() {
    // Its checksum is right, and its race's name is not.
    let names = "gup1:\u{1b}[2Jrace:weak:graph:rc11:1x1:-:0.1.0:AA";
    let token = format!("{names}.{:08x}", crc32(names.as_bytes()));
    for token in [token.as_str(), "gup1:\u{1b}]0;title\u{7}", "gup9\u{9b}2J:"] {
        let output = run(Command::new(GUPCHECK).args(["replay", token]));
        let said = text(&output.stderr) + &text(&output.stdout);
        assert_eq!(output.status.code(), Some(2), "{said:?}");
        let steers = |c: char| c.is_control() && c != '\n';
        assert!(!said.contains(steers), "{said:?}");
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc))
    })
}
