#!/usr/bin/env python3
"""Every header compiles by itself and has a guard of its own name; public ones also as plain C11 and as C++17."""
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import tempfile

import tree

GUARD = re.compile(r"^#ifndef (\w+)\n#define (\w+)$", re.MULTILINE)
FLAGS = ["-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-Wno-unused-function",
         "-Wno-unused-parameter"]


def guard_name(path):
    """The guard a header must have; the last part of it where folders are deeper than a prefix."""
    parts = re.sub(r"\.h$", "_H", path).split("/")
    if path.startswith(("server/", "include/")):
        parts = parts[1:]
    else:
        parts = parts[-1:]
    return re.sub(r"[^A-Z0-9]", "_", "_".join(parts).upper())


def check_guard(root, path, seen):
    with open(os.path.join(root, path), encoding="utf-8") as text:
        match = GUARD.search(text.read())
    wanted = guard_name(path)
    if not match or match.group(1) != match.group(2):
        return tree.finding(path, 1, "no include guard")
    name = match.group(1)
    exact = path.startswith(("server/", "include/"))
    if name != wanted if exact else not name.endswith("_" + wanted):
        return tree.finding(path, 1, "the guard is %s, not %s%s" % (name, "" if exact else "..._", wanted))
    if name in seen:
        return tree.finding(path, 1, "the guard %s is that of %s" % (name, seen[name]))
    seen[name] = path
    return None


def include_flags(build):
    """-I flags of all compilations, in order: what a source file of this tree can see."""
    flags = []
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as text:
        commands = json.load(text)
    for command in commands:
        for word in shlex.split(command["command"]):
            if word.startswith("-I") and not word.endswith(".p"):
                flag = "-I" + os.path.normpath(os.path.join(command["directory"], word[2:]))
                if flag not in flags:
                    flags.append(flag)
    return flags


def compile_header(root, path, command):
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "one.cc" if "-std=c++17" in command else "one.c")
        with open(source, "w", encoding="utf-8") as text:
            text.write('#include "%s"\nint headers_one;\n' % os.path.join(root, path))
        done = subprocess.run(command + [source], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    why = [line for line in done.stderr.splitlines() if "error" in line][:1] or done.stderr.splitlines()[:1]
    return tree.finding(path, 1, "does not compile by itself with %s: %s" % (
        next(flag for flag in command if flag.startswith("-std=")), " ".join(why)))


def check(root, build):
    seen, found, jobs = {}, [], []
    flags = include_flags(build) if build else []
    compiler = shlex.split(os.environ.get("CC", "cc"))
    plus = shlex.split(os.environ.get("CXX", "c++"))
    for path in tree.files(root, ".h"):
        found.append(check_guard(root, path, seen))
        # Files of server/ name each other with their folder; elsewhere a file sees its own folder.
        own = [] if path.startswith("server/") else ["-I" + os.path.join(root, os.path.dirname(path))]
        jobs.append((path, compiler + ["-std=gnu17"] + FLAGS + flags + own))
        if path.startswith("include/"):
            public = ["-I" + os.path.join(root, "include")] + [f for f in flags if f.endswith("/include")]
            jobs.append((path, compiler + ["-std=c11", "-Wpedantic"] + FLAGS + public))
            jobs.append((path, plus + ["-std=c++17", "-Wpedantic"] + FLAGS + public))
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        found += pool.map(lambda job: compile_header(root, *job), jobs)
    return [text for text in found if text]


if __name__ == "__main__":
    tree.main(check, __doc__)
