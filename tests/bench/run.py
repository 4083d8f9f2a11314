#!/usr/bin/env python3
"""Runs the benchmarks of a build, takes medians, prints one table and the facts of the machine.

--build DIR     a release build; every program DIR/tests/bench/bench_* is run
--json FILE     also writes the figures and the facts there
--quick         one short round instead of several long ones: shows that they run, not how fast
--only NAME     bench_NAME alone
--rounds N      so many rounds of each program

What a program prints is described in README.md.
"""
import argparse
import glob
import json
import os
import platform
import statistics
import subprocess
import sys

# Each program takes its own rounds of pairs, and the middle of them; these are rounds of whole programs.
ROUNDS, SECONDS = 3, "0.5"
QUICK_ROUNDS, QUICK_SECONDS = 1, "0.1"
# Seconds after which a program counts as stuck.
LIMIT = 900
PACKAGES = ["libnng1", "libprotobuf-c1", "libssl3", "libsqlite3-0", "liburcu8", "redis-server", "nginx", "libgrpc++1.51"]
# Programs that take something else than the seconds per figure: name -> (arguments, quick arguments).
ARGUMENTS = {"bench_snap": (["1000000"], ["10000"])}


def first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.splitlines()[0] if done.stdout else ""
    except FileNotFoundError:
        return ""


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as text:
        for line in text:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def memory_mb():
    with open("/proc/meminfo", encoding="utf-8") as text:
        return int(text.readline().split()[1]) // 1024


def facts():
    here = os.path.dirname(os.path.abspath(__file__))
    versions = {}
    for package in PACKAGES:
        version = first_line(["dpkg-query", "-W", "-f", "${Version}\n", package])
        if version:
            versions[package] = version
    return {"processor": processor(), "cores": len(os.sched_getaffinity(0)), "memory_mb": memory_mb(),
            "kernel": platform.release(), "compiler": first_line(["cc", "--version"]),
            "commit": first_line(["git", "-C", here, "describe", "--always", "--dirty"]),
            "load_before": round(os.getloadavg()[0], 2), "packages": versions}


def lower_is_better(unit):
    """Rates have a '/'; times and sizes do not."""
    return "/" not in unit


def run_once(path, arguments):
    """(figures, problem) of one run."""
    try:
        done = subprocess.run([path] + arguments, capture_output=True, text=True, check=False, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return [], "did not end in %d s" % LIMIT
    figures, strange = [], 0
    for line in done.stdout.splitlines():
        try:
            figure = json.loads(line)
            figures.append({"measure": figure["measure"], "value": float(figure["value"]), "unit": figure["unit"],
                            "peer": figure.get("peer"), "reach": figure.get("reach"),
                            "peer_value": None if figure.get("peer_value") is None else float(figure["peer_value"])})
        except (ValueError, KeyError, TypeError):
            strange += 1
    if done.returncode != 0:
        return figures, "ended with %d: %s" % (done.returncode, done.stderr.strip()[-200:])
    if strange:
        return figures, "%d lines are not in the form of tests/bench/README.md" % strange
    return figures, None if figures else "printed no figure"


def judge(figure):
    """Ratio to the peer, and whether it is what was aimed at (None: nothing was aimed at)."""
    if not figure["peer_value"]:
        return None, None
    ratio = figure["value"] / figure["peer_value"]
    if figure["reach"] is None:
        return ratio, None
    return ratio, ratio <= figure["reach"] if lower_is_better(figure["unit"]) else ratio >= figure["reach"]


def medians(runs):
    """One figure per measure, in the order of the first run; values are medians over the runs."""
    found = {}
    for figures in runs:
        for figure in figures:
            found.setdefault(figure["measure"], []).append(figure)
    out = []
    for same in found.values():
        figure = dict(same[0])
        figure["value"] = statistics.median(one["value"] for one in same)
        figure["values"] = [one["value"] for one in same]
        peers = [one["peer_value"] for one in same if one["peer_value"] is not None]
        figure["peer_value"] = statistics.median(peers) if peers else None
        figure["ratio"], figure["ok"] = judge(figure)
        out.append(figure)
    return out


def number(value):
    if value is None:
        return ""
    return "%.0f" % value if abs(value) >= 100 else "%.3g" % value


def table(rows):
    head = ["measure", "value", "unit", "peer", "its value", "ratio", "aim"]
    body = [[row["measure"], number(row["value"]), row["unit"], row["peer"] or "", number(row["peer_value"]),
             "" if row["ratio"] is None else "%.2f" % row["ratio"],
             "" if row["ok"] is None else "%s %g" % ("reached" if row["ok"] else "missed", row["reach"])]
            for row in rows]
    widths = [max(len(line[i]) for line in [head] + body) for i in range(len(head))]
    for line in [head] + body:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", metavar="NAME", default="*")
    parser.add_argument("--rounds", metavar="N", type=int)
    args = parser.parse_args()
    machine, rows, problems = facts(), [], []
    programs = [path for path in sorted(glob.glob(os.path.join(args.build, "tests", "bench", "bench_" + args.only)))
                if os.path.isfile(path) and os.access(path, os.X_OK)]
    for path in programs:
        name = os.path.basename(path)[len("bench_"):]
        print("== " + name, file=sys.stderr)
        full, quick = ARGUMENTS.get(name, ([SECONDS], [QUICK_SECONDS]))
        runs = []
        for _ in range(args.rounds or (QUICK_ROUNDS if args.quick else ROUNDS)):
            figures, problem = run_once(path, quick if args.quick else full)
            runs.append(figures)
            if problem:
                problems.append("bench_%s: %s" % (name, problem))
                break
        rows += medians(runs)
    table(rows)
    print("\n%(processor)s, %(cores)d cores, %(memory_mb)d MB, Linux %(kernel)s, %(compiler)s, commit %(commit)s, "
          "load %(load_before)s" % machine)
    print(", ".join("%s %s" % pair for pair in sorted(machine["packages"].items())))
    if args.json:
        with open(args.json, "w", encoding="utf-8") as out:
            json.dump({"machine": machine, "quick": args.quick, "figures": rows}, out, indent=1)
            out.write("\n")
    for problem in problems:
        print(problem, file=sys.stderr)
    if not programs:
        print("no benchmark was found", file=sys.stderr)
    return 1 if problems or not programs else 0


if __name__ == "__main__":
    sys.exit(main())
