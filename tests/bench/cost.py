#!/usr/bin/env python3
"""Instructions that the warm paths take, counted by valgrind and compared with costs.json.

--program FILE     path_cost of a build that is optimised and has no sanitizer
--costs FILE       what was counted before
--update           writes that file anew

Fails when a path takes more than GROWTH above what is recorded. Time depends on the machine and on who else uses it;
instructions depend on the code, the compiler and the libraries alone, so the record names the compiler, and with
another one the test is skipped. Hash seeds are random per run: repeated runs differ by less than one per cent.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys

PATHS = ["trust-1", "trust-32", "trust-128", "verify-32-digest", "verify-32-chain", "evaluate-32",
         "evaluate-32-brief"]
GROWTH = 1.10
TIMES = 20
SKIPPED = 77


def count(program, path):
    """Instructions of one call."""
    # Test runners have malloc fill its memory, which the record has no part in.
    plain = {name: value for name, value in os.environ.items() if name != "MALLOC_PERTURB_"}
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no",
         "--toggle-collect=path_run", program, path, str(TIMES)],
        capture_output=True, text=True, check=False, timeout=300, env=plain)
    match = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    if done.returncode != 0 or not match or int(match.group(1)) == 0:
        sys.exit("%s was not counted: %s" % (path, done.stderr[-400:]))
    return int(match.group(1)) // TIMES


def compiler():
    done = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=False)
    return done.stdout.splitlines()[0] if done.stdout else "none"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--costs", required=True)
    parser.add_argument("--update", action="store_true")
    args = parser.parse_args()
    if not shutil.which("valgrind"):
        print("1..0 # SKIP valgrind is not installed")
        return SKIPPED
    if args.update:
        record = {"compiler": compiler(), "instructions": {path: count(args.program, path) for path in PATHS}}
        with open(args.costs, "w", encoding="utf-8") as out:
            json.dump(record, out, indent=1)
            out.write("\n")
        return 0
    with open(args.costs, encoding="utf-8") as text:
        record = json.load(text)
    if record["compiler"] != compiler():
        print("1..0 # SKIP the record is of " + record["compiler"])
        return SKIPPED
    print("1..%d" % len(PATHS))
    for number, path in enumerate(PATHS, 1):
        have, want = count(args.program, path), record["instructions"][path]
        word = "ok" if have <= want * GROWTH else "not ok"
        print("%s %d - %s takes %d instructions, recorded %d" % (word, number, path, have, want), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
