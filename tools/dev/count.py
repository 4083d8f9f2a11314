#!/usr/bin/env python3
"""Counts test results from meson's logs.

--step NAME --exit RC LOGBASE   one step, as JSON on standard output
--total DIR                     all steps of DIR as a table, then the line "N passed, N failed"

A test that speaks TAP counts once per case, another one once. A test that failed as a whole (a crash, a
time-out, a wrong plan) counts as one failure at least; a step in which nothing ran has failed.
"""
import argparse
import json
import os
import sys
import xml.etree.ElementTree as ElementTree

GOOD = {"OK", "EXPECTEDFAIL", "SKIP"}


def cases(path):
    """Results of TAP cases: test name -> (passed, failed, skipped)."""
    found = {}
    if not os.path.exists(path):
        return found
    for suite in ElementTree.parse(path).getroot().iter("testsuite"):
        if " / " not in suite.get("name", ""):
            continue
        number = {key: int(suite.get(key, "0")) for key in ("tests", "errors", "failures", "skipped")}
        bad = number["errors"] + number["failures"]
        found[suite.get("name").split(" / ", 1)[1]] = (
            number["tests"] - bad - number["skipped"], bad, number["skipped"])
    return found


def count_step(logbase):
    passed = failed = skipped = tests = 0
    names = []
    by_name = cases(logbase + ".junit.xml")
    if os.path.exists(logbase + ".json"):
        with open(logbase + ".json", encoding="utf-8") as lines:
            for line in lines:
                test = json.loads(line)
                name = test["name"].split(" / ", 1)[-1]
                good = test["result"] in GOOD
                one = (int(good and test["result"] != "SKIP"), int(not good), int(test["result"] == "SKIP"))
                p, f, s = by_name.get(name, one)
                f = max(f, int(not good))
                passed, failed, skipped, tests = passed + p, failed + f, skipped + s, tests + 1
                if f:
                    names.append(name)
    return passed, failed, skipped, tests, names


def step(args):
    passed, failed, skipped, tests, names = count_step(args.logbase)
    why = ""
    if tests == 0:
        failed, why = 1, "no test ran"
    elif args.exit != 0 and failed == 0:
        failed, why = 1, "the runner ended with %d" % args.exit
    elif names:
        why = " ".join(names)
    print(json.dumps({"step": args.step, "passed": passed, "failed": failed, "skipped": skipped,
                      "seconds": args.seconds, "why": why}))
    return 0


def total(folder):
    passed = failed = 0
    rows = []
    for name in sorted(os.listdir(folder), key=lambda n: os.path.getmtime(os.path.join(folder, n))):
        with open(os.path.join(folder, name), encoding="utf-8") as text:
            rows.append(json.load(text))
    for row in rows:
        passed += row["passed"]
        failed += row["failed"]
        print("%-8s %6d passed %4d failed %4d skipped %5d s  %s" % (
            row["step"], row["passed"], row["failed"], row.get("skipped", 0), row.get("seconds", 0), row["why"]))
    if not rows:
        failed = 1
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or passed == 0 else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--total", metavar="DIR")
    parser.add_argument("--step")
    parser.add_argument("--exit", type=int, default=0)
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("logbase", nargs="?")
    args = parser.parse_args()
    if args.total:
        return total(args.total)
    if not args.step or not args.logbase:
        parser.error("--step and a log are needed")
    return step(args)


if __name__ == "__main__":
    sys.exit(main())
