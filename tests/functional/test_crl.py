"""Revocation lists of uploaded CAs: what is accepted, what it does to verdicts, and to whose."""
import json
import os
import time

import harness
from harness import check, contains, equal


class World:
    """An account with one zone; each CA that is trusted gets a host of its own name."""

    def __init__(self, case):
        self.server, self.pki = case.server(), case.pki()
        self.server.json("account", "create", "--name", "acme")
        self.server.json("zone", "create", "--account", "acme", "--name", "example.com")

    def trust(self, name, path=None, *args):
        ca = self.server.json("ca", "upload", "--account", "acme", "--name", name, *args, path or self.pki.path(name))["id"]
        self.server.json("host", "set", "--zone", "example.com", "--ca", ca, name + ".example.com")
        return ca

    def add(self, ca, path, code=0):
        return self.server.ctl("crl", "add", "--ca", ca, path, json_out=True).expect(code)

    def refused(self, ca, path, part):
        result = self.add(ca, path, 1)
        contains(result.err, part, "refusal")
        return result

    def ask(self, host, path, *args):
        result = self.server.ctl("query", "verify", "--host", host + ".example.com", path, *args, json_out=True)
        check(result.code in (0, 1), "exit %d: %s" % (result.code, result.err))
        return result.json

    def state(self, host, path, *args):
        answer = self.ask(host, path, *args)
        if answer["verified"]:
            return "good"
        return "revoked" if answer["revoked"] else answer["error"]


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def test_revoked_leaf_and_newer_list(case):
    w = World(case)
    pki = w.pki
    pki.ca("root")
    for name in ("good", "gone"):
        pki.client(name, "root")
    ca = w.trust("root")
    equal(w.state("root", pki.path("gone")), "good", "before any list")
    equal(w.ask("root", pki.path("gone"))["cached"], True, "kept")
    added = w.add(ca, pki.crl("one", "root", [(pki.serial("gone"), "keyCompromise")], number=1)).json
    equal((added["kind"], added["number"], added["entries"], added["revoked"]), ("complete", "1", 1, 1))
    answer = w.ask("root", pki.path("gone"), "--fields")
    equal((answer["verified"], answer["revoked"], answer["error"]), (False, True, "X509_V_ERR_CERT_REVOKED"))
    equal(answer["revoked_reason"], "keyCompromise")
    check(answer["revoked_at"] and answer["revoked_at"] < stamp(0), "date of the revocation: %r" % answer["revoked_at"])
    contains(answer["reason"], "keyCompromise")
    fields = {f["name"]: f["value"] for f in answer["fields"]}
    equal((fields["cf.tls_client_auth.cert_revoked"], fields["cf.tls_client_auth.cert_verified"]), ("true", "true"))
    equal(w.state("root", pki.path("good")), "good")
    # The rules see the same.
    rules = pki.path("rules", "json")
    with open(rules, "w", encoding="utf-8") as text:
        json.dump([{"expression": "not anchord.cert_trusted", "action": "block"}], text)
    w.server.json("rule", "put", "--zone", "example.com", rules)
    for name, code in (("gone", 1), ("good", 0)):
        w.server.ctl("query", "evaluate", "--host", "root.example.com", "--chain", pki.path(name)).expect(code)
    # A newer list without it, DER this time.
    added = w.add(ca, pki.crl("two", "root", [], number=2, issued=-1800, ends="der")).json
    equal((added["revoked"], len(added["replaced"])), (0, 1))
    equal(w.state("root", pki.path("gone")), "good", "taken off")
    equal([c["number"] for c in w.server.json("crl", "list", "--ca", ca)], ["2"])
    # Neither number nor date goes back, and the same list is there once.
    w.refused(ca, pki.path("one"), "not newer")
    w.refused(ca, pki.path("two"), "this very CRL")
    w.refused(ca, pki.crl("three", "root", [], number=3, issued=-7200), "issued before")
    w.server.ctl("server", "check").expect(0)


