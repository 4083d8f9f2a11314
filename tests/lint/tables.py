#!/usr/bin/env python3
"""Tables of the manual are those of the code: `tools/manual/generate.py` writes them."""
import importlib.util
import os

import tree


def check(root, _build):
    path = os.path.join(root, "tools", "manual", "generate.py")
    spec = importlib.util.spec_from_file_location("generate", path)
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    return [tree.finding(name, 1, "is out of step: run tools/manual/generate.py") for name in generate.differences(root)]


if __name__ == "__main__":
    tree.main(check, __doc__)
