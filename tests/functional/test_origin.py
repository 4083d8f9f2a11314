"""Origins: the custom origin trust store of a zone, and VerifyOrigin by it or by the public roots of the system."""
import concurrent.futures
import os
import shutil
import time

import harness
from harness import check, contains, equal

STRANGER = "00000000-0000-4000-8000-000000000000"


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


DAY = 86400


def leaf(pki, name, issuer, san="DNS:origin.example.com", subject=None, eku="serverAuth", **more):
    ext = ["basicConstraints=CA:FALSE", "keyUsage=critical,digitalSignature", "subjectKeyIdentifier=hash",
           "authorityKeyIdentifier=keyid", "extendedKeyUsage=" + eku]
    if san:
        ext.append("subjectAltName=" + san)
    return pki.issue(name, subject or "/O=Test/CN=" + name, ext, issuer, **more)


def start(case, roots=None):
    """A server whose public roots are a file of the test's own."""
    pki = case.pki()
    path = os.path.join(case.folder, "roots.crt")
    if roots:
        pki.ca("public")
        shutil.copy(pki.path("public"), path)
    server = case.server(config="origin:\n  public_roots: %s\n" % path)
    server.json("account", "create", "--name", "acme")
    server.json("zone", "create", "--account", "acme", "--name", "example.com", "--acm")
    server.json("zone", "create", "--account", "acme", "--name", "plain.example")
    return server, pki, path


def add(server, path, *args):
    return server.json("origin-trust", "add", "--zone", "example.com", path, *args)


def origin(server, path, *args, zone="example.com", host="origin.example.com"):
    result = server.ctl("query", "origin", "--zone", zone, "--host", host, path, *args, json_out=True)
    check(result.code in (0, 1), "exit %d: %s" % (result.code, result.err))
    equal(result.code == 0, result.json["verified"], "exit code")
    return result.json


def verdict(server, path, *args, **more):
    answer = origin(server, path, *args, **more)
    return True if answer["verified"] else answer["error"]


# --- the store ------------------------------------------------------------------------------------------------

def test_entries_come_and_go(case):
    server, pki, _ = start(case)
    text = open(pki.ca("one"), encoding="utf-8").read()
    pki.ca("two", kind="RSA-2048")
    one = add(server, pki.path("one"))
    equal((one["status"], one["certificate"], one["entries"], one["findings"]), ("active", text, 1, []))
    equal((one["fingerprint_sha256"], one["signature"]), (pki.sha256("one"), "ECDSAWithSHA256"))
    dry = add(server, pki.path("two"), "--dry-run")
    equal((dry["dry_run"], dry["entries"]), (True, 2))
    two = add(server, pki.path("two"))
    rows = server.json("origin-trust", "list", "--zone", "example.com")
    equal([r["id"] for r in rows], [two["id"], one["id"]], "newest first")
    equal(server.json("origin-trust", "get", "--zone", "example.com", one["id"])["expires_on"], one["expires_on"])
    gone = server.json("origin-trust", "delete", "--zone", "example.com", one["id"], "--dry-run")
    equal((gone["dry_run"], gone["entries"]), (True, 1))
    gone = server.json("origin-trust", "delete", "--zone", "example.com", one["id"])
    equal((gone["id"], gone["entries"]), (one["id"], 1))
    server.ctl("origin-trust", "get", "--zone", "example.com", one["id"]).expect(1, "no entry")
    server.ctl("origin-trust", "delete", "--zone", "example.com", STRANGER).expect(1, "no entry")
    again = add(server, pki.path("one"))
    check(again["id"] != one["id"], "a new entry has a new id")
    server.ctl("server", "check").expect(0)


def test_status_is_of_the_time_asked_about(case):
    server, pki, _ = start(case)
    pki.ca("short", days=2)
    entry = add(server, pki.path("short"))
    late = server.json("origin-trust", "list", "--zone", "example.com", "--time", stamp(3 * DAY))
    equal([r["status"] for r in late], ["expired"])
    equal(server.json("origin-trust", "get", "--zone", "example.com", entry["id"], "--time", stamp(3 * DAY))["status"],
          "expired")
    equal(server.json("origin-trust", "get", "--zone", "example.com", entry["id"])["status"], "active")


