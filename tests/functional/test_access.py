"""Access CAs: a space of their own, whose CAs vouch for nobody outside of it, and the other way round."""
import concurrent.futures
import hashlib
import json
import os
import ssl

import harness
from harness import check, contains, equal

STRANGER = "00000000-0000-4000-8000-000000000000"


def start(case):
    server, pki = case.server(), case.pki()
    server.json("account", "create", "--name", "acme")
    server.json("zone", "create", "--account", "acme", "--name", "example.com")
    pki.ca("root")
    return server, pki


def add(server, path, *hosts, name="a"):
    return server.json("access", "add", "--account", "acme", "--name", name, path, *hosts)


def trusted(server, host, *args):
    answer = server.json("query", "trust", host, *args)[0]
    return [ca["id"] for ca in answer["cas"]]


def verified(server, host, path, *args):
    result = server.ctl("query", "verify", "--host", host, path, *args, json_out=True)
    check(result.code in (0, 1), result.err)
    return result.json["verified"]


ACCESS = ("--product", "access")


def test_create_update_delete(case):
    server, pki = start(case)
    ca = add(server, pki.path("root"), "A.example.com", "*.t.example.com", "a.example.com")
    equal((ca["associated_hostnames"], ca["added"]), (["A.example.com", "*.t.example.com"], 2))
    with open(pki.path("root"), encoding="utf-8") as text:
        md5 = hashlib.md5(ssl.PEM_cert_to_DER_cert(text.read())).hexdigest().upper()
    equal(ca["fingerprint"], "MD5 Fingerprint=" + ":".join(md5[i:i + 2] for i in range(0, 32, 2)))
    check("BEGIN" not in json.dumps(ca), "the certificate is not returned")
    equal(server.json("access", "get", ca["id"])["associated_hostnames"], ca["associated_hostnames"])
    change = server.json("access", "update", ca["id"], "b.example.com", "A.example.com", "--name", "b")
    equal((change["associated_hostnames"], change["name"], change["added"], change["removed"]),
          (["b.example.com", "A.example.com"], "b", 1, 1))
    same = server.json("access", "update", ca["id"], "b.example.com", "A.example.com")
    equal((same["revision"], same["name"]), (change["revision"], "b"), "nothing changed")
    stale = server.ctl("access", "update", ca["id"], "--expect", ca["revision"], json_out=True)
    contains(stale.expect(1).err, "somebody else changed it")
    refused = server.ctl("access", "delete", ca["id"], json_out=True).expect(1)
    contains(refused.err, "12134", "error")
    contains(refused.err, "certificate has active associations", "error")
    equal(server.json("access", "update", ca["id"])["associated_hostnames"], [], "no hosts clear the list")
    equal(server.json("access", "delete", ca["id"])["id"], ca["id"])
    contains(server.ctl("access", "get", ca["id"], json_out=True).expect(1).err, "12135", "error")
    server.ctl("server", "check").expect(0)


def test_dry_runs_keep_nothing(case):
    server, pki = start(case)
    before = server.json("server", "status")["truth_revision"]
    dry = server.json("access", "add", "--account", "acme", "--name", "a", pki.path("root"), "a.example.com", "--dry-run")
    equal((dry["dry_run"], dry["quota"]["used"]), (True, 1))
    equal(server.json("server", "status")["truth_revision"], before)
    ca = add(server, pki.path("root"), "a.example.com")
    before = server.json("server", "status")["truth_revision"]
    equal(server.json("access", "update", ca["id"], "b.example.com", "--dry-run")["removed"], 1)
    equal(server.json("access", "delete", ca["id"], "--detach", "--dry-run")["removed"], 1)
    equal(server.json("server", "status")["truth_revision"], before)
    equal(trusted(server, "a.example.com", *ACCESS), [ca["id"]])


