"""The main job: upload CAs, associate hosts, ask which CAs count and whether a certificate is verified."""
import concurrent.futures
import json
import os
import socket
import time

import harness
from harness import check, contains, equal


def account(server, name="acme", zone="example.com", **more):
    acc = server.json("account", "create", "--name", name, *more.get("args", ()))
    zon = server.json("zone", "create", "--account", name, "--name", zone)
    return acc, zon


def upload(server, acc, name, path, *args):
    return server.json("ca", "upload", "--account", acc, "--name", name, *args, path)


def cert_id(result):
    return result["id"]


def verify(server, host, path, *args):
    result = server.ctl("query", "verify", "--host", host, path, *args, json_out=True)
    check(result.code in (0, 1), "exit %d: %s" % (result.code, result.err))
    return result.json


def test_from_upload_to_verdict(case):
    server, pki = case.server(), case.pki()
    pki.ca("root")
    pki.ca("sub", "root")
    pki.client("good", "sub")
    pki.ca("foreign")
    pki.client("stranger", "foreign")
    account(server)
    ca = cert_id(upload(server, "acme", "sub", pki.path("sub")))
    server.json("host", "set", "--zone", "example.com", "--ca", ca, "api.example.com", "*.t.example.com")
    trust = server.json("query", "trust", "api.example.com", "x.t.example.com", "t.example.com", "a.b.t.example.com")
    equal([a["match"] for a in trust], ["exact", "wildcard", "none", "none"], "matches")
    equal(trust[0]["cas"][0]["sha256"], pki.sha256("sub"), "SHA-256")
    equal(trust[1]["pattern"], "*.t.example.com", "pattern")
    good = verify(server, "API.example.com.", pki.path("good"))
    equal((good["verified"], good["ca_id"]), (True, ca), "verdict")
    bad = verify(server, "api.example.com", pki.path("stranger"))
    equal(bad["verified"], False, "a foreign certificate")
    check(bad["error"].startswith("X509_V_ERR_"), "error is %r" % bad["error"])
    why = server.json("query", "trust", "--explain", "x.t.example.com", "nope.example.com")
    contains(json.dumps(why[0]), "*.t.example.com", "explanation")
    contains(json.dumps(why[1]["explain"]), "no CA may vouch", "explanation")
    nobody = verify(server, "www.example.com", pki.path("good"))
    equal(nobody["error"], "ACD_V_ERR_NO_ASSOCIATION", "error")


def test_anchor_is_not_its_issuer(case):
    """An uploaded intermediate vouches for its own leaves, not for those of its siblings."""
    server, pki = case.server(), case.pki()
    pki.ca("root")
    pki.ca("one", "root")
    pki.ca("two", "root")
    pki.client("leaf1", "one")
    pki.client("leaf2", "two")
    account(server)
    ca = cert_id(upload(server, "acme", "one", pki.path("one")))
    server.json("host", "set", "--zone", "example.com", "--ca", ca, "api.example.com")
    equal(verify(server, "api.example.com", pki.path("leaf1"))["verified"], True)
    chain = pki.join("chain2", "leaf2", "two", "root")
    equal(verify(server, "api.example.com", chain)["verified"], False)


def test_time_is_an_input(case):
    server, pki = case.server(), case.pki()
    pki.ca("root", days=3650)
    pki.client("leaf", "root", days=10)
    account(server)
    ca = cert_id(upload(server, "acme", "root", pki.path("root")))
    server.json("host", "set", "--zone", "example.com", "--ca", ca, "api.example.com")
    now = time.time()
    stamp = lambda t: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))
    for _ in range(2):  # the second round is answered by the cache and must say the same
        equal(verify(server, "api.example.com", pki.path("leaf"))["verified"], True, "now")
        late = verify(server, "api.example.com", pki.path("leaf"), "--time", stamp(now + 11 * 86400))
        equal((late["verified"], late["error"]), (False, "X509_V_ERR_CERT_HAS_EXPIRED"), "after notAfter")
        early = verify(server, "api.example.com", pki.path("leaf"), "--time", stamp(now - 86400))
        equal((early["verified"], early["error"]), (False, "X509_V_ERR_CERT_NOT_YET_VALID"), "before notBefore")