def test_what_is_no_root_is_refused(case):
    server, pki, _ = start(case)
    pki.ca("root")
    pki.ca("sub", "root")
    leaf(pki, "leaf", "root")
    pki.ca("weak", kind="RSA-1024")
    pki.join("both", "root", "sub")
    for name, code, part in (("sub", 1411, "Only a root is allowed"), ("leaf", 1411, "Only a root is allowed"),
                             ("both", None, "exactly one root"), ("weak", None, "2048")):
        result = server.ctl("origin-trust", "add", "--zone", "example.com", pki.path(name), json_out=True).expect(1, part)
        check((str(1411) in result.err) == (code == 1411), "%s: %s" % (name, result.err))
    add(server, pki.path("root"))
    contains(server.ctl("origin-trust", "add", "--zone", "example.com", pki.path("root"), json_out=True).expect(1).err, "1220")
    server.ctl("origin-trust", "add", "--zone", "example.com", os.devnull).expect(2)
    server.ctl("origin-trust", "add", "--zone", "example.com", pki.path("nothing")).expect(2)
    equal(len(server.json("origin-trust", "list", "--zone", "example.com")), 1)


def test_a_zone_needs_the_entitlement(case):
    server, pki, _ = start(case)
    pki.ca("root")
    for command in (("add", pki.path("root")), ("list",), ("get", STRANGER), ("delete", STRANGER)):
        result = server.ctl("origin-trust", command[0], "--zone", "plain.example", *command[1:], json_out=True)
        contains(result.expect(1).err, "1450", "error of " + command[0])
    server.ctl("origin-trust", "list", "--zone", "nowhere.example").expect(1, "no zone")


def test_tokens(case):
    server, pki, _ = start(case)
    pki.ca("root")
    read = server.json("token", "create", "--account", "acme", "--permission", "SSL and Certificates Read")["value"]
    write = server.json("token", "create", "--account", "acme", "--permission", "SSL and Certificates Write")["value"]
    command = ("origin-trust", "add", "--zone", "example.com", pki.path("root"))
    server.ctl(*command, env={"ANCHORD_TOKEN": read}).expect(1, "does not permit")
    server.ctl(*command, env={"ANCHORD_TOKEN": write}).expect(0)
    rows = server.ctl("origin-trust", "list", "--zone", "example.com", json_out=True, env={"ANCHORD_TOKEN": read}).expect(0).json
    equal(len(rows), 1)


def test_an_entry_is_known_in_its_zone_only(case):
    server, pki, _ = start(case)
    pki.ca("root")
    server.json("zone", "create", "--account", "acme", "--name", "other.example", "--acm")
    entry = add(server, pki.path("root"))
    server.ctl("origin-trust", "get", "--zone", "other.example", entry["id"]).expect(1, "no entry")
    server.ctl("origin-trust", "delete", "--zone", "other.example", entry["id"]).expect(1, "no entry")
    server.json("origin-trust", "add", "--zone", "other.example", pki.path("root"))


def test_a_long_list_comes_in_pages(case):
    server, pki, _ = start(case)
    ids = []
    for n in range(20):  # 60 KB of text each: more than one message holds
        path = pki.ca("c%d" % n)
        with open(path, "a", encoding="utf-8") as text:
            text.write("# a remark\n" * 5400)
        ids.append(add(server, path)["id"])
    equal([r["id"] for r in server.json("origin-trust", "list", "--zone", "example.com")], ids[::-1], "newest first")


def test_a_store_has_a_bound(case):
    server, pki, _ = start(case)
    key = pki.key("shared")
    for n in range(101):
        pki.ca("c%d" % n, key=key)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda n: server.ctl("origin-trust", "add", "--zone", "example.com", pki.path("c%d" % n)).code,
                              range(101)))
    equal((codes.count(0), codes.count(1)), (100, 1), "100 entries and a refusal")
    server.ctl("server", "check").expect(0)


# --- verdicts -------------------------------------------------------------------------------------------------