def test_the_two_spaces_never_meet(case):
    server, pki = start(case)
    pki.ca("shared")
    pki.client("by_access", "root")
    pki.client("by_shared", "shared")
    access = add(server, pki.path("root"), "api.example.com", "*.w.example.com", "only.example.com")
    shared = server.json("ca", "upload", "--account", "acme", "--name", "s", pki.path("shared"))["id"]
    server.json("host", "set", "--zone", "example.com", "--ca", shared, "api.example.com", "*.v.example.com")
    equal((trusted(server, "api.example.com"), trusted(server, "api.example.com", *ACCESS)), ([shared], [access["id"]]))
    equal((trusted(server, "x.w.example.com"), trusted(server, "x.w.example.com", *ACCESS)), ([], [access["id"]]))
    equal((trusted(server, "x.v.example.com"), trusted(server, "x.v.example.com", *ACCESS)), ([shared], []))
    equal((trusted(server, "only.example.com"), trusted(server, "only.example.com", *ACCESS)), ([], [access["id"]]))
    equal(trusted(server, "api.example.com", "--product", "workers"), [shared], "the shared pool")
    for _ in range(2):  # again from the cache
        equal(verified(server, "api.example.com", pki.path("by_shared")), True)
        equal(verified(server, "api.example.com", pki.path("by_access")), False)
        equal(verified(server, "api.example.com", pki.path("by_access"), *ACCESS), True)
        equal(verified(server, "api.example.com", pki.path("by_shared"), *ACCESS), False)
        equal(verified(server, "only.example.com", pki.path("by_access")), False)
    # Neither is the other's to manage.
    server.ctl("host", "add", "--zone", "example.com", "--ca", access["id"], "x.example.com").expect(1, "kept apart")
    server.ctl("access", "get", shared).expect(1, "no Access certificate")
    server.ctl("access", "delete", shared).expect(1, "no Access certificate")
    server.ctl("access", "update", shared, "x.example.com").expect(1, "no Access certificate")
    equal([c["id"] for c in server.json("ca", "list", "--account", "acme")], [shared], "ca list")
    equal([c["id"] for c in server.json("access", "list", "--account", "acme")], [access["id"]], "access list")
    # The same certificate may stand in both.
    server.json("ca", "upload", "--account", "acme", "--name", "twice", pki.path("root"))
    server.ctl("server", "check").expect(0)
    for image in (True, False):
        server.stop()
        if not image:
            os.unlink(os.path.join(server.data, "anchord.image"))
        server.start()
        equal((trusted(server, "api.example.com"), trusted(server, "api.example.com", *ACCESS)), ([shared], [access["id"]]))
        server.ctl("server", "check").expect(0)


def test_an_upload_for_access_is_an_access_ca(case):
    server, pki = start(case)
    ident = server.json("ca", "upload", "--account", "acme", "--name", "a", "--product", "access", pki.path("root"))["id"]
    equal([c["id"] for c in server.json("access", "list", "--account", "acme")], [ident])
    equal(server.json("ca", "list", "--account", "acme"), [])
    server.json("access", "update", ident, "a.example.com")
    equal(trusted(server, "a.example.com", *ACCESS), [ident])
    contains(server.ctl("ca", "delete", ident, json_out=True).expect(1).err, "12134", "a CA with hosts")
    equal(server.json("ca", "associations", ident)[0]["service"], "access")
    equal(server.json("ca", "delete", "--detach", ident)["detached"], 1)
    equal(trusted(server, "a.example.com", *ACCESS), [])
    server.ctl("server", "check").expect(0)
    server.ctl("quota", "audit").expect(0)


def test_quota_is_its_own(case):
    server, pki = start(case)
    for n in range(7):
        pki.ca("c%d" % n)
    server.json("quota", "set", "--account", "acme", "--pool", "access", "--limit", "3")
    server.json("quota", "set", "--account", "acme", "--limit", "1")
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda n: server.ctl("access", "add", "--account", "acme", "--name", "x",
                                                     pki.path("c%d" % n), json_out=True), range(6)))
    equal(sorted(r.code for r in results), [0, 0, 0, 1, 1, 1], "three places")
    for r in results:
        if r.code:
            contains(r.err, "12130", "error")
            contains(r.err, "maximum number of certificates has been reached", "error")
    server.json("ca", "upload", "--account", "acme", "--name", "s", pki.path("c6"))
    pools = {p["pool"]: (p["used"], p["limit"]) for p in server.json("quota", "show", "--account", "acme")["pools"]}
    equal(pools, {"access": (3, 3), "mtls_ca": (1, 1)})
    rows = server.json("access", "list", "--account", "acme")
    contains(server.ctl("access", "add", "--account", "acme", "--name", "x", pki.path("c6"), json_out=True).expect(1).err, "12130")
    server.json("access", "delete", rows[0]["id"])
    kept = [int(n) for n in range(6) if results[n].code == 0 and results[n].json["id"] != rows[0]["id"]][0]
    contains(server.ctl("access", "add", "--account", "acme", "--name", "x", pki.path("c%d" % kept), json_out=True).expect(1).err,
             "12131", "a duplicate")
    add(server, pki.path("c6"))
    audit = server.ctl("quota", "audit", json_out=True).expect(0)
    contains(audit.out, "access", "the audit covers Access")


def test_default_quota_is_fifty(case):
    server, _ = start(case)
    pools = {p["pool"]: p["limit"] for p in server.json("quota", "show", "--account", "acme")["pools"]}
    equal(pools["access"], 50)


def test_hosts_lie_in_zones_of_the_account(case):
    server, pki = start(case)
    server.json("account", "create", "--name", "other")
    server.json("zone", "create", "--account", "other", "--name", "other.example")
    server.json("zone", "create", "--account", "other", "--name", "eu.example.com")
    ca = add(server, pki.path("root"))
    for host, part in (("a.other.example", "does not lie in a zone of the account"),
                       ("a.nowhere.example", "does not lie in a zone of the account"),
                       ("a.eu.example.com", "does not lie in a zone of the account"),
                       ("*.example.com", "more specific zone"), ("a b.example.com", "space or control"),
                       ("192.0.2.1", "address")):
        server.ctl("access", "update", ca["id"], "ok.example.com", host).expect(1, part)
    equal(server.json("access", "get", ca["id"])["associated_hostnames"], [], "all or nothing")
    server.json("access", "update", ca["id"], "a.fr.example.com")
    server.ctl("zone", "create", "--account", "acme", "--name", "fr.example.com").expect(1, "host associations inside")
    server.ctl("zone", "delete", "example.com").expect(1, "still has 1 host associations")
    server.json("access", "update", ca["id"])
    server.json("zone", "delete", "example.com")


