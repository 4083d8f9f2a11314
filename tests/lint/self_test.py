#!/usr/bin/env python3
"""Seeds one violation of each rule in a temporary tree and expects the check to find it, and only it. TAP."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import format as format_check
import headers
import layers
import sizes
import symbols
import tables
import words

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tools", "dev"))
import count  # noqa: E402

BODY = "int f(void);\n"

# Rule -> (check, path, text, part of the finding; None: nothing may be found).
CASES = {
    "a lower layer is free": (layers, "server/snap/a.c", '#include "rule/x.h"\n#include "base/map.h"\n', None),
    "an upper layer is refused": (layers, "server/rule/a.c", '#include "snap/x.h"\n', "arrows point down"),
    "a layer of the same height is refused": (layers, "server/feed/a.c", '#include "core/x.h"\n', "arrows"),
    "a folder without a layer is refused": (layers, "server/misc/a.c", '#include "base/x.h"\n', "no layer"),
    "query may not name storage": (layers, "server/query/a.c", '#include "plug/storage.h"\n', "may never include"),
    "query may not name quota": (layers, "server/query/a.c", '#include "plug/quota.h"\n', "may never include"),
    "query may name the validator": (layers, "server/query/a.c", '#include "plug/validator.h"\n', None),
    "conf uses base and model only": (layers, "server/conf/a.c", '#include "wire/x.h"\n', "base and model only"),
    "pure layers read no clock": (layers, "server/eval/a.c", '#include "base/clock.h"\n', "is pure"),
    "pure layers take no lock": (layers, "server/rule/a.c", "#include <pthread.h>\n", "is pure"),
    "store.c keeps files": (layers, "server/snap/store.c", "#include <fcntl.h>\n", None),
    "open.c maps files": (layers, "server/snap/open.c", "#include <sys/mman.h>\n", None),
    "nng is fenced": (layers, "server/feed/a.c", "#include <nng/nng.h>\n", "may be included in"),
    "nng behind its fence": (layers, "tests/unit/wire/a.c", "#include <nng/nng.h>\n", None),
    "protobuf-c is fenced": (layers, "server/core/a.c", "#include <protobuf-c/protobuf-c.h>\n", "may be included"),
    "the codec is fenced": (layers, "server/core/a.c", "x = a__b__unpack(NULL, n, p);\n", "may be called in"),
    "dlfcn is fenced": (layers, "server/plug/life.c", "#include <dlfcn.h>\n", "may be included in"),
    "SQLite is fenced": (layers, "server/core/a.c", "#include <sqlite3.h>\n", "may be included in"),
    "OpenSSL is fenced": (layers, "plugins/quota-pool/a.c", "#include <openssl/x509.h>\n", "may be included in"),
    "OpenSSL for digests": (layers, "server/model/digest.c", "#include <openssl/sha.h>\n", None),
    "a plugin sees no server": (layers, "plugins/quota-pool/a.c", '#include "base/map.h"\n', "a plugin may not"),
    "a public header sees no server": (layers, "include/anchord/a.h", '#include "base/map.h"\n', "a public header"),
    "a tool stops at wire": (layers, "tools/anchorctl/a.c", '#include "core/x.h"\n', "tools stop at wire"),
    "a header without guard": (headers, "server/base/a.h", BODY, "no include guard"),
    "a guard of another name": (headers, "server/base/a.h", "#ifndef B_H\n#define B_H\n" + BODY + "#endif\n", "the guard"),
    "a header that needs another": (headers, "server/base/a.h",
                                    "#ifndef BASE_A_H\n#define BASE_A_H\nsize_t f(void);\n#endif\n", "by itself"),
    "a header that stands alone": (headers, "server/base/a.h",
                                   "#ifndef BASE_A_H\n#define BASE_A_H\n" + BODY + "#endif\n", None),
    "a public header that is not C++": (headers, "include/anchord/a.h",
                                        "#ifndef ANCHORD_A_H\n#define ANCHORD_A_H\nint f(int class);\n#endif\n", "c++17"),
    "a public header that is not C11": (headers, "include/anchord/a.h",
                                        "#ifndef ANCHORD_A_H\n#define ANCHORD_A_H\n#define N ({ 1; })\n"
                                        "enum { a_n = sizeof(struct { int x[0]; }) };\n#endif\n", "c11"),
    "unfinished work": (words, "server/base/a.c", "/* TODO: later */\n", "TODO"),
    "an unfinished function": (words, "server/base/a.c", "/* a stub */\n", "stub"),
    "a path of a machine": (words, "README.md", "see /work/" + "main\n", "/work/"),
    "mkstemp's pattern is no word": (words, "server/base/a.c", 'char t[] = "a.XXXXXX";\n', None),
    "a long file": (sizes, "server/base/a.c", "int x;\n" * 1001, "1001 lines"),
    "a long function": (sizes, "server/base/a.c", "void\nf(void)\n{\n" + "    g();\n" * 121 + "}\n", "121 lines"),
    "a function of the largest size": (sizes, "server/base/a.c", "void\nf(void)\n{\n" + "    g();\n" * 120 + "}\n", None),
    "bad format": (format_check, "server/base/a.c", "int   f( void ) ;\n", "differs from its format"),
    "good format": (format_check, "server/base/a.c", BODY, None),
}


def write(root, path, text):
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as out:
        out.write(text)


def seeded(check, path, text, part):
    with tempfile.TemporaryDirectory() as root:
        shutil.copy(os.path.join(ROOT, ".clang-format"), root)
        write(root, path, text)
        found = check.check(root, None)
    if part is None:
        return not found, found
    return len(found) >= 1 and any(part in one for one in found), found


def tables_in_step():
    """A changed limit is found, and so is a missing table."""
    with tempfile.TemporaryDirectory() as root:
        for path in ("server", "include", "tools/manual"):
            shutil.copytree(os.path.join(ROOT, path), os.path.join(root, path))
        before = tables.check(root, None)
        with open(os.path.join(root, "server/model/limits.h"), encoding="utf-8") as text:
            source = text.read()
        write(root, "server/model/limits.h", source.replace("LIMIT_HOST, 253", "LIMIT_HOST, 254"))
        changed = tables.check(root, None)
        os.remove(os.path.join(root, "tools/manual/status.md"))
        missing = tables.check(root, None)
        with open(os.path.join(root, "server/conf/items.def"), encoding="utf-8") as text:
            source = text.read()
        write(root, "server/conf/items.def", source.replace('"1024", 1, 65536', '"1024", 1, 65537'))
        option = tables.check(root, None)
    good = not before and [one for one in changed if "limits.md" in one] and [one for one in missing if "status.md" in one]
    return bool(good) and any("anchord.yaml.5" in one for one in option), (before, changed, missing, option)


def pages_installed():
    """A page that the build does not install is found, one that it does is not."""
    with tempfile.TemporaryDirectory() as root:
        page = os.path.join(root, "tools/manual/a.1")
        write(root, "tools/manual/a.1", "")
        write(root, "tools/manual/b.yaml.5", "")
        write(root, "build/meson-info/intro-installed.json", json.dumps({page: "/usr/share/man/man1/a.1"}))
        found = tables.not_installed(root, os.path.join(root, "build"))
    return len(found) == 1 and "b.yaml.5" in found[0], found


def exports():
    """Too many names in a plugin, none in another, a foreign name in the library."""
    one = '__attribute__((visibility("default"))) int %s;\n'
    with tempfile.TemporaryDirectory() as build:
        none = symbols.check(None, build)
        for name, text in (("plugins/good.so", one % "acd_plugin_1"),
                           ("plugins/bad/loud.so", one % "acd_plugin_1" + one % "other"),
                           ("plugins/empty.so", "static int x; int *f(void); int *f(void) { return &x; }\n"),
                           ("lib/libanchord.so.0.1", one % "acd_open" + one % "leak")):
            os.makedirs(os.path.dirname(os.path.join(build, name)), exist_ok=True)
            source = os.path.join(build, "x.c")
            write(build, "x.c", text)
            subprocess.run(["cc", "-shared", "-fPIC", "-fvisibility=hidden", "-o", os.path.join(build, name), source], check=True)
        found = symbols.check(None, build)
    wanted = ["plugins/bad/loud.so:0: exports other", "plugins/empty.so:0: does not export acd_plugin_1",
              "lib/libanchord.so.0.1:0: exports leak"]
    return none is None and sorted(found) == sorted(wanted), found


def counting():
    """The last line of the test program rests on these numbers."""
    with tempfile.TemporaryDirectory() as folder:
        base = os.path.join(folder, "x")
        rows = [{"name": "p:fast / tap", "result": "OK"}, {"name": "p:fast / crash", "result": "ERROR"},
                {"name": "p:fast / one", "result": "OK"}, {"name": "p:fast / late", "result": "TIMEOUT"},
                {"name": "p:fast / none", "result": "SKIP"}]
        write(folder, "x.json", "".join(json.dumps(row) + "\n" for row in rows))
        write(folder, "x.junit.xml", '<testsuites><testsuite name="p.p:fast / tap" tests="5" errors="0" failures="0" skipped="1"/>'
              '<testsuite name="p.p:fast / crash" tests="3" errors="0" failures="0" skipped="0"/></testsuites>')
        got = count.count_step(base)
        nothing = count.count_step(os.path.join(folder, "y"))
    return got == (8, 2, 2, 5, ["crash", "late"]) and nothing[3] == 0, got


def figures():
    """Medians, the aim in both directions, and programs that fail or print nonsense."""
    good = ("#!/bin/sh\necho '{\"measure\":\"a\",\"value\":90,\"unit\":\"calls/s\",\"peer\":\"p\",\"peer_value\":100,\"reach\":0.8}'\n"
            "echo '{\"measure\":\"b\",\"value\":90,\"unit\":\"us\",\"peer\":\"p\",\"peer_value\":100,\"reach\":0.8}'\n")
    results = []
    for text in (good, good + "exit 3\n", good + "echo hello\n", "#!/bin/sh\n"):
        with tempfile.TemporaryDirectory() as build:
            write(build, "tests/bench/bench_x", text)
            os.chmod(os.path.join(build, "tests/bench/bench_x"), 0o755)
            out = os.path.join(build, "out.json")
            done = subprocess.run([sys.executable, os.path.join(ROOT, "tests", "bench", "run.py"), "--build", build,
                                   "--quick", "--json", out], capture_output=True, text=True, check=False)
            with open(out, encoding="utf-8") as read:
                rows = json.load(read)["figures"]
        results.append((done.returncode, [row["ok"] for row in rows]))
    return results == [(0, [True, False]), (1, [True, False]), (1, [True, False]), (1, [])], results


def main():
    results = [(name, *seeded(*case)) for name, case in CASES.items()]
    results.append(("tables out of step", *tables_in_step()))
    results.append(("pages of the manual", *pages_installed()))
    results.append(("exported names", *exports()))
    results.append(("counting results", *counting()))
    results.append(("figures of benchmarks", *figures()))
    print("1..%d" % len(results))
    for number, (name, good, found) in enumerate(results, 1):
        print("%s %d - %s" % ("ok" if good else "not ok", number, name))
        if not good:
            print("# found: %s" % (found,))
    return 0 if all(good for _, good, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
