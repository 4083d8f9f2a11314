"""Several CAs on a host: their order, those that are only observed, helpers that complete paths."""
import itertools
import json
import os

import harness
from harness import check, contains, equal

HOST = "api.example.com"


def start(case):
    server, pki = case.server(), case.pki()
    server.json("account", "create", "--name", "acme")
    server.json("quota", "set", "--account", "acme", "--limit", 50)
    server.json("zone", "create", "--account", "acme", "--name", "example.com")
    return server, pki


def upload(server, pki, name, *args):
    return server.json("ca", "upload", "--account", "acme", "--name", name, *args, pki.path(name))["id"]


def add(server, ca, *args, host=HOST):
    return server.json("host", "add", "--zone", "example.com", "--ca", ca, *args, host)


def remove(server, ca, *args, host=HOST):
    return server.json("host", "remove", "--zone", "example.com", "--ca", ca, *args, host)


def verify(server, path, *args, host=HOST):
    result = server.ctl("query", "verify", "--host", host, path, *args, json_out=True)
    check(result.code in (0, 1), "exit %d: %s" % (result.code, result.err))
    equal(result.code == 0, result.json["verified"], "exit code")
    return result.json


def trust(server, host=HOST):
    return server.json("query", "trust", host)[0]["cas"]


def same_after_rebuild(server):
    """What was published change by change is what truth says, and what a start from nothing builds."""
    check(server.json("server", "check")["ok"], "server check")
    before = server.json("query", "trust", HOST)
    server.stop()
    os.remove(os.path.join(server.data, "anchord.image"))
    server.start()
    equal(server.json("query", "trust", HOST), before, "the image built from nothing")


def test_priority_orders(case):
    server, pki = start(case)
    ids = {}
    for name in ("a", "b", "c", "d"):
        pki.ca(name)
        ids[name] = upload(server, pki, name)
        add(server, ids[name])
    names = {ca: name for name, ca in ids.items()}
    order = lambda: "".join(names[ca["id"]] for ca in trust(server))
    equal(order(), "dcba", "by deployment")
    equal(add(server, ids["a"], "--priority", 20)["changed"], 1, "changed")
    equal(order(), "adcb", "one with a priority")
    add(server, ids["b"], "--priority", 10)
    equal(order(), "badc", "the lower one first")
    add(server, ids["c"], "--priority", 10)
    equal(order(), "cbad", "of one priority, the latest deployed first")
    equal([ca["priority"] for ca in trust(server)], [10, 10, 20, None], "priorities")
    before = server.json("query", "trust", HOST)[0]["revision"]
    equal(add(server, ids["c"], "--priority", 10)["changed"], 0, "changed by nothing")
    equal(server.json("query", "trust", HOST)[0]["revision"], before, "revision")
    server.json("host", "set", "--zone", "example.com", "--ca", ids["b"], "x.example.com", HOST)
    equal(order(), "cbad", "`set` keeps the priority")
    equal(trust(server, "x.example.com")[0]["priority"], None, "priority of another host")
    add(server, ids["b"], "--priority", "none")
    equal(order(), "cadb", "without priority again")
    rows = server.json("host", "list", "--zone", "example.com", "--all")
    equal({(r["host"], names[r["mtls_certificate_id"]]): r["priority"] for r in rows if r["priority"]},
          {(HOST, "a"): 20, (HOST, "c"): 10}, "priorities in the lists")
    same_after_rebuild(server)
    for bad in ("0", "1000001", "-1", "x"):
        server.ctl("host", "add", "--zone", "example.com", "--ca", ids["a"], "--priority=" + bad, HOST).expect(2, "priority")


