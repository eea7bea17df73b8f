#!/usr/bin/env python3
"""Tries the mutants of a build by `schemata.py`.

Runs TEST (a test binary of that build) once or more for each viable mutant of TREE/mutants.json: the tests that take no time first,
one process a mutant, until one fails; with those that are left, each of the slow tests. Appends to FOUND, a line each: id, `found`,
`timeout`, `crash` or `survived`, the test, and the mutant; of the lines of a mutant the last one counts. What is in FOUND already, and
did not survive, is not tried again.

    ci/mutants/try.py TREE FOUND DIRECTORY TEST [FILTER ...]

DIRECTORY is where the tests run, as cargo would have them run. With filters, only tests that have one of them in their names.
"""

import json
import os
import re
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

# The tests that take longest, with the seconds of CPU time that they get: ten times what they take, or more.
SLOW = {
    "callers::arguments_are_refused_as_the_rules_say_whatever_the_flags": 30,
    "owners::every_reference_is_somebodys_after_any_sequence_of_steps": 60,
    "table::": 60,
}
QUICK = 3
MEMORY = 1 << 30
WORKERS = int(os.environ.get("WORKERS", "2"))


def limits(seconds):
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(test, directory, mutant, arguments, seconds):
    """What comes of these tests, and which fails."""
    command = [test, "--test-threads=1", "-Zunstable-options", "--fail-fast", *arguments]
    env = os.environ | {"MUTANT": str(mutant), "RUSTC_BOOTSTRAP": "1", "RUST_BACKTRACE": "0"}
    ran = subprocess.run(
        command, cwd=directory, env=env, preexec_fn=lambda: limits(seconds), stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, errors="replace", check=False,
    )
    if ran.returncode == 0:
        return "survived", "-"
    failed = re.search(r"^test (\S+).* \.\.\. FAILED", ran.stdout, re.MULTILINE)
    if failed:
        return "found", failed[1]
    begun = re.findall(r"^test (\S+)", ran.stdout, re.MULTILINE)
    return ("timeout" if ran.returncode in (-24, -9) else "crash"), begun[-1] if begun else "?"


def main(tree, found, directory, test, *filters):
    mutants = json.loads((Path(tree) / "mutants.json").read_text())
    lines = Path(found).read_text().splitlines() if Path(found).exists() else []
    known = {int(line.split("\t")[0]): line.split("\t")[1] for line in lines}
    skip = [argument for name in SLOW for argument in ("--skip", name)]
    rounds = [(list(filters) or skip, QUICK)]
    if not filters:
        rounds += [([name], seconds) for name, seconds in SLOW.items()]
    with open(found, "a", encoding="utf-8") as out, ThreadPoolExecutor(WORKERS) as pool:
        for arguments, seconds in rounds:
            of_none = run(test, directory, 0, arguments, seconds)
            assert of_none[0] == "survived", f"without a mutant: {of_none}"
            left = [mutant for mutant in mutants if mutant["viable"] and known.get(mutant["id"], "survived") == "survived"]
            runs = {pool.submit(run, test, directory, mutant["id"], arguments, seconds): mutant for mutant in left}
            for done in as_completed(runs):
                mutant, (what, by) = runs[done], done.result()
                known[mutant["id"]] = what
                print(mutant["id"], what, by, mutant["name"], sep="\t", file=out, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