def test_the_store_replaces_the_public_roots(case):
    server, pki, _ = start(case, roots=True)
    pki.ca("own")
    leaf(pki, "by_public", "public")
    leaf(pki, "by_own", "own")
    answer = origin(server, pki.path("by_public"))
    equal((answer["verified"], answer["store"], answer["cas"], answer["ca_id"], answer["ca_sha256"]),
          (True, "public", 1, None, pki.sha256("public")))
    check(verdict(server, pki.path("by_own")) is not True, "a private CA without an entry")
    entry = add(server, pki.path("own"))
    for _ in range(2):  # the second time from the cache
        answer = origin(server, pki.path("by_own"))
        equal((answer["verified"], answer["store"], answer["ca_id"], answer["ca_sha256"]),
              (True, "custom", entry["id"], pki.sha256("own")))
        check(verdict(server, pki.path("by_public")) is not True, "a public CA beside an entry")
    equal(answer["cached"], True, "cached")
    equal(verdict(server, pki.path("by_public"), zone="plain.example"), True, "another zone")
    server.json("origin-trust", "delete", "--zone", "example.com", entry["id"])
    equal(verdict(server, pki.path("by_public")), True, "without entries")
    check(verdict(server, pki.path("by_own")) is not True, "after the entry is gone")


def test_expired_entries_do_not_let_public_roots_back(case):
    server, pki, _ = start(case, roots=True)
    pki.ca("short", days=2)
    pki.ca("long", days=20)
    leaf(pki, "by_public", "public", days=100)
    leaf(pki, "by_long", "long", days=10)
    add(server, pki.path("short"))
    late = ("--time", stamp(5 * DAY))
    answer = origin(server, pki.path("by_public"), *late)
    equal((answer["verified"], answer["error"], answer["store"]), (False, "ACD_V_ERR_ORIGIN_STORE_EXPIRED", "custom"))
    contains(answer["reason"], "expired", "reason")
    add(server, pki.path("long"))
    equal(verdict(server, pki.path("by_long"), *late), True, "one entry is in date")
    why = origin(server, pki.path("by_long"), "--explain", *late)
    contains(" ".join(why["explain"]), "1 of them have expired", "explanation")


def test_explain_says_which_store_and_why(case):
    server, pki, path = start(case, roots=True)
    pki.ca("own")
    leaf(pki, "by_public", "public")
    why = origin(server, pki.path("by_public"), "--explain")
    contains(" ".join(why["explain"]), "no custom origin trust store: the public roots of " + path, "explanation")
    check(any(s["check"] == "signature" and s["ok"] for s in why["steps"]), "no step: %s" % why["steps"])
    add(server, pki.path("own"))
    why = origin(server, pki.path("by_public"), "--explain")
    contains(" ".join(why["explain"]), "only they count, public roots do not", "explanation")
    check(any(not s["ok"] for s in why["steps"]), "no step failed")
    text = server.ctl("query", "origin", "--zone", "example.com", "--host", "origin.example.com", "--explain",
                      pki.path("by_public")).expect(1)
    contains(text.out, "only they count", "human form")


def test_kinds_of_keys(case):
    server, pki, _ = start(case)
    for kind in ("RSA-2048", "P-256", "P-384"):
        pki.ca("ca" + kind, kind=kind)
        leaf(pki, "leaf" + kind, "ca" + kind, kind=kind)
        add(server, pki.path("ca" + kind))
    for kind in ("RSA-2048", "P-256", "P-384"):
        equal(verdict(server, pki.path("leaf" + kind)), True, kind)