def test_observed_ca_reports_and_never_decides(case):
    server, pki = start(case)
    pki.ca("old")
    pki.ca("new")
    pki.client("old-client", "old")
    pki.client("new-client", "new")
    old, new = upload(server, pki, "old"), upload(server, pki, "new")
    add(server, old)
    equal(verify(server, pki.path("new-client"))["observed"], None, "no CA is observed")
    add(server, new, "--observe")
    cas = {ca["id"]: ca for ca in trust(server)}
    equal((cas[old]["role"], cas[new]["role"]), ("decides", "observed"), "roles")
    for extra in ((), (), ("--explain",)):  # from the validator, from the cache, with the derivation
        seen = verify(server, pki.path("new-client"), *extra)
        equal((seen["verified"], seen["ca_id"]), (False, None), "the decision")
        equal((seen["observed"]["verified"], seen["observed"]["ca_id"]), (True, new), "what is observed")
        equal(seen["observed"]["ca_sha256"], pki.sha256("new"), "SHA-256 of what is observed")
        seen = verify(server, pki.path("old-client"), *extra)
        equal((seen["verified"], seen["ca_id"]), (True, old), "the decision")
        equal(seen["observed"]["verified"], False, "what is observed")
        check(seen["observed"]["error"].startswith("X509_V_ERR_"), "error is %r" % seen["observed"])
    steps = verify(server, pki.path("new-client"), "--explain")["steps"]
    places = [ca["id"] for ca in trust(server)]
    mine = [s for s in steps if s["observed"] and s["anchor"] is not None]
    check(mine, "no step of the observed CA: %s" % steps)
    equal({s["anchor"] for s in mine}, {places.index(new)}, "which CA the steps name")
    check(not any(s["anchor"] == places.index(new) for s in steps if not s["observed"]), "it took part in the decision")
    same_after_rebuild(server)
    add(server, new, "--decide")
    equal(verify(server, pki.path("new-client"))["ca_id"], new, "when it decides")
    equal(verify(server, pki.path("new-client"))["observed"], None, "when it decides")
    add(server, new, "--observe")
    equal(verify(server, pki.path("new-client"))["verified"], False, "observed again")
    remove(server, old, "--force")
    equal(verify(server, pki.path("old-client"))["verified"], False, "nobody decides")


def test_observed_ca_completes_no_path(case):
    """Not even as an intermediate of a path that ends in a CA that decides."""
    server, pki = start(case)
    pki.ca("root")
    pki.ca("sub", "root")
    pki.client("leaf", "sub")
    root, sub = upload(server, pki, "root"), upload(server, pki, "sub")
    add(server, root)
    add(server, sub, "--observe")
    seen = verify(server, pki.path("leaf"))
    equal((seen["verified"], seen["observed"]["verified"]), (False, True), "without intermediate")
    equal(verify(server, pki.join("chain", "leaf", "sub"))["ca_id"], root, "with its intermediate")


def test_helper_completes_paths_and_grants_nothing(case):
    server, pki = start(case)
    pki.ca("root")
    pki.ca("sub", "root")
    pki.ca("subsub", "sub")
    pki.client("leaf", "subsub")
    pki.ca("foreign")
    root = upload(server, pki, "root")
    helpers = [upload(server, pki, name, "--helper") for name in ("sub", "subsub", "foreign")]
    pki.client("stranger", "foreign")
    used = {p["pool"]: p["used"] for p in server.json("quota", "show", "--account", "acme")["pools"]}
    equal(used["mtls_ca"], 4, "helpers count")
    equal(server.json("ca", "get", helpers[0])["helper"], True, "helper")
    for helper in helpers:
        add(server, helper)
    for name in ("leaf", "stranger"):
        equal(verify(server, pki.path(name))["verified"], False, "%s, with helpers alone" % name)
    add(server, root)
    good = verify(server, pki.path("leaf"))
    equal((good["verified"], good["ca_id"]), (True, root), "the helpers complete the path")
    equal(verify(server, pki.path("stranger"))["verified"], False, "a self-signed helper")
    equal({ca["id"] for ca in trust(server) if ca["role"] == "helper"}, set(helpers), "helpers")
    contains(str(server.json("query", "trust", "--explain", HOST)[0]["explain"]), "3 only complete paths", "explanation")
    same_after_rebuild(server)
    remove(server, helpers[0])
    equal(verify(server, pki.path("leaf"))["verified"], False, "without one of them")
    equal(verify(server, pki.join("chain", "leaf", "sub"))["verified"], True, "when the client sends that one")
    server.ctl("host", "add", "--zone", "example.com", "--ca", helpers[1], "--observe", HOST).expect(1, "helper")
    server.ctl("ca", "upload", "--account", "acme", "--name", "x", "--leaf", "--helper", pki.path("leaf")).expect(1, "helper")
    server.ctl("ca", "delete", helpers[1]).expect(1, "in use")


