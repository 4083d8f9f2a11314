#!/usr/bin/env python3
"""C and C++ files are formatted as clang-format 14 does; `tools/dev/format` does it."""
import os
import re
import shutil
import subprocess

import tree

ONE = re.compile(r"^(.*?):(\d+):\d+: error: code should be clang-formatted", re.MULTILINE)


def check(root, _build):
    tool = shutil.which("clang-format-14")
    if not tool:
        return ["clang-format-14 is missing: tools/dev/deps lint"]
    paths = [os.path.join(root, path) for path in tree.files(root, (".c", ".h", ".cc", ".cpp"))]
    found = {}
    for at in range(0, len(paths), 50):
        done = subprocess.run([tool, "--style=file", "--dry-run", "--Werror"] + paths[at:at + 50],
                              capture_output=True, text=True, check=False)
        for path, line in ONE.findall(done.stderr):
            found.setdefault(os.path.relpath(path, root), int(line))
        if done.returncode != 0 and not ONE.search(done.stderr):
            return ["clang-format failed: " + done.stderr.strip()]
    return [tree.finding(path, line, "differs from its format: tools/dev/format") for path, line in found.items()]


if __name__ == "__main__":
    tree.main(check, __doc__)