def test_change_of_trust_is_seen_at_once(case):
    server, pki = case.server(), case.pki()
    pki.ca("root")
    pki.client("leaf", "root")
    account(server)
    ca = cert_id(upload(server, "acme", "root", pki.path("root")))
    for _ in range(5):
        server.json("host", "add", "--zone", "example.com", "--ca", ca, "api.example.com")
        equal(verify(server, "api.example.com", pki.path("leaf"))["verified"], True, "with the CA")
        server.json("host", "remove", "--force", "--zone", "example.com", "--ca", ca, "api.example.com")
        equal(verify(server, "api.example.com", pki.path("leaf"))["verified"], False, "without the CA")


def test_most_recently_deployed_first(case):
    server, pki = case.server(), case.pki()
    account(server)
    ids = []
    for name in ("a", "b", "c"):
        pki.ca(name)
        ids.append(cert_id(upload(server, "acme", name, pki.path(name))))
    for which in (1, 0, 2):
        server.json("host", "add", "--zone", "example.com", "--ca", ids[which], "api.example.com")
    order = [ca["id"] for ca in server.json("query", "trust", "api.example.com")[0]["cas"]]
    equal(order, [ids[2], ids[0], ids[1]], "order")
    # A host that stays in a list keeps its place.
    server.json("host", "set", "--zone", "example.com", "--ca", ids[1], "x.example.com", "api.example.com")
    order = [ca["id"] for ca in server.json("query", "trust", "api.example.com")[0]["cas"]]
    equal(order, [ids[2], ids[0], ids[1]], "order after set")


def test_explain_names_the_reason(case):
    server, pki = case.server(), case.pki()
    pki.ca("root")
    pki.client("leaf", "root", eku="serverAuth")
    account(server)
    ca = cert_id(upload(server, "acme", "root", pki.path("root")))
    server.json("host", "set", "--zone", "example.com", "--ca", ca, "api.example.com")
    why = verify(server, "api.example.com", pki.path("leaf"), "--explain", "--fields")
    equal(why["verified"], False)
    check(why["steps"], "no steps")
    check(any(not s["ok"] for s in why["steps"]), "no step failed: %s" % why["steps"])
    fields = {f["name"]: f["value"] for f in why["fields"]}
    equal(fields["cf.tls_client_auth.cert_verified"], "false")
    equal(fields["cf.tls_client_auth.cert_presented"], "true")
    equal(fields["cf.tls_client_auth.cert_fingerprint_sha256"], pki.sha256("leaf"))


# --- upload ---------------------------------------------------------------------------------------------------

def refused(server, acc, path, *args):
    result = server.ctl("ca", "upload", "--account", acc, "--name", "x", path, *args, json_out=True)
    result.expect(1)
    return result.err


def test_upload_reports_all_findings(case):
    server, pki = case.server(), case.pki()
    account(server)
    pki.ca("root")
    pki.client("leaf", "root")
    pki.ca("old", days=-1)
    pki.ca("weak", kind="RSA:1024")
    text = refused(server, "acme", pki.join("bad", "root", "leaf", "old", "weak"))
    for index in ("1", "2", "3"):
        contains(text, index)
    check(text.count("ca.") + text.count("cert.") + text.count("key.") >= 3, "findings are missing: " + text)
    equal(server.json("ca", "list", "--account", "acme"), [], "certificates after a refusal")
    used = [p for p in server.json("quota", "show", "--account", "acme")["pools"] if p["pool"] == "mtls_ca"][0]["used"]
    equal(used, 0, "quota after a refusal")