def test_several_cas_share_a_host(case):
    server, pki = start(case)
    pki.ca("second")
    one = add(server, pki.path("root"), "a.example.com")["id"]
    two = add(server, pki.path("second"), "a.example.com", name="two")["id"]
    equal(trusted(server, "a.example.com", *ACCESS), [two, one], "the most recent first")
    server.json("access", "update", one, "b.example.com", "a.example.com")
    equal(trusted(server, "a.example.com", *ACCESS), [two, one], "one that stays keeps its place")
    server.json("access", "delete", "--detach", two)
    equal(trusted(server, "a.example.com", *ACCESS), [one])


def test_pages(case):
    server, pki = start(case)
    names = ["p%d" % n for n in range(20)]
    for name in names:
        pki.ca(name)
        add(server, pki.path(name), name + ".example.com", name=name)
    equal([c["name"] for c in server.json("access", "list", "--account", "acme")], names[::-1], "newest first")


def test_settings(case):
    server, _ = start(case)
    path = os.path.join(case.folder, "settings.json")

    def put(value, *args):
        with open(path, "w", encoding="utf-8") as out:
            json.dump(value, out)
        return server.ctl("access", "settings-put", "--account", "acme", path, *args, json_out=True)

    def setting(host, forward=True, china=False):
        return {"hostname": host, "china_network": china, "client_certificate_forwarding": forward}

    equal(server.json("access", "settings-get", "--account", "acme"), [])
    two = [setting("B.example.com"), setting("a.example.com", False)]
    equal(put(two, "--dry-run").expect(0).json, two)
    equal(server.json("access", "settings-get", "--account", "acme"), [])
    equal(put(two).expect(0).json, two)
    equal(server.json("access", "settings-get", "--account", "acme"), two)
    before = server.json("server", "status")["truth_revision"]
    put(two).expect(0)
    equal(server.json("server", "status")["truth_revision"], before, "revision after the same settings")
    for bad, part in (([setting("a.example.com", china=True)], "china_network"),
                      ([setting("a.example.com"), setting("A.example.com")], "twice"),
                      ([setting("a.nowhere.example")], "zone of the account")):
        put(bad).expect(1, part)
    for bad in ({"settings": []}, [{"hostname": "a.example.com"}], [setting(1)], [dict(setting("a.example.com"), x=1)]):
        put(bad).expect(2)
    equal(server.json("access", "settings-get", "--account", "acme"), two, "after refusals")
    equal(put([]).expect(0).json, [])
    put(two).expect(0)
    server.json("zone", "delete", "example.com")
    server.json("account", "delete", "acme")
    server.ctl("server", "check").expect(0)


def test_tokens_reach_their_own_hosts(case):
    server, pki = start(case)
    server.json("zone", "create", "--account", "acme", "--name", "example.net")
    ca = add(server, pki.path("root"), "a.example.com", "a.example.net")

    def token(permission, *args):
        return server.json("token", "create", "--account", "acme", "--permission", permission, *args)["value"]

    def call(secret, *args):
        return server.ctl(*args, json_out=True, env={"ANCHORD_TOKEN": secret})

    read = token("Access: Mutual TLS Certificates Read")
    equal(call(read, "access", "get", ca["id"]).expect(0).json["id"], ca["id"])
    call(read, "access", "update", ca["id"]).expect(1, "does not permit")
    call(read, "origin-trust", "list", "--zone", "example.com").expect(1, "does not permit")
    write = token("Access: Mutual TLS Certificates Write", "--zone", "example.com")
    call(write, "access", "update", ca["id"], "a.example.com", "b.example.net").expect(1, "does not lie in a zone")
    call(write, "access", "update", ca["id"], "a.example.com").expect(1, "does not reach")
    equal(trusted(server, "a.example.net", *ACCESS), [ca["id"]], "the host that it may not touch")
    server.json("account", "create", "--name", "other")
    stranger = server.json("token", "create", "--account", "other", "--permission", "all")["value"]
    for command in (("get", ca["id"]), ("update", ca["id"]), ("delete", "--detach", ca["id"])):
        contains(call(stranger, "access", *command).expect(1).err, "12135", "somebody else's")


def test_unknown_ids(case):
    server, _ = start(case)
    for command in (("get", STRANGER), ("update", STRANGER), ("delete", STRANGER)):
        contains(server.ctl("access", *command, json_out=True).expect(1).err, "12135", "error")
    server.ctl("access", "get", "x").expect(1, "UUID")


if __name__ == "__main__":
    harness.main(globals())
