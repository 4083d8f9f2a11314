#!/usr/bin/env python3
"""Who may include whom: arrows point down only, and third-party libraries stay behind their fences."""
import re

import tree

# Lower number, lower layer; folders of one number never include each other.
LEVEL = {"base": 0, "model": 1, "rule": 2, "snap": 3, "eval": 4, "wire": 5,
         "plug": 6, "conf": 6, "core": 7, "feed": 7, "query": 7, "daemon": 8}

# Folder -> the only other folders it may use, where that is less than what its layer allows.
ONLY = {"conf": {"base", "model"}}

# The read path cannot block on truth because it cannot name it.
NEVER = {"query": ("plug/storage.h", "plug/quota.h", "core/")}

# Pure layers: no I/O, no clock, no lock. Three files copy, map and store images.
PURE = ("server/rule/", "server/snap/", "server/eval/")
PURE_EXCEPT = ("server/snap/copy.c", "server/snap/open.c", "server/snap/store.c")
IMPURE = ("base/io.h", "base/clock.h", "base/thread.h", "base/queue.h", "base/log.h", "pthread.h", "fcntl.h",
          "dirent.h", "sys/socket.h", "sys/mman.h", "sys/stat.h", "poll.h")

# Third-party header prefix -> where it may be included.
FENCES = {
    "nng/": ("tests/unit/wire/", "tests/bench/"),
    "protobuf-c/": ("server/wire/", "tests/"),
    "dlfcn.h": ("server/plug/load.c",),
    "sqlite3.h": ("plugins/storage-sqlite/", "tests/plugins/test_sqlite.c", "tests/bench/"),
    "libpq-fe.h": ("plugins/storage-postgres/",),
    # core/seal.c: keys at rest need AES-GCM and memory that is never swapped, in a process without any validator too
    "openssl/": ("plugins/validator-openssl/", "server/model/digest.c", "server/core/seal.c", "server/wire/sign.c", "tests/"),
    "microhttpd.h": ("tools/gateway/http.c",),
    "gnutls/": ("tools/gateway/tls.",),
    "zlib.h": ("tools/gateway/gzip.c",),
    "libsmartcols": ("tools/anchorctl/",),
    "yaml.h": ("server/conf/", "tests/"),
    "re2/": ("server/rule/",),
    "urcu": ("server/base/", "tests/bench/"),
    "idn2.h": ("server/model/",),
    "libpsl.h": ("server/model/",),
}

# The codec of protobuf-c may be called here only; its generated types are plain data and go further.
CODEC = re.compile(r"\b(protobuf_c_[a-z_]+|\w+__(?:pack|unpack|pack_to_buffer|get_packed_size|free_unpacked))\s*\(")
CODEC_IN = ("server/wire/", "tests/")

# Tools stop at wire; these look into plugins and into rules without a server.
TOOL_LEVEL = LEVEL["wire"]
TOOL_PLUG = ("tools/plugin-check/", "tools/anchorctl/cmd_plugin", "tools/anchorctl/cmd_x509", "tools/anchorctl/offline")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def includes(root, path):
    for number, line in tree.lines(root, path):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) == "<", match.group(2)


def check_server(path, name):
    own = path.split("/")[1]
    other = name.split("/")[0]
    if own not in LEVEL:
        return "folder '%s' has no layer" % own
    if "/" not in name or other not in LEVEL or other == own:
        return None
    if LEVEL[other] >= LEVEL[own]:
        return "%s may not include %s: arrows point down only" % (own, other)
    if own in ONLY and other not in ONLY[own]:
        return "%s may use %s only" % (own, " and ".join(sorted(ONLY[own])))
    return None


def check_outside(path, name):
    """Plugins see the public headers and the kit for authors; tools see the layers up to wire."""
    other = name.split("/")[0]
    if "/" not in name or other not in LEVEL:
        return None
    if path.startswith("plugins/"):
        return "a plugin may not include %s: it sees include/anchord and plugins/sdk only" % name
    if path.startswith("include/"):
        return "a public header may not include %s" % name
    if path.startswith("tools/") and LEVEL[other] > TOOL_LEVEL:
        if other != "plug" or not path.startswith(TOOL_PLUG):
            return "a tool may not include %s: tools stop at wire" % name
    return None


def check_include(path, is_system, name):
    found = []
    if path.startswith("server/") and path.count("/") > 1:
        found.append(check_server(path, name))
        own = path.split("/")[1]
        if name.startswith(NEVER.get(own, ("\0",))):
            found.append("%s may never include %s" % (own, name))
        if path.startswith(PURE) and path not in PURE_EXCEPT and name in IMPURE:
            found.append("%s is pure: no %s" % (own, name))
    elif not is_system or path.startswith(("plugins/", "include/")):
        found.append(check_outside(path, name))
    for prefix, allowed in FENCES.items():
        if name.startswith(prefix) and not path.startswith(allowed):
            found.append("<%s> may be included in %s only" % (name, ", ".join(allowed)))
    return [text for text in found if text]


def check(root, _build):
    found = []
    for path in tree.files(root, tree.CODE):
        for number, is_system, name in includes(root, path):
            found += [tree.finding(path, number, text) for text in check_include(path, is_system, name)]
        if path.startswith(CODEC_IN):
            continue
        for number, line in tree.lines(root, path):
            match = CODEC.search(line)
            if match:
                found.append(tree.finding(path, number, "%s may be called in server/wire only" % match.group(1)))
    return found


if __name__ == "__main__":
    tree.main(check, __doc__)