def test_one_of_several_paths_suffices(case):
    """Cross-signed, renewed under the same key, with an expired twin: every path is tried."""
    server, pki = start(case)
    pki.ca("gone")
    pki.ca("kept")
    pki.ca("sub", "gone", subject="/O=Test/CN=sub")
    key = pki.path("sub", "key")
    pki.ca("cross", "kept", subject="/O=Test/CN=sub", key=key)
    pki.client("leaf", "sub")
    kept = upload(server, pki, "kept")
    add(server, kept)
    add(server, upload(server, pki, "sub", "--helper"))
    equal(verify(server, pki.path("leaf"))["verified"], False, "the dead end alone")
    add(server, upload(server, pki, "cross", "--helper"))
    equal(verify(server, pki.path("leaf"))["ca_id"], kept, "by way of the cross-signed one")
    # A root that was renewed under its key: what either issued is verified by both.
    pki.ca("root1", subject="/O=Test/CN=root")
    pki.ca("root2", subject="/O=Test/CN=root", key=pki.path("root1", "key"))
    pki.client("under1", "root1")
    root1, root2 = upload(server, pki, "root1"), upload(server, pki, "root2")
    add(server, root1, host="b.example.com")
    add(server, root2, host="b.example.com")
    equal(verify(server, pki.path("under1"), host="b.example.com")["ca_id"], root2, "the first in order")
    remove(server, root2, host="b.example.com")
    equal(verify(server, pki.path("under1"), host="b.example.com")["ca_id"], root1, "the other one")


def three(pki):
    """Two CAs below each other and one apart, with a client of each."""
    pki.ca("root")
    pki.ca("sub", "root")
    pki.ca("other")
    for name in ("root", "sub", "other"):
        pki.client("by-" + name, name)
    return ("root", "sub", "other")


def verdicts(server, pki, names, host):
    return tuple(verify(server, pki.path("by-" + name), host=host)["verified"] for name in names)


def takes_away_only(seen):
    """Without one of its CAs that could have decided, a host verifies nobody more."""
    for roles, now in seen.items():
        for i, role in enumerate(roles):
            less = seen[roles[:i] + ("no",) + roles[i + 1:]]
            check(role == "helper" or all(a or not b for a, b in zip(now, less)),
                  "%s verifies %s, without %s %s" % (roles, now, role, less))


def test_observed_cas_never_add_trust(case):
    server, pki = start(case)
    names = three(pki)
    ids = [upload(server, pki, name) for name in names]
    seen = {}
    for roles in itertools.product(("no", "decides", "observed"), repeat=3):
        host = "-".join(roles) + ".example.com"
        for ca, role in zip(ids, roles):
            if role != "no":
                add(server, ca, *(("--observe",) if role == "observed" else ()), host=host)
        seen[roles] = verdicts(server, pki, names, host)
        equal(seen[roles], tuple(role == "decides" for role in roles), str(roles))
    takes_away_only(seen)


