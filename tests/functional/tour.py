"""The tour of README.md: runs its commands and compares what they print.

Blocks of ```console hold lines `$ command` and the output that follows. `tour.py --write README.md` runs them against a
fresh server and puts the output in; the test does the same and compares. What differs from run to run (ids, digests,
times) is compared by its form.
"""
import re
import subprocess

VOLATILE = [
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<sha256>"),
    (re.compile(r"\b[0-9a-f]{40}\b"), "<sha1>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"[ \t]+"), " "),
]
BLOCK = re.compile(r"(^```console\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL)


def stable(text):
    for pattern, name in VOLATILE:
        text = pattern.sub(name, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def commands(text):
    """(command, expected output) of every block, in order."""
    found = []
    for block in BLOCK.finditer(text):
        for line in block.group(2).splitlines():
            if line.startswith("$ "):
                found.append([line[2:], ""])
            else:
                found[-1][1] += line + "\n"
    return [tuple(pair) for pair in found]


class Shell:
    """One bash that keeps its variables from command to command."""

    def __init__(self, folder, env):
        self.process = subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, cwd=folder, env=env, text=True)

    def run(self, command):
        mark = "--- end of command ---"
        self.process.stdin.write("{ %s\n} 2>&1 </dev/null; echo; echo '%s'\n" % (command, mark))
        self.process.stdin.flush()
        out = ""
        for line in self.process.stdout:
            if line.strip() == mark:
                return out
            out += line
        raise RuntimeError("the shell ended in: " + command)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def rewrite(text, run):
    """The text with each command's real output in place of what it shows."""
    def fill(block):
        out = ""
        for line in block.group(2).splitlines():
            if line.startswith("$ "):
                shown = run(line[2:]).strip("\n")
                out += line + "\n" + (shown + "\n" if shown.strip() else "")
        return block.group(1) + out + block.group(3)
    return BLOCK.sub(fill, text)