def test_one_ca_never_harms_another(case):
    """Verdicts of a host whose CAs have no part in a change stay in the cache, too."""
    w = World(case)
    pki = w.pki
    pki.ca("one")
    pki.ca("two")
    pki.ca("twin", subject="/O=Test/CN=one")  # the same name, another key
    leaves = {}
    for ca in ("one", "two", "twin"):
        leaves[ca] = pki.issue("leaf-" + ca, "/CN=x", [
            "basicConstraints=CA:FALSE", "keyUsage=critical,digitalSignature", "subjectKeyIdentifier=hash",
            "authorityKeyIdentifier=keyid", "extendedKeyUsage=clientAuth"], ca)
    ids = {ca: w.trust(ca) for ca in ("one", "two", "twin")}
    for ca in ids:
        equal(w.state(ca, leaves[ca]), "good")
    # All three serial numbers are revoked by `one` alone.
    serials = [pki.serial("leaf-" + ca) for ca in ids]
    w.add(ids["one"], pki.crl("crl", "one", serials))
    answers = {ca: w.ask(ca, leaves[ca]) for ca in ids}
    equal({ca: (a["verified"], a["revoked"]) for ca, a in answers.items()},
          {"one": (False, True), "two": (True, False), "twin": (True, False)})
    equal((answers["two"]["cached"], answers["twin"]["cached"], answers["one"]["cached"]), (True, True, False))
    # A list goes to its own CA only: name and key decide.
    w.refused(ids["two"], pki.path("crl"), "another CA")
    w.refused(ids["twin"], pki.path("crl"), "not signed by the key")
    w.refused(ids["one"], pki.crl("forged", "twin", [], number=7), "not signed by the key")
    # With the CA goes what is said about it.
    w.server.json("ca", "delete", "--detach", "--force", ids["one"])
    ids["one"] = w.trust("one")
    equal(w.state("one", leaves["one"]), "good", "uploaded anew")
    equal(w.server.json("crl", "list", "--ca", ids["one"]), [])


def test_revoked_intermediate(case):
    w = World(case)
    pki = w.pki
    pki.ca("root")
    pki.ca("sub", "root")
    pki.client("leaf", "sub")
    chain = pki.join("chain", "leaf", "sub")
    ca = w.trust("root")
    equal(w.state("root", chain), "good")
    w.add(ca, pki.crl("crl", "root", [(pki.serial("sub"), "CACompromise")]))
    answer = w.ask("root", chain, "--explain")
    equal((answer["verified"], answer["revoked"], answer["depth"], answer["revoked_reason"]),
          (False, True, 1, "cACompromise"))
    check(any(s["check"] == "crl" and not s["ok"] for s in answer["steps"]), "no step says so: %s" % answer["steps"])
    # The leaf is the intermediate's: the root's list does not cover it, the intermediate's own does.
    w.server.json("crl", "delete", "--ca", ca)
    equal(w.state("root", chain), "good", "without a list")
    sub = w.trust("sub")
    w.server.json("host", "add", "--zone", "example.com", "--ca", sub, "root.example.com")
    w.add(sub, pki.crl("subcrl", "sub", [pki.serial("leaf")]))
    equal(w.state("root", chain), "revoked", "by the intermediate's list")


def test_list_of_a_helper(case):
    """An intermediate that only completes paths speaks for what it issued all the same."""
    w = World(case)
    pki = w.pki
    pki.ca("root")
    pki.ca("sub", "root")
    for name in ("good", "gone"):
        pki.client(name, "sub")
    w.trust("root")
    helper = w.trust("sub", None, "--helper")
    w.server.json("host", "add", "--zone", "example.com", "--ca", helper, "root.example.com")
    equal([w.state("root", pki.path(name)) for name in ("good", "gone")], ["good", "good"])
    w.add(helper, pki.crl("crl", "sub", [pki.serial("gone")]))
    equal([w.state("root", pki.path(name)) for name in ("good", "gone")], ["good", "revoked"])