def test_helpers_only_complete_paths(case):
    """A helper verifies only who has a path over it to a CA that decides."""
    server, pki = start(case)
    names = three(pki)
    seen = {}
    for n, helper in enumerate(itertools.product((False, True), repeat=3)):
        zone = "z%d.test" % n
        server.json("account", "create", "--name", "a%d" % n)
        server.json("zone", "create", "--account", "a%d" % n, "--name", zone)
        ids = [server.json("ca", "upload", "--account", "a%d" % n, "--name", name, *(("--helper",) if h else ()),
                           pki.path(name))["id"] for name, h in zip(names, helper)]
        for there in itertools.product((False, True), repeat=3):
            roles = tuple("no" if not t else "helper" if h else "decides" for t, h in zip(there, helper))
            if roles in seen:
                continue
            host = "-".join(roles) + "." + zone
            for ca, t in zip(ids, there):
                if t:
                    server.json("host", "add", "--zone", zone, "--ca", ca, host)
            seen[roles] = verdicts(server, pki, names, host)
            root, sub, other = (role == "decides" for role in roles)
            equal(seen[roles], (root, sub or (root and roles[1] == "helper"), other), str(roles))
    equal(len(seen), 27, "combinations")
    takes_away_only(seen)


# --- the last valid CA of a host ------------------------------------------------------------------------------

def error_of(result):
    """The error as JSON: the last line on stderr."""
    return json.loads(result.err.strip().splitlines()[-1])["error"]


def test_last_valid_ca_is_guarded(case):
    server, pki = start(case)
    pki.ca("a")
    pki.ca("b")
    pki.ca("short", days=1)
    a, b = upload(server, pki, "a"), upload(server, pki, "b")
    hosts = ["h%02d.example.com" % n for n in range(30)]
    server.json("host", "set", "--zone", "example.com", "--ca", a, *hosts)
    add(server, b, host=hosts[0])
    before = server.json("query", "trust", *hosts)
    zone = ("--zone", "example.com", "--ca", a)
    for command in (("host", "remove", *zone, *hosts), ("host", "set", *zone, hosts[0]),
                    ("ca", "delete", "--detach", a), ("host", "add", *zone, "--observe", *hosts)):
        for dry in ((), ("--dry-run",)):
            error = error_of(server.ctl(*command, *dry, json_out=True).expect(1, "29 hosts would be left without a valid CA"))
            equal(error["reason"], "LAST_CA", str(command))
            named = [d["host"] for d in error["details"] if d["type"] == "in_use"]
            equal((len(named), set(named) <= set(hosts[1:])), (20, True), "hosts named for %s" % (command,))
    after = server.json("query", "trust", *hosts)
    equal(after, before, "trust after refusals")
    remove(server, a, host=hosts[0])  # it has another one
    server.json("host", "remove", *zone, "--force", hosts[1])
    equal(trust(server, hosts[1]), [], "forced")
    # A CA that is only observed, or helps, is none that the host could do with.
    add(server, b, "--observe", host=hosts[2])
    server.ctl("host", "remove", *zone, hosts[2]).expect(1, hosts[2])
    add(server, b, "--decide", host=hosts[2])
    remove(server, a, host=hosts[2])
    server.json("ca", "delete", "--detach", "--force", a)
    equal({h["host"] for h in server.json("host", "list", "--zone", "example.com", "--all")}, {hosts[0], hosts[2]}, "hosts left")
    server.json("host", "set", "--zone", "example.com", "--ca", b)  # an empty list says what it means
    equal(server.json("host", "list", "--zone", "example.com", "--all"), [], "hosts after the list was cleared")


# --- what would it come to? -----------------------------------------------------------------------------------

