#!/usr/bin/env python3
"""Every mutant of cargo-mutants in one build.

Makes TREE (a copy of the tree, to be thrown away) hold all mutants of LIST, each as a copy of the body of its function, which runs if
the environment has MUTANT=N, where N is its place in the list, from 1. Text is replaced just as cargo-mutants replaces it. Then
compiles, drops the mutants in whose copies there are errors, and begins again, until all that is left compiles. Writes
TREE/mutants.json: the list, with "id" and "viable" of each.

    cargo mutants --list --json --diff -p gupcheck-core --file 'core/src/gup/**/*.rs' > LIST
    ci/mutants/schemata.py LIST TREE
"""

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

SWITCH = """
/// Which mutant runs.
#[allow(missing_docs)]
pub(crate) fn mutant() -> u32 {
    static ON: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    *ON.get_or_init(|| std::env::var("MUTANT").map_or(0, |mutant| mutant.parse().expect("MUTANT is a number")))
}
"""

# Comments, strings and characters; a lifetime is none of these.
OPAQUE = re.compile(r"//[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\\n])'", re.DOTALL)


def masked(text):
    """The text, of the same length, without braces that mean nothing."""
    return OPAQUE.sub(lambda match: " " * len(match.group()), text)


def offset(starts, at):
    return starts[at["line"] - 1] + at["column"] - 1


def body(text, span, name):
    """Where the body of a function is, without its braces."""
    bare = name.rsplit("::", 1)[-1]
    clean = masked(text)
    at = re.compile(r"\bfn\s+" + re.escape(bare) + r"\b").search(clean, span[0]).end()
    depth = 0
    while clean[at] != "{" or depth:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(clean[at], 0)
        at += 1
    return at + 1, span[1] - 1


def instrumented(text, mutants):
    """The file with these mutants, and of each line whose it is."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    spans = lambda what: (offset(starts, what["start"]), offset(starts, what["end"]))
    functions = defaultdict(list)
    for mutant in mutants:
        span = spans(mutant["function"]["span"])
        functions[span, mutant["function"]["function_name"]].append(mutant)
    out, owner, done = "", {}, 0
    for (span, name), here in sorted(functions.items(), key=lambda item: item[0]):
        first, last = body(text, span, name)
        assert done <= first, f"{name} is inside of another function"
        out += text[done:first] + "\nmatch crate::mutant() {\n"
        for mutant in here:
            start, end = spans(mutant["span"])
            copy = text[first:start] + mutant["replacement"] + " " + text[end:last]
            line = out.count("\n") + 1
            out += f"{mutant['id']} => return {{\n{copy}\n}},\n"
            owner.update((nth, mutant["id"]) for nth in range(line, out.count("\n") + 1))
        out += "_ => {}\n}\n" + text[first:last]
        done = last
    # What asks for the mutant is no constant.
    return (out + text[done:]).replace("const fn ", "fn "), owner


def errors(tree):
    """The places of the errors in the tree."""
    command = ["cargo", "check", "-q", "-p", "gupcheck-core", "--message-format=json"]
    run = subprocess.run(command, cwd=tree, stdout=subprocess.PIPE, text=True, check=False)
    for line in run.stdout.splitlines():
        message = json.loads(line).get("message") or {}
        if message.get("level") == "error" and message.get("spans"):
            primary = [span for span in message["spans"] if span["is_primary"]]
            yield [(span["file_name"], span["line_start"]) for span in primary], message["rendered"]


def main(listed, tree):
    mutants = json.loads(Path(listed).read_text())
    for nth, mutant in enumerate(mutants):
        mutant.update(id=nth + 1, viable=True)
    originals = {file: (tree / file).read_text() for file in {mutant["file"] for mutant in mutants}}
    manifest = tree / "core/Cargo.toml"
    manifest.write_text(manifest.read_text().replace("[lints]\nworkspace = true\n", ""))
    lib = tree / "core/src/lib.rs"
    lib.write_text("#![allow(warnings)]\n" + lib.read_text() + SWITCH)
    while True:
        owners = {}
        for file, text in originals.items():
            here = [mutant for mutant in mutants if mutant["file"] == file and mutant["viable"]]
            new, owners[file] = instrumented(text, here)
            (tree / file).write_text(new)
        found = list(errors(tree))
        if not found:
            break
        dropped = set()
        for places, rendered in found:
            whose = {owners.get(file, {}).get(line) for file, line in places}
            if None in whose or not whose:
                sys.exit(f"an error that is no mutant's:\n{rendered}")
            dropped |= whose
        for mutant in mutants:
            mutant["viable"] &= mutant["id"] not in dropped
        print(f"{len(dropped)} do not compile", flush=True)
    (tree / "mutants.json").write_text(json.dumps(mutants, indent=1))
    viable = sum(mutant["viable"] for mutant in mutants)
    print(f"{viable} of {len(mutants)} mutants compile")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