def test_upload_keeps_text_and_finds_duplicates(case):
    server, pki = case.server(), case.pki()
    account(server)
    pki.ca("root")
    with open(pki.path("root"), encoding="utf-8") as text:
        pem = text.read()
    odd = pki.path("odd")
    with open(odd, "w", encoding="utf-8", newline="") as out:
        out.write("# our root\r\n" + pem.replace("\n", "\r\n"))
    ident = cert_id(upload(server, "acme", "root", odd))
    got = server.json("ca", "get", ident)["certificates"]
    equal(got.rstrip("\n"), ("# our root\r\n" + pem.replace("\n", "\r\n")).rstrip("\n"), "text")
    contains(refused(server, "acme", pki.path("root")), "1471")
    server.json("account", "create", "--name", "other")
    upload(server, "other", "root", pki.path("root"))


def test_private_key_must_match_and_never_shows(case):
    server, pki = case.server(), case.pki()
    account(server)
    pki.ca("root")
    pki.ca("other")
    secret = open(pki.path("other", "key"), encoding="utf-8").read()
    text = refused(server, "acme", pki.path("root"), "--key", pki.path("other", "key"))
    check("PRIVATE KEY" not in text and secret[60:100] not in text, "the refusal shows the key")
    done = server.ctl("ca", "upload", "--account", "acme", "--name", "root", "--key", pki.path("root", "key"),
                      pki.path("root")).expect(0)
    check("BEGIN" not in done.out + done.err, "the answer shows the key")
    with open(os.path.join(server.data, "anchord.db"), "rb") as database:
        check(b"PRIVATE KEY" not in database.read(), "the database holds a key")
    check("PRIVATE KEY" not in server.read_log(), "the log shows a key")


def test_free_plan_may_not_upload(case):
    server, pki = case.server(), case.pki()
    server.json("account", "create", "--name", "small", "--plan", "free")
    pki.ca("root")
    contains(refused(server, "small", pki.path("root")), "mtls_byo_ca")


def test_dry_run_changes_nothing(case):
    server, pki = case.server(), case.pki()
    account(server)
    pki.ca("root")
    before = server.json("server", "status")["truth_revision"]
    dry = upload(server, "acme", "root", pki.path("root"), "--dry-run")
    check(dry, "no answer")
    equal(server.json("ca", "list", "--account", "acme"), [])
    equal(server.json("server", "status")["truth_revision"], before, "revision")


# --- quota ----------------------------------------------------------------------------------------------------

def pool(server, acc, name="mtls_ca"):
    return [p for p in server.json("quota", "show", "--account", acc)["pools"] if p["pool"] == name][0]


def test_quota_is_one_pool_of_three_products(case):
    server, pki = case.server(), case.pki()
    account(server)
    for number, product in enumerate(("api_shield", "workers", "gateway", "workers", "gateway")):
        pki.ca("ca%d" % number)
        upload(server, "acme", "ca%d" % number, pki.path("ca%d" % number), "--product", product)
    pki.ca("sixth")
    text = refused(server, "acme", pki.path("sixth"))
    contains(text, "1489")
    contains(text, "Hit maximum CA cert allocation.")
    upload(server, "acme", "zt", pki.path("sixth"), "--product", "access")
    have = pool(server, "acme")
    equal((have["used"], have["limit"]), (5, 5))
    equal({p["product"]: p["used"] for p in have["products"]}, {"api_shield": 1, "workers": 2, "gateway": 2})
    server.json("quota", "set", "--account", "acme", "--limit", "6")
    upload(server, "acme", "sixth", pki.path("sixth"))
    first = server.json("ca", "list", "--account", "acme")[-1]["id"]
    server.json("ca", "delete", first)
    equal(pool(server, "acme")["used"], 5, "after a delete")
    server.ctl("quota", "audit").expect(0)


def test_64_uploads_at_once_give_exactly_five(case):
    server, pki = case.server(), case.pki()
    account(server)
    paths = [pki.ca("ca%d" % n) for n in range(64)]
    with concurrent.futures.ThreadPoolExecutor(64) as workers:
        codes = list(workers.map(lambda p: server.ctl("ca", "upload", "--account", "acme", "--name", "n", p).code, paths))
    equal((codes.count(0), codes.count(1)), (5, 59), "uploads that went through and that were refused")
    equal(len(server.json("ca", "list", "--account", "acme")), 5)
    equal(pool(server, "acme")["used"], 5)
    server.ctl("quota", "audit").expect(0)