def test_names(case):
    server, pki, _ = start(case)
    pki.ca("root")
    add(server, pki.path("root"))
    leaf(pki, "exact", "root", "DNS:Origin.example.com,DNS:xn--bcher-kva.example")
    leaf(pki, "wild", "root", "DNS:*.example.com")
    leaf(pki, "inner", "root", "DNS:o*.example.com")
    leaf(pki, "ip", "root", "IP:192.0.2.7,IP:2001:db8::7")
    leaf(pki, "ip_as_name", "root", "DNS:192.0.2.7")
    leaf(pki, "cn_only", "root", None, subject="/CN=origin.example.com")
    leaf(pki, "cn_beside", "root", "DNS:other.example.com", subject="/CN=origin.example.com")
    wrong = "X509_V_ERR_HOSTNAME_MISMATCH"
    for name, host, want in (
            ("exact", "origin.example.com", True), ("exact", "ORIGIN.Example.COM.", True),
            ("exact", "b\u00fccher.example", True), ("exact", "XN--BCHER-KVA.example", True),
            ("exact", "www.example.com", wrong),
            ("wild", "origin.example.com", True), ("wild", "example.com", wrong), ("wild", "a.b.example.com", wrong),
            ("inner", "origin.example.com", "ACD_V_ERR_SAN_SYNTAX"),
            ("ip", "192.0.2.7", True), ("ip", "2001:DB8:0:0::7", True),
            ("ip", "192.0.2.8", "X509_V_ERR_IP_ADDRESS_MISMATCH"), ("ip", "::ffff:192.0.2.7", "X509_V_ERR_IP_ADDRESS_MISMATCH"),
            ("ip_as_name", "192.0.2.7", "X509_V_ERR_IP_ADDRESS_MISMATCH"),
            ("cn_only", "origin.example.com", wrong), ("cn_beside", "origin.example.com", wrong),
            ("exact", "*.example.com", "ACD_V_ERR_INVALID_HOST"), ("exact", "a..example.com", "ACD_V_ERR_INVALID_HOST")):
        equal(verdict(server, pki.path(name), host=host), want, "%s for %s" % (name, host))
        # A verdict that is kept for one name says nothing about another.
        equal(verdict(server, pki.path(name), host=host), want, "%s for %s, again" % (name, host))


def test_mode_full_takes_any_certificate(case):
    server, pki, _ = start(case)
    pki.ca("root")
    pki.ca("foreign")
    add(server, pki.path("root"))
    leaf(pki, "good", "root", "DNS:elsewhere.example", days=10)
    leaf(pki, "stranger", "foreign")
    full = ("--mode", "full")
    equal(verdict(server, pki.path("good")), "X509_V_ERR_HOSTNAME_MISMATCH", "strict")
    equal(verdict(server, pki.path("good"), *full), True, "another name")
    equal(verdict(server, pki.path("good"), "--mode", "strict"), "X509_V_ERR_HOSTNAME_MISMATCH", "strict again")
    equal(verdict(server, pki.path("good"), *full, "--time", stamp(11 * DAY)), True, "out of date")
    equal(verdict(server, pki.path("stranger"), *full), True, "of a foreign CA")
    check(verdict(server, pki.path("stranger")) is not True, "a foreign CA in mode strict")
    said = server.json("query", "origin", "--zone", "example.com", "--host", "a.example.com", *full, "--explain",
                       pki.path("stranger"))
    contains(said["reason"], "any certificate", "reason")
    equal((said["store"], said["ca_id"]), ("none", None), "what the answer rests on")
    server.ctl("query", "origin", "--zone", "example.com", "--host", "a", "--mode", "off", pki.path("good")).expect(2)


def test_chains(case):
    server, pki, _ = start(case)
    pki.ca("root")
    pki.ca("sub", "root")
    pki.ca("fenced", "root", extra=["nameConstraints=critical,permitted;DNS:allowed.example"])
    add(server, pki.path("root"))
    leaf(pki, "leaf", "sub")
    leaf(pki, "client", "root", eku="clientAuth")
    leaf(pki, "in", "fenced", "DNS:a.allowed.example")
    leaf(pki, "out", "fenced", "DNS:origin.example.com")
    issuer = "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY"
    equal(verdict(server, pki.path("leaf")), issuer, "without its intermediate")
    equal(verdict(server, pki.join("whole", "leaf", "sub")), True, "with it")
    equal(verdict(server, pki.join("more", "leaf", "sub", "root")), True, "and the root")
    equal(verdict(server, pki.join("lost", "leaf", "root")), issuer, "a gap")
    equal(verdict(server, pki.path("client")), "X509_V_ERR_INVALID_PURPOSE", "a client's certificate")
    equal(verdict(server, pki.join("chain_in", "in", "fenced"), host="a.allowed.example"), True, "permitted")
    equal(verdict(server, pki.join("chain_out", "out", "fenced")), "X509_V_ERR_PERMITTED_VIOLATION", "not permitted")


