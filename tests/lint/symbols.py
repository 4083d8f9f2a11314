#!/usr/bin/env python3
"""What shared objects export: a plugin exactly its descriptor, the client library acd_* and nothing else."""
import glob
import os
import subprocess

import tree

PLUGIN = {"acd_plugin_1"}
PREFIX = "acd_"


def exported(path):
    """Names that a shared object defines for others; symbol versions (type A) are not names."""
    done = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    return {row[-1].split("@")[0] for row in rows if len(row) >= 2 and row[-2] != "A"}


def check_plugin(path, shown):
    names = exported(path)
    found = [tree.finding(shown, 0, "exports %s" % name) for name in sorted(names - PLUGIN)]
    return found + [tree.finding(shown, 0, "does not export %s" % name) for name in sorted(PLUGIN - names)]


def check_library(path, shown):
    return [tree.finding(shown, 0, "exports %s" % name) for name in sorted(exported(path))
            if not name.startswith(PREFIX)]


def objects(build, *patterns):
    for pattern in patterns:
        for path in sorted(glob.glob(os.path.join(build, pattern), recursive=True)):
            if os.path.isfile(path) and not os.path.islink(path) and not path.endswith(".symbols"):
                yield path, os.path.relpath(path, build)


def check(_root, build):
    found, looked = [], 0
    for path, shown in objects(build, "plugins/**/*.so"):
        found += check_plugin(path, shown)
        looked += 1
    for path, shown in objects(build, "**/libanchord.so*"):
        found += check_library(path, shown)
        looked += 1
    return found if looked else None


if __name__ == "__main__":
    tree.main(check, __doc__)