# --- hosts ----------------------------------------------------------------------------------------------------

def test_host_lists(case):
    server, pki = case.server(), case.pki()
    account(server)
    pki.ca("root")
    ca = cert_id(upload(server, "acme", "root", pki.path("root")))
    hosts = lambda *args: [h["host"] for h in server.json("host", "list", "--zone", "example.com", *args)]
    server.json("host", "set", "--zone", "example.com", "--ca", ca, "B.example.com", "a.example.com", "b.example.com")
    equal(hosts("--ca", ca), ["B.example.com", "a.example.com"], "order and spelling, without repetition")
    server.json("host", "add", "--zone", "example.com", "--ca", ca, "c.example.com", "a.example.com")
    equal(hosts("--ca", ca), ["B.example.com", "a.example.com", "c.example.com"])
    server.json("host", "remove", "--force", "--zone", "example.com", "--ca", ca, "b.EXAMPLE.com")
    equal(hosts("--ca", ca), ["a.example.com", "c.example.com"])
    server.ctl("host", "remove", "--zone", "example.com", "--ca", ca, "nope.example.com").expect(1, "nope.example.com")
    equal(hosts(), [], "the managed CA's own list")
    server.json("host", "set", "--zone", "example.com", "m.example.com")
    equal(hosts(), ["m.example.com"])
    equal(hosts("--ca", ca), ["a.example.com", "c.example.com"], "another CA's list")
    equal(server.json("query", "trust", "m.example.com")[0]["cas"], [], "the managed CA has no certificate yet")
    server.json("host", "set", "--force", "--zone", "example.com", "--ca", ca)
    equal(hosts("--ca", ca), [], "set without hosts clears")


def test_bad_hosts_are_all_named(case):
    server, pki = case.server(), case.pki()
    account(server)
    pki.ca("root")
    ca = cert_id(upload(server, "acme", "root", pki.path("root")))
    bad = ["other.org", "a b.example.com", "*.*.example.com", "com", "192.0.2.1", "example.com:443"]
    text = server.ctl("host", "set", "--zone", "example.com", "--ca", ca, "ok.example.com", *bad).expect(1).err
    for number in range(1, 7):
        contains(text, "hosts[%d]" % number)
    equal(server.json("host", "list", "--zone", "example.com", "--ca", ca), [])
    server.ctl("zone", "create", "--account", "acme", "--name", "co.uk").expect(1, "public suffix")


def test_expected_revision_guards_against_lost_updates(case):
    server, pki = case.server(), case.pki()
    account(server)
    pki.ca("root")
    ca = cert_id(upload(server, "acme", "root", pki.path("root")))
    first = server.json("host", "set", "--zone", "example.com", "--ca", ca, "--expect", "0", "a.example.com")
    server.ctl("host", "set", "--zone", "example.com", "--ca", ca, "--expect", "0", "b.example.com").expect(1)
    rev = str(first["list_revision"])
    server.json("host", "add", "--zone", "example.com", "--ca", ca, "--expect", rev, "b.example.com")
    text = server.ctl("host", "add", "--zone", "example.com", "--ca", ca, "--expect", rev, "c.example.com").expect(1).err
    contains(text, "revision")


def test_more_specific_zone_owns_its_names(case):
    server, pki = case.server(), case.pki()
    account(server)
    server.json("account", "create", "--name", "eu")
    pki.ca("root")
    ca = cert_id(upload(server, "acme", "root", pki.path("root")))
    server.json("host", "set", "--zone", "example.com", "--ca", ca, "*.example.com")
    server.ctl("zone", "create", "--account", "eu", "--name", "eu.example.com").expect(1, "example.com")
    server.json("host", "set", "--force", "--zone", "example.com", "--ca", ca)
    server.json("zone", "create", "--account", "eu", "--name", "eu.example.com")
    for host in ("a.eu.example.com", "eu.example.com", "*.example.com", "*.eu.example.com"):
        server.ctl("host", "set", "--zone", "example.com", "--ca", ca, host).expect(1, "eu.example.com")
    server.json("host", "set", "--force", "--zone", "example.com", "--ca", ca, "us.example.com")
    server.ctl("host", "set", "--zone", "eu.example.com", "--ca", ca, "a.eu.example.com").expect(1, "does not belong")


