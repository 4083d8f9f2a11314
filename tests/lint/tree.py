"""What the checks share: the files of the tree, a finding, and how a check ends."""
import argparse
import os
import sys

SKIP = {".git", "var", "__pycache__", "node_modules", "corpus"}
CODE = (".c", ".h", ".cc", ".hh", ".cpp", ".def")


def files(root, endings=None):
    """Paths below root, relative, with '/' between names; build folders are not part of the tree."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in SKIP and not (folder == root and f.startswith("build")))
        for name in sorted(set(names) - SKIP):
            if endings is None or name.endswith(endings):
                yield os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")


def lines(root, path):
    """Numbered lines of a text file; nothing for a file that is not text."""
    try:
        with open(os.path.join(root, path), encoding="utf-8") as text:
            yield from enumerate(text.read().split("\n"), 1)
    except UnicodeDecodeError:
        return


def finding(path, line, message):
    return "%s:%d: %s" % (path, line, message)


def main(check, description):
    """Runs check(root, build) -> list of findings; None means that there was nothing to look at."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    parser.add_argument("--build", default=None)
    args = parser.parse_args()
    found = check(os.path.abspath(args.root), args.build)
    if found is None:
        print("nothing to check")
        sys.exit(77)
    for line in found:
        print(line)
    print("%d findings" % len(found))
    sys.exit(1 if found else 0)
