#!/usr/bin/env python3
"""Words that say that something is not finished, and names of places outside of the project."""
import re

import tree

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|TBD|[Ss]tub(?:s|bed)?|not (?:yet )?implemented|[Cc]oming soon"
                        r"|[Ww]ork in progress|[Ll]orem ipsum|dummy implementation)\b")
OUTSIDE = re.compile(r"(?<![\w.])/work/|\bshared/reference\b")
BINARY = (".pem", ".der", ".crl", ".bin", ".desc", ".png", ".ico", ".json", ".jsonl", ".svg")
# The checks themselves have to name what they look for.
EXEMPT = ("tests/lint/words.py", "tests/lint/self_test.py", "LICENSE")


def check(root, _build):
    found = []
    for path in tree.files(root):
        if path in EXEMPT or path.endswith(BINARY):
            continue
        for number, line in tree.lines(root, path):
            for pattern in (UNFINISHED, OUTSIDE):
                match = pattern.search(line)
                if match:
                    found.append(tree.finding(path, number, "'%s' does not belong here" % match.group(0)))
    return found


if __name__ == "__main__":
    tree.main(check, __doc__)