def test_delete_in_use_is_refused_and_detach_does_both(case):
    server, pki = case.server(), case.pki()
    account(server)
    pki.ca("root")
    ca = cert_id(upload(server, "acme", "root", pki.path("root")))
    server.json("host", "set", "--zone", "example.com", "--ca", ca, "a.example.com", "b.example.com")
    text = server.ctl("ca", "delete", ca).expect(1).err
    for part in ("1473", "a.example.com", "b.example.com", "Certificate cannot be deleted while in use"):
        contains(text, part)
    equal(len(server.json("ca", "associations", ca)), 2)
    server.json("ca", "delete", ca, "--detach", "--force")
    equal(server.json("query", "trust", "a.example.com")[0]["match"], "none")
    server.ctl("ca", "get", ca).expect(1)
    equal(pool(server, "acme")["used"], 0)
    server.ctl("server", "check").expect(0)


# --- repetition, restart, import ------------------------------------------------------------------------------

def test_idempotency_key_makes_a_call_run_once(case):
    server, pki = case.server(), case.pki()
    account(server)
    pki.ca("root")
    pki.ca("other")
    args = ("ca", "upload", "--account", "acme", "--name", "n", "--idempotency-key", "k1")
    first = server.json(*args, pki.path("root"))
    again = server.json(*args, pki.path("root"))
    equal(again["id"], first["id"], "the repeated call's certificate")
    equal(len(server.json("ca", "list", "--account", "acme")), 1)
    server.ctl(*args, pki.path("other")).expect(1, "IDEMPOTENCY_KEY_REUSED")


