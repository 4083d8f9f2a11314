#!/usr/bin/env python3
"""Writes the tables of the manual from the tables of the code: generate.py [--check]

A file is generated as a whole, or between two marker lines that name this program.
"""
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
TEXT = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as text:
        return text.read()


def joined(literals):
    """C string literals, one behind the other, as one text."""
    parts = re.findall(r'"((?:[^"\\]|\\.)*)"', literals)
    return "".join(parts).replace('\\"', '"').replace("\\\\", "\\")


def flat(source):
    return source.replace("\\\n", " ")


def limits_md(root):
    row = re.compile(r"/\* ([^*]+?) \*/|X\((\w+),\s*([^,]+?),\s*" + TEXT + r",\s*" + TEXT + r"\)", re.DOTALL)
    source = flat(read(root, "server/model/limits.h"))
    source = source[source.index("#define LIMITS_MAP"):]
    out = ["# Limits", "", "Generated from `server/model/limits.h`. Beyond one of them a request is refused by name, never cut short.", ""]
    for section, name, value, unit, what in row.findall(source):
        if section:
            out += ["", "## " + section.strip().capitalize(), "", "| name | value | unit | bounds |", "|---|---:|---|---|"]
        else:
            out.append("| `%s` | %s | %s | %s |" % (name, value.strip(), joined(unit), joined(what)))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)) + "\n"


def status_md(root):
    row = re.compile(r"X\((\w+),\s*(-?\d+),\s*" + TEXT + r",\s*([01]),\s*(\d+),\s*(\d+)\)")
    source = flat(read(root, "include/anchord/status.h"))
    out = ["# Status codes", "",
           "Generated from `include/anchord/status.h`. Numbers never change. *Again*: the same call, sent again",
           "unchanged, may succeed without anyone acting.", "",
           "| name | number | means | again | gRPC | HTTP |", "|---|---:|---|---|---:|---:|"]
    for name, number, text, again, grpc, http in row.findall(source):
        out.append("| `%s` | %s | %s | %s | %s | %s |" % (
            name, number, joined(text), "yes" if again == "1" else "no", grpc, http))
    return "\n".join(out) + "\n"


# Output -> function that makes it, given the root of the tree.
TABLES = {
    "tools/manual/limits.md": limits_md,
    "tools/manual/status.md": status_md,
}


def differences(root):
    """Outputs that are not what the code says."""
    wrong = []
    for path, make in TABLES.items():
        full = os.path.join(root, path)
        if not os.path.exists(full) or read(root, path) != make(root):
            wrong.append(path)
    return wrong


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    for path in differences(ROOT):
        print(path)
        if not sys.argv[1:]:
            text = TABLES[path](ROOT)
            with open(os.path.join(ROOT, path), "w", encoding="utf-8") as out:
                out.write(text)
        else:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
