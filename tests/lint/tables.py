#!/usr/bin/env python3
"""Tables of the manual are those of the code: `tools/manual/generate.py` writes them. Its pages are installed."""
import importlib.util
import json
import os
import re

import tree


def not_installed(root, build):
    """Pages of the manual that an installation would lack; the build knows what it installs."""
    with open(os.path.join(build, "meson-info", "intro-installed.json"), encoding="utf-8") as text:
        installed = {os.path.realpath(path) for path in json.load(text)}
    folder = os.path.join(root, "tools", "manual")
    return [tree.finding("tools/manual/" + name, 1, "is not installed: tools/manual/meson.build")
            for name in sorted(os.listdir(folder))
            if re.search(r"\.[1-8]$", name) and os.path.realpath(os.path.join(folder, name)) not in installed]


def check(root, build):
    path = os.path.join(root, "tools", "manual", "generate.py")
    spec = importlib.util.spec_from_file_location("generate", path)
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    found = [tree.finding(name, 1, "is out of step: run tools/manual/generate.py") for name in generate.differences(root)]
    return found + (not_installed(root, build) if build else [])


if __name__ == "__main__":
    tree.main(check, __doc__)