def test_restart_keeps_everything(case):
    server, pki = case.server(), case.pki()
    pki.ca("root")
    pki.client("leaf", "root")
    account(server)
    ca = cert_id(upload(server, "acme", "root", pki.path("root")))
    server.json("host", "set", "--zone", "example.com", "--ca", ca, "api.example.com")
    before = server.json("server", "status")
    for spoil in (None, "remove", "truncate", "garbage"):
        equal(server.stop(), 0, "exit status")
        image = os.path.join(server.data, "anchord.image")
        if spoil == "remove":
            os.unlink(image)
        elif spoil == "truncate":
            os.truncate(image, os.path.getsize(image) // 2)
        elif spoil == "garbage":
            with open(image, "wb") as out:
                out.write(os.urandom(100000))
        server.start()
        after = server.json("server", "status")
        equal(after["truth_revision"], before["truth_revision"], "revision")
        equal(after["snapshot_revision"], before["truth_revision"], "snapshot")
        equal(verify(server, "api.example.com", pki.path("leaf"))["verified"], True, "after restart (%s)" % spoil)
        server.ctl("server", "check").expect(0)


def test_import_is_all_or_nothing(case):
    server, pki = case.server(), case.pki()
    account(server)
    names = []
    for number in range(8):
        pki.ca("ca%d" % number)
        names.append("ca%d" % number)
    bundle = pki.join("bundle", *names)
    text = server.ctl("ca", "import", "--account", "acme", bundle).expect(1).err
    contains(text, "1489")
    equal(server.json("ca", "list", "--account", "acme"), [], "after a refused import")
    equal(pool(server, "acme")["used"], 0)
    server.json("quota", "set", "--account", "acme", "--limit", "8")
    before = server.json("server", "status")["truth_revision"]
    server.ctl("ca", "import", "--account", "acme", bundle).expect(0)
    equal(len(server.json("ca", "list", "--account", "acme")), 8)
    equal(server.json("server", "status")["truth_revision"], before + 1, "one transaction is one revision")


def test_debian_public_roots(case):
    """About 140 real roots in one transaction; each then is the trust of a host."""
    server = case.server()
    account(server)
    server.json("quota", "set", "--account", "acme", "--limit", "500")
    server.ctl("ca", "import", "--account", "acme", "--skip-refused", "/etc/ssl/certs/ca-certificates.crt").expect(0)
    cas = server.json("ca", "list", "--account", "acme")
    with open("/etc/ssl/certs/ca-certificates.crt", encoding="utf-8") as text:
        total = text.read().count("BEGIN CERTIFICATE")
    check(total >= 100 and len(cas) >= total * 0.9, "%d of %d roots were taken" % (len(cas), total))
    for ca in cas[:10]:
        server.json("host", "add", "--zone", "example.com", "--ca", ca["id"], "api.example.com")
    equal(len(server.json("query", "trust", "api.example.com")[0]["cas"]), 10)
    server.ctl("server", "check").expect(0)


# --- errors and configuration ---------------------------------------------------------------------------------

def test_exit_codes(case):
    server = case.server(start=False)
    server.ctl("account", "list").expect(3)
    server.start()
    server.ctl("account", "list").expect(0)
    server.ctl("account", "frobnicate").expect(2)
    server.ctl("account", "get", "nobody").expect(1, "nobody")
    server.ctl("ca", "upload", "--account", "x", "--name", "n", "/does/not/exist").expect(2)
    equal(json.loads(server.ctl("account", "list", json_out=True).out), [])


def test_deletes_refuse_what_is_in_use(case):
    server, pki = case.server(), case.pki()
    account(server)
    pki.ca("root")
    ca = cert_id(upload(server, "acme", "root", pki.path("root")))
    server.json("host", "set", "--zone", "example.com", "--ca", ca, "a.example.com")
    server.ctl("zone", "delete", "example.com").expect(1, "host associations")
    server.ctl("account", "delete", "acme").expect(1)
    server.json("ca", "delete", "--detach", "--force", ca)
    server.json("zone", "delete", "example.com")
    server.json("account", "delete", "acme")
    equal(server.json("account", "list"), [])
    server.ctl("server", "check").expect(0)


def test_second_server_on_the_same_data_is_refused(case):
    server = case.server()
    second = harness.Server(server.folder)
    second.log = os.path.join(server.folder, "second.log")
    second.start(wait=False)
    equal(second.process.wait(30), 1, "exit status")
    contains(second.read_log(), "in use")
    server.ctl("account", "list").expect(0)


def test_configuration_is_checked_by_name(case):
    server = case.server(start=False, config="workers:\n  admin: 1000\nlog:\n  levle: info\n")
    server.args.append("--check-config")
    server.start(wait=False)
    equal(server.process.wait(30), 2, "exit status")
    for part in ("workers.admin", "levle"):
        contains(server.read_log(), part, "message")
    server.process = None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_tcp_is_loopback_only_unless_insecure(case):
    server = case.server("--listen", "tcp://0.0.0.0:%d" % free_port(), start=False)
    server.start(wait=False)
    check(server.process.wait(30) != 0, "listening on all addresses was allowed")
    contains(server.read_log(), "insecure", "message")
    server.process = None


def test_tcp_answers_the_edge_and_refuses_administration(case):
    pki = case.pki()
    pki.ca("root")
    pki.client("leaf", "root")
    url = "tcp://127.0.0.1:%d" % free_port()
    server = case.server(start=False)
    server.args += ["--listen", server.socket, "--listen", url]
    server.start()
    account(server)
    ca = cert_id(upload(server, "acme", "root", pki.path("root")))
    server.json("host", "set", "--zone", "example.com", "--ca", ca, "api.example.com")
    local, server.socket = server.socket, url
    equal(verify(server, "api.example.com", pki.path("leaf"))["verified"], True, "over tcp")
    for command in (("account", "list"), ("account", "create", "--name", "evil"), ("server", "status")):
        contains(server.ctl(*command).expect(1).err, "administration")
    server.socket = local
    equal([a["name"] for a in server.json("account", "list")], ["acme"])


if __name__ == "__main__":
    harness.main(globals())