def test_delta(case):
    w = World(case)
    pki = w.pki
    pki.ca("root")
    for name in ("held", "later", "gone"):
        pki.client(name, "root")
    serial = {name: pki.serial(name) for name in ("held", "later", "gone")}
    ca = w.trust("root")
    states = lambda: [w.state("root", pki.path(name)) for name in ("held", "later", "gone")]
    w.refused(ca, pki.crl("early", "root", [], number=5, base=4), "add the complete list")
    w.add(ca, pki.crl("full", "root", [(serial["held"], "certificateHold"), serial["gone"]], number=4))
    equal(states(), ["revoked", "good", "revoked"])
    w.refused(ca, pki.crl("ahead", "root", [], number=9, base=5), "delta to a newer list")
    w.refused(ca, pki.crl("old", "root", [], number=4, base=4), "not newer")
    added = w.add(ca, pki.crl("d5", "root", [(serial["held"], "removeFromCRL"), serial["later"]], number=5, base=4,
                              issued=-3000)).json
    equal((added["kind"], added["base_number"], added["revoked"]), ("delta", "4", 2))
    equal(states(), ["good", "revoked", "revoked"])
    w.add(ca, pki.crl("d6", "root", [(serial["later"], "removeFromCRL")], number=6, base=4, issued=-2000))
    equal(states(), ["good", "good", "revoked"])
    lists = w.server.json("crl", "list", "--ca", ca)
    equal(sorted(c["kind"] for c in lists), ["complete", "delta"])
    w.refused(ca, pki.crl("between", "root", [], number=5, issued=-2500), "not newer than the delta")
    # Without the delta the complete list counts again; without that, nothing does.
    delta = next(c["id"] for c in lists if c["kind"] == "delta")
    equal([c["id"] for c in w.server.json("crl", "delete", "--ca", ca, delta)], [delta])
    equal(states(), ["revoked", "good", "revoked"])
    w.server.json("crl", "delete", "--ca", ca)
    equal(states(), ["good", "good", "good"])
    w.server.ctl("crl", "delete", "--ca", ca).expect(1, "has no CRL")
    # removeFromCRL has no place in a complete list.
    w.refused(ca, pki.crl("odd", "root", [(serial["held"], "removeFromCRL")], number=20), "cannot be used")
    w.server.ctl("server", "check").expect(0)


def test_freshness_is_the_owners_choice(case):
    w = World(case)
    pki = w.pki
    pki.ca("root")
    pki.client("good", "root")
    pki.client("gone", "root")
    ca = w.trust("root")
    late, soon = ("--time", stamp(2 * 86400)), ("--time", stamp(7200))
    stale, missing = "X509_V_ERR_CRL_HAS_EXPIRED", "X509_V_ERR_UNABLE_TO_GET_CRL"
    policy = lambda p: w.server.json("crl", "policy", "--ca", ca, p)
    equal(w.server.json("crl", "policy", "--ca", ca)["policy"], "default")
    for name, want in (("require", missing), ("warn", "good"), ("ignore", "good"), ("default", "good")):
        equal(policy(name)["policy"], name)
        equal(w.state("root", pki.path("good")), want, "without a list, policy " + name)
    w.refused(ca, pki.crl("dead", "root", [], number=1, issued=-7200, expires=-60), "has expired")
    w.add(ca, pki.crl("crl", "root", [pki.serial("gone")], issued=-900, expires=86400))
    for name, want in (("default", stale), ("require", stale), ("warn", "good"), ("ignore", "good")):
        policy(name)
        for _ in range(2):  # the second time out of the cache
            equal(w.state("root", pki.path("good")), "good", "in date, policy " + name)
            equal(w.state("root", pki.path("good"), *late), want, "out of date, policy " + name)
            equal(w.state("root", pki.path("gone"), *late), "good" if name == "ignore" else "revoked", "listed, " + name)
    policy("require")
    until = w.ask("root", pki.path("good"))["valid_until"]
    check(until < stamp(86400 + 5), "the verdict holds beyond nextUpdate: %s" % until)
    policy("warn")
    steps = w.ask("root", pki.path("good"), "--explain", *late)["steps"]
    check(any("out of date" in s["text"] and s["ok"] for s in steps), "no note: %s" % steps)
    # A list of the future.
    policy("require")
    w.add(ca, pki.crl("next", "root", [], number=2, issued=3600))
    equal(w.state("root", pki.path("good")), "X509_V_ERR_CRL_NOT_YET_VALID")
    equal(w.state("root", pki.path("good"), *soon), "good")
    w.server.ctl("crl", "policy", "--ca", ca, "maybe").expect(2, "no policy")