def test_dry_run_of_every_mutation(case):
    """Each says what it would come to, and leaves revision, rows and quota as they were."""
    server, pki = start(case)
    pki.ca("a")
    pki.ca("b")
    a = upload(server, pki, "a")
    add(server, a)
    rules = os.path.join(case.folder, "rules.json")
    with open(rules, "w", encoding="utf-8") as text:
        text.write('[{"expression": "true", "action": "log"}]')
    server.json("rule", "put", "--zone", "example.com", rules)
    server.json("account", "create", "--name", "empty")
    server.json("zone", "create", "--account", "empty", "--name", "example.org")
    server.json("account", "create", "--name", "bare")
    revision = server.json("query", "trust", HOST)[0]["revision"]
    quota = server.json("quota", "show", "--account", "acme")
    mutations = (
        ("account", "create", "--name", "new"), ("account", "delete", "bare"),
        ("zone", "create", "--account", "acme", "--name", "example.net"), ("zone", "delete", "example.org"),
        ("ca", "upload", "--account", "acme", "--name", "b", pki.path("b")),
        ("ca", "import", "--account", "acme", pki.path("b")), ("ca", "delete", "--detach", "--force", a),
        ("host", "set", "--zone", "example.com", "--ca", a, "--force", "x.example.com"),
        ("host", "add", "--zone", "example.com", "--ca", a, "x.example.com"),
        ("host", "remove", "--zone", "example.com", "--ca", a, "--force", HOST),
        ("rule", "put", "--zone", "example.com", rules), ("rule", "delete", "--zone", "example.com"),
        ("quota", "set", "--account", "acme", "--limit", "7"))
    seen = {}
    for command in mutations:
        seen[command[:2]] = server.json(*command, "--dry-run")["effect"]
        contains(server.ctl(*command, "--dry-run").expect(0).out, "nothing was kept", str(command))
    equal(server.json("query", "trust", HOST)[0]["revision"], revision, "revision")
    equal(server.json("quota", "show", "--account", "acme"), quota, "quota")
    equal([z["name"] for z in server.json("zone", "list")], ["example.com", "example.org"], "zones")
    pool = lambda effect: [(q["pool"], q["used_before"], q["used_after"], q["limit_before"], q["limit_after"])
                           for q in effect["quotas"]]
    equal(pool(seen["ca", "upload"]), [("mtls_ca", 1, 2, 50, 50)], "quota of an upload")
    equal(pool(seen["ca", "import"]), [("mtls_ca", 1, 2, 50, 50)], "quota of an import")
    equal(pool(seen["ca", "delete"]), [("mtls_ca", 1, 0, 50, 50)], "quota of a deletion")
    equal(pool(seen["quota", "set"]), [("mtls_ca", 1, 1, 50, 7)], "quota of a limit")
    total = lambda effect: (effect["hosts_total"], effect["hosts_losing"], effect["hosts_gaining"])
    equal(total(seen["host", "set"]), (2, 1, 1), "hosts of set")
    equal(total(seen["host", "add"]), (1, 0, 1), "hosts of add")
    equal(total(seen["host", "remove"]), (1, 1, 0), "hosts of remove")
    equal(total(seen["ca", "delete"]), (1, 1, 0), "hosts of a deletion")
    equal(total(seen["rule", "put"]), (0, 0, 0), "hosts of rules")
    server.json(*mutations[4])
    equal(server.json("quota", "show", "--account", "acme")["pools"][0]["used"], 2, "what is no dry run is done")


def test_dry_run_tells_the_difference_of_trust(case):
    server, pki = start(case)
    pki.ca("a")
    pki.ca("b")
    a, b = upload(server, pki, "a"), upload(server, pki, "b")
    add(server, a)
    dry = lambda *args: add(server, b, "--dry-run", *args)["effect"]
    one = dry("--priority", "3")["hosts"][0]
    equal((one["host"], one["gained"], one["lost"]), (HOST, [{"id": b, "role": "decides", "priority": 3}], []), "another CA")
    equal((one["verifies_before"], one["verifies_after"]), (True, True), "a host that has one")
    add(server, b)
    equal([c["id"] for c in trust(server)], [b, a], "order")
    one = dry("--observe")["hosts"][0]
    equal([(c["id"], c["role"]) for c in one["gained"] + one["lost"]], [(b, "observed"), (b, "decides")], "another role")
    effect = add(server, a, "--dry-run", "--priority", "1")["effect"]["hosts"][0]
    equal((effect["reordered"], effect["gained"], effect["lost"]), (True, [], []), "another order")
    equal(dry("--priority", "1")["hosts"], [], "a priority that changes nothing")
    many = ["m%02d.example.com" % n for n in range(30)]
    effect = server.json("host", "add", "--zone", "example.com", "--ca", a, "--dry-run", *many)["effect"]
    equal((len(effect["hosts"]), effect["hosts_total"], effect["hosts_gaining"]), (20, 30, 30), "many hosts")
    # A dry run under a key is no outcome of that key.
    key = ("--idempotency-key", "once")
    add(server, a, *key, "--dry-run", host="k.example.com")
    equal(add(server, a, *key, host="k.example.com")["added"], 1, "after the dry run")
    server.ctl("host", "add", "--zone", "example.com", "--ca", a, *key, "--dry-run", "k.example.com").expect(1, "used before")


