#!/usr/bin/env python3
"""The official `cloudflare` package for Node.js against the gateway: each resource from its beginning to its end.

The package is pinned in npm/package-lock.json and installed into the build folder once. The lives are npm/*.js.
"""
import functools
import json
import os
import shutil
import subprocess

import gateway
import harness
from harness import check

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "npm")
PLACE = os.path.join(harness.BUILD, "npm")
PINNED = ("package.json", "package-lock.json")
INSTALL_LIMIT = 300.0
LIFE_LIMIT = 120.0


def pinned_version():
    with open(os.path.join(HERE, PINNED[0]), encoding="utf-8") as text:
        return json.load(text)["dependencies"]["cloudflare"]


def is_installed():
    """npm writes this file last, and it holds what the lockfile asked for."""
    try:
        with open(os.path.join(PLACE, "node_modules", ".package-lock.json"), encoding="utf-8") as text:
            return json.load(text)["packages"]["node_modules/cloudflare"]["version"] == pinned_version()
    except (OSError, ValueError, KeyError):
        return False


def npm(*args, limit):
    try:
        return subprocess.run(["npm", *args], cwd=PLACE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=limit, check=False, text=True)
    except FileNotFoundError:
        raise harness.Failure("npm is not installed: tools/dev/deps npm") from None


@functools.lru_cache(maxsize=None)
def trouble_of_install():
    """What keeps the package from being there, asked once; None: nothing does."""
    try:
        install()
    except harness.Failure as why:
        return str(why)
    return None


def install():
    """The package from the registry that npm is set up for. Without it nothing here is proven, so this fails."""
    if is_installed():
        return
    os.makedirs(PLACE, exist_ok=True)
    for name in PINNED:
        shutil.copy(os.path.join(HERE, name), PLACE)
    registry = npm("config", "get", "registry", limit=LIFE_LIMIT).stdout.strip()
    what = "cloudflare %s cannot be installed from the npm registry %s" % (pinned_version(), registry)
    try:
        done = npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=2", limit=INSTALL_LIMIT)
    except subprocess.TimeoutExpired:
        raise harness.Failure("%s: no answer in %d s" % (what, INSTALL_LIMIT)) from None
    check(done.returncode == 0 and is_installed(), "%s: %s" % (what, done.stderr[-1000:]))


def begin(w, life, **more):
    """A life that is under way, with what all of them need to know on its standard input."""
    trouble = trouble_of_install()
    check(not trouble, trouble)
    given = dict(more, base="http://%s:%d/client/v4" % w.gateway.address, token=w.gateway.token, account=w.account, zone=w.zone)
    # Nothing of the caller may point the client elsewhere.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("CLOUDFLARE_", "NODE_"))}
    process = subprocess.Popen(["node", os.path.join(HERE, life + ".js")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=dict(env, ANCHORD_NPM=PLACE), text=True)
    process.stdin.write(json.dumps(given))
    process.stdin.close()
    process.stdin = None
    return process


def end(process):
    try:
        _, err = process.communicate(timeout=LIFE_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        _, err = process.communicate()
        raise harness.Failure("not over in %d s: %s" % (LIFE_LIMIT, err)) from None
    check(process.returncode == 0, "exit %d\n%s" % (process.returncode, err))


def live(w, life, **more):
    end(begin(w, life, **more))


def test_certificates(case):
    w = gateway.world(case)
    live(w, "certificates", pems=[w.ca("ca%d" % n) for n in range(6)])


def test_trust_store(case):
    w = gateway.world(case)
    pems = [w.ca("root%d" % n) for n in range(7)]
    with open(w.pki.client("leaf", "root0"), encoding="ascii") as text:
        leaf = text.read()
    other = w.server.json("zone", "create", "--account", "acme", "--name", "example.net")["id"]
    live(w, "trust_store", pems=pems, leaf=leaf, other=other)


def test_rulesets(case):
    live(gateway.world(case), "rulesets")


def test_access(case):
    w = gateway.world(case)
    live(w, "access", pems=[w.ca("one"), w.ca("two")])


def test_listings(case):
    w = gateway.world(case)
    zones = ["example.com"] + ["zone%02d.example" % n for n in range(50)]
    for name in zones[1:]:
        w.server.json("zone", "create", "--account", "acme", "--name", name)
    w.server.json("account", "create", "--name", "other")
    live(w, "listings", zones=sorted(zones), narrow=w.token("--permission", "Zone WAF Read", "--zone", "example.com"))


def test_errors(case):
    live(gateway.world(case, "--rate-limit", "100"), "errors")


def test_retries(case):
    """The server is away when the client asks, and comes back after the first refusal that it got."""
    w = gateway.world(case)
    w.server.kill()
    process = begin(w, "retries")
    try:
        said = process.stdout.readline()
        w.server.start()
    except BaseException:
        process.kill()
        raise
    end(process)
    check(said == "away\n", "the client was not refused first")


if __name__ == "__main__":
    harness.main(globals())
