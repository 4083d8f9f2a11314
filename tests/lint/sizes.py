#!/usr/bin/env python3
"""Files and functions beyond the size at which nobody reads them any more."""
import tree

# The aim is half of this and less; these are where the check stops a change.
FILE_LINES = 1000
FUNCTION_LINES = 120


def functions(root, path):
    """Line and length of each function body: formatted code has its braces in the first column."""
    begin = None
    for number, line in tree.lines(root, path):
        if line == "{":
            begin = number
        elif line == "}" and begin is not None:
            yield begin, number - begin - 1
            begin = None


def check(root, _build):
    found = []
    for path in tree.files(root, (".c", ".h", ".cc")):
        count = sum(1 for _ in tree.lines(root, path)) - 1
        if count > FILE_LINES:
            found.append(tree.finding(path, 1, "%d lines, more than %d" % (count, FILE_LINES)))
        for number, length in functions(root, path):
            if length > FUNCTION_LINES:
                found.append(tree.finding(path, number, "a function of %d lines, more than %d" % (
                    length, FUNCTION_LINES)))
    return found


if __name__ == "__main__":
    tree.main(check, __doc__)