def test_questions_that_cannot_be_put(case):
    server, pki, path = start(case)
    pki.ca("root")
    leaf(pki, "leaf", "root")
    equal(verdict(server, pki.path("leaf"), zone="nowhere.example"), "ACD_V_ERR_NO_ZONE")
    answer = origin(server, pki.path("leaf"))
    equal(answer["error"], "ACD_V_ERR_NOT_CHECKED")
    contains(answer["reason"], path, "reason")
    # The file may come later: nobody has to restart anything.
    shutil.copy(pki.path("root"), path)
    server.until(lambda: verdict(server, pki.path("leaf")) is True, "the file that came later")


def test_public_roots_follow_their_file(case):
    server, pki, path = start(case, roots=True)
    pki.ca("second")
    leaf(pki, "one", "public")
    leaf(pki, "two", "second")
    equal([verdict(server, pki.path(n)) is True for n in ("one", "two")], [True, False])
    fresh = path + ".new"
    shutil.copy(pki.path("second"), fresh)
    os.replace(fresh, path)
    server.until(lambda: verdict(server, pki.path("two")) is True, "the new root")
    check(verdict(server, pki.path("one")) is not True, "the root that is gone")
    with open(fresh, "w", encoding="utf-8") as text:
        text.write("-----BEGIN CERTIFICATE-----\nbroken\n")
    os.replace(fresh, path)
    server.until(lambda: "roots.unusable" in server.read_log(), "the broken file is reported")
    equal(verdict(server, pki.path("two")), True, "the last good roots stay")


def test_the_systems_roots_are_the_default(case):
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    if not os.path.exists(bundle):
        raise harness.Skip("no " + bundle)
    server, pki = case.server(), case.pki()
    server.json("account", "create", "--name", "acme")
    server.json("zone", "create", "--account", "acme", "--name", "example.com")
    pki.ca("root")
    leaf(pki, "leaf", "root")
    answer = origin(server, pki.path("leaf"))
    equal((answer["verified"], answer["store"]), (False, "public"))
    with open(bundle, encoding="utf-8") as text:
        equal(answer["cas"], text.read().count("BEGIN CERTIFICATE"), "number of roots")


def test_stores_outlive_a_restart(case):
    server, pki, _ = start(case, roots=True)
    pki.ca("own")
    leaf(pki, "by_own", "own")
    leaf(pki, "by_public", "public")
    entry = add(server, pki.path("own"))
    for image in (True, False):
        server.stop()
        if not image:
            os.unlink(os.path.join(server.data, "anchord.image"))  # built again from storage
        server.start()
        equal(verdict(server, pki.path("by_own")), True, "own")
        check(verdict(server, pki.path("by_public")) is not True, "public")
        server.ctl("server", "check").expect(0)
    equal(server.json("zone", "delete", "example.com")["name"], "example.com")
    server.ctl("server", "check").expect(0)
    equal(verdict(server, pki.path("by_own")), "ACD_V_ERR_NO_ZONE", "the zone is gone")
    server.json("zone", "create", "--account", "acme", "--name", "example.com", "--acm")
    equal(server.json("origin-trust", "list", "--zone", "example.com"), [], "a new zone begins without entries")
    check(entry["id"], "id")


def test_many_at_once_see_whole_stores(case):
    server, pki, _ = start(case)
    names = ["c%d" % n for n in range(6)]
    for name in names:
        pki.ca(name)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        entries = list(pool.map(lambda n: add(server, pki.path(n)), names))
    equal(sorted(e["entries"] for e in entries), [1, 2, 3, 4, 5, 6])
    equal(len(server.json("origin-trust", "list", "--zone", "example.com")), 6)
    server.ctl("server", "check").expect(0)


if __name__ == "__main__":
    harness.main(globals())