# --- what ends soon -------------------------------------------------------------------------------------------

def test_expiring(case):
    server, pki = start(case)
    server.json("account", "create", "--name", "other")
    ids = {}
    for name, days in (("year", 365), ("week", 7), ("month", 31), ("gone", 400), ("soon", 2)):
        pki.ca(name, days=days)
        if name != "gone":
            ids[name] = upload(server, pki, name)
    pki.client("leaf", "year", days=20)
    ids["leaf"] = server.json("ca", "upload", "--account", "other", "--name", "leaf", "--leaf", "--product", "workers",
                              "--key", pki.key("leaf"), pki.path("leaf"))["id"]
    server.json("host", "set", "--zone", "example.com", "--ca", ids["week"], "a.example.com", "b.example.com")
    listed = lambda *args: server.json("expiring", *args)
    names = lambda *args: [e["name"] for e in listed(*args)]
    equal(names("--within", "30d"), ["soon", "week", "leaf"], "within 30 days")
    equal(names(), ["soon", "week", "leaf"], "by default")
    equal(names("--within", "60d"), ["soon", "week", "leaf", "month"], "within 60 days")
    equal(names("--within", "1w"), ["soon", "week"], "within a week")
    equal(names("--within", "12h"), [], "within 12 hours")
    equal(names("--within", "30d", "--account", "acme"), ["soon", "week"], "of an account")
    equal(names("--within", "30d", "--account", "other"), ["leaf"], "of another account")
    equal(server.json("expiring", "list", "--within", "1w"), listed("--within", "1w"), "with its verb")
    rows = {e["name"]: e for e in listed("--within", "30d")}
    equal((rows["week"]["hosts"], rows["soon"]["hosts"], rows["leaf"]["kind"], rows["week"]["kind"]), (2, 0, "leaf", "ca"), "facts")
    equal((rows["week"]["id"], rows["week"]["expired"]), (ids["week"], False), "facts")
    contains(server.ctl("expiring", "--within", "30d").expect(0).out, "week", "the table")
    server.json("ca", "delete", ids["soon"])
    equal(names("--within", "1w"), ["week"], "when one is gone")
    for bad in ("30", "d", "-1d", "3y", ""):
        server.ctl("expiring", "--within=" + bad).expect(2, "span")
    server.ctl("expiring", "--account", "nobody").expect(1, "nobody")


def test_lists_and_client_certificates_end_too(case):
    server, pki = start(case)
    pki.ca("root")
    root = upload(server, pki, "root")
    server.json("host", "set", "--zone", "example.com", "--ca", root, "a.example.com")
    server.ctl("crl", "add", "--ca", root, pki.crl("list", "root", expires=3 * 86400)).expect(0)
    pki.openssl("req", "-new", "-key", pki.key("anna"), "-subj", "/CN=anna", "-out", pki.path("anna", "csr"))
    issue = ("client-cert", "issue", "--zone", "example.com", "--csr", pki.path("anna", "csr"))
    kept, revoked = server.json(*issue, "--days", "10"), server.json(*issue, "--days", "11")
    server.json("client-cert", "revoke", "--zone", "example.com", revoked["id"])
    rows = server.json("expiring", "--within", "30d")
    equal([(r["kind"], r["hosts"]) for r in rows], [("crl", 1), ("client-cert", 0)], "what ends")
    equal(rows[1]["id"], kept["id"], "the one that is not revoked")


if __name__ == "__main__":
    harness.main(globals())