def test_what_is_refused(case):
    w = World(case)
    pki = w.pki
    pki.ca("root")
    pki.ca("mute", extra=())
    pki.client("leaf", "root")
    ca = w.trust("root")
    idp = lambda *lines: ["issuingDistributionPoint=critical,@idp", "[idp]"] + list(lines)
    for name, lines in (("user", ["onlyuser=TRUE"]), ("ca", ["onlyCA=TRUE"]), ("indirect", ["indirectCRL=TRUE"]),
                        ("reasons", ["onlysomereasons=keyCompromise"]), ("part", ["fullname=URI:http://x/1"])):
        w.refused(ca, pki.crl("idp-" + name, "root", extra=idp(*lines)), "part of what the CA issues")
    w.refused(ca, pki.crl("unknown", "root", extra=["1.2.3.4=critical,DER:0500"]), "critical extension")
    w.refused(ca, pki.path("leaf"), "cannot be read")
    empty = pki.path("empty", "crl")
    open(empty, "w", encoding="utf-8").close()
    w.add(ca, empty, 2)
    w.add("00000000-0000-4000-8000-000000000000", pki.crl("fine", "root"), 1)
    leaf = w.server.json("ca", "upload", "--account", "acme", "--name", "l", "--leaf", "--key", pki.key("leaf"),
                         pki.path("leaf"))["id"]
    w.refused(leaf, pki.path("fine"), "no uploaded CA")
    # Nothing was kept, and a dry run keeps nothing.
    w.server.json("crl", "add", "--ca", ca, "--dry-run", pki.crl("dry", "root", [pki.serial("leaf")]))
    equal(w.server.json("crl", "list", "--ca", ca), [])
    equal(w.state("root", pki.path("leaf")), "good")
    # The same command twice under one key is done once; the upload is another one, so it is refused by its contents.
    w.add(ca, pki.path("dry"))
    w.refused(ca, pki.path("dry"), "this very CRL")


def test_a_bundle_and_its_keys(case):
    """A list finds its certificate among those of the object, by name and key."""
    w = World(case)
    pki = w.pki
    pki.ca("old", subject="/CN=Acme CA")
    pki.ca("new", subject="/CN=Acme CA")
    for name in ("old", "new"):
        pki.client("leaf-" + name, name)
    ca = w.trust("both", pki.join("both", "old", "new"))
    added = w.add(ca, pki.crl("crl-new", "new", [pki.serial("leaf-new"), pki.serial("leaf-old")])).json
    equal(added["index"], 1)
    equal([w.state("both", pki.path("leaf-" + n)) for n in ("old", "new")], ["good", "revoked"])
    equal(w.add(ca, pki.crl("crl-old", "old", [pki.serial("leaf-old")])).json["index"], 0)
    equal([w.state("both", pki.path("leaf-" + n)) for n in ("old", "new")], ["revoked", "revoked"])
    equal(len(w.server.json("crl", "list", "--ca", ca)), 2)


def test_large_list_survives_a_restart(case):
    w = World(case)
    pki = w.pki
    pki.ca("root")
    pki.client("leaf", "root")
    ca = w.trust("root")
    serials = ["%032X" % ((1 << 120) + 7919 * n) for n in range(40000)]
    added = w.add(ca, pki.crl("big", "root", serials + [pki.serial("leaf")])).json
    equal(added["revoked"], 40001)
    check(added["bytes"] > 1 << 20, "the list fits one part")
    equal(w.state("root", pki.path("leaf")), "revoked")
    w.server.ctl("server", "check").expect(0)
    w.server.stop()
    w.server.start()
    equal(w.state("root", pki.path("leaf")), "revoked", "after a restart")
    # A build from storage says the same.
    w.server.stop()
    os.unlink(os.path.join(w.server.data, "anchord.image"))
    w.server.start()
    equal(w.state("root", pki.path("leaf")), "revoked", "after a build from storage")
    w.server.ctl("server", "check").expect(0)
    w.add(ca, pki.crl("next", "root", serials, number=2, issued=-1800))
    equal(w.state("root", pki.path("leaf")), "good")
    w.server.ctl("server", "check").expect(0)


if __name__ == "__main__":
    harness.main(globals())
