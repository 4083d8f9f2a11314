#!/usr/bin/env python3
"""Each operation of /client/v4 against real processes: status, shape, and what it does."""
import json
import re

import gateway
import harness
from gateway import shape
from harness import check, equal

CERT = {"id": "uuid", "name": "str", "issuer": "str", "signature": "str", "serial_number": "digits", "certificates": "str",
        "ca": "bool", "uploaded_on": "time_short", "updated_at": "time_short", "expires_on": "time", "type": "custom"}
ZONE = {"id": "hex32", "name": "str", "status": "active", "paused": "bool", "type": "full", "development_mode": "int",
        "name_servers": ["str"], "original_name_servers": "null", "original_registrar": "null", "original_dnshost": "null",
        "created_on": "time", "modified_on": "time", "activated_on": "time", "meta": {}, "owner": {"id": "hex32", "name": "str", "type": "str"},
        "account": {"id": "hex32", "name": "str"}, "permissions": ["str"],
        "plan": {"id": "hex32", "name": "str", "legacy_id": "enterprise", "is_subscribed": "bool"}}
ACCOUNT = {"id": "hex32", "name": "str", "type": "enterprise", "settings": {"enforce_twofactor": "bool"}, "created_on": "time"}
RULE = {"id": "hex32", "version": "digits", "action": "str", "action_parameters?": "any", "expression": "str", "description": "str",
        "enabled": "bool", "ref": "str", "logging?": {"enabled": "bool"}, "last_updated": "time_micros"}
LISTED = {"id": "hex32", "name": "str", "description": "str", "source": "firewall_custom", "kind": "zone", "version": "digits",
          "last_updated": "time_micros", "phase": "http_request_firewall_custom"}
RULESET = dict(LISTED, rules=[RULE])
TRUST = {"id": "uuid", "certificate": "str", "issuer": "str", "signature": "str", "status": "active", "expires_on": "time",
         "uploaded_on": "time_short", "updated_at": "time_short"}
ACCESS = {"id": "uuid", "name": "str", "fingerprint": "str", "associated_hostnames": ["str"], "created_at": "time", "updated_at": "time",
          "expires_on": "time"}
PHASE = "http_request_firewall_custom"
BLOCK = {"expression": "not cf.tls_client_auth.cert_verified and cf.tls_client_auth.cert_revoked", "action": "block"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def pages(g, path):
    """As the official clients do: until a page is empty, whatever result_info says."""
    number, rows = 1, []
    while True:
        reply = g.get("%s%spage=%d" % (path, "&" if "?" in path else "?", number)).expect(200)
        info = reply.json["result_info"]
        equal(info["count"], len(reply.result), "count")
        equal(info["page"], number, "page")
        if not reply.result:
            return rows
        rows += reply.result
        number += 1


def test_mtls_certificates(case):
    w = gateway.world(case)
    g = w.gateway
    equal(g.get(w.certs).expect(200).result, [], "an empty list")
    pem = w.ca("one")
    made = g.post(w.certs, {"ca": True, "certificates": pem, "name": "first"}).expect(200).result
    shape(made, CERT)
    equal(made["certificates"], pem, "the text")
    equal((made["name"], made["ca"], made["issuer"], made["signature"]), ("first", True, "CN=one,O=Test", "ECDSAWithSHA256"), "fields")
    equal(g.get(w.certs + "/" + made["id"]).expect(200).result, made, "the certificate")
    listed = g.get(w.certs).expect(200)
    equal(listed.result, [made], "the list")
    shape(listed.json["result_info"], gateway.RESULT_INFO)
    equal(g.get(w.certs + "/" + made["id"] + "/associations").expect(200).result, [], "associations")
    equal(g.delete(w.certs + "/" + made["id"]).expect(200).result, made, "what was deleted")
    g.get(w.certs + "/" + made["id"]).expect(404, 1472, message="Certificate not found")
    g.delete(w.certs + "/" + made["id"]).expect(404, 1472)


def test_mtls_text_is_kept(case):
    w = gateway.world(case)
    w.server.json("quota", "set", "--account", "acme", "--limit", 20)
    for n, change in enumerate([lambda t: t, lambda t: t.rstrip("\n"), lambda t: t.replace("\n", "\r\n"),
                                lambda t: "a comment\n" + t + "another\n\n"]):
        text = change(w.ca("t%d" % n))
        made = w.gateway.post(w.certs, {"ca": True, "certificates": text}).expect(200).result
        equal(w.gateway.get(w.certs + "/" + made["id"]).result["certificates"], text, "the text")


def test_mtls_leaf_with_key(case):
    w = gateway.world(case)
    w.ca("root")
    leaf = w.pki.client("leaf", "root")
    with open(leaf, encoding="ascii") as cert, open(w.pki.path("leaf", "key"), encoding="ascii") as key:
        body = {"ca": False, "certificates": cert.read(), "private_key": key.read(), "name": "leaf"}
    made = w.gateway.post(w.certs, body).expect(200).result
    shape(made, CERT)
    equal(made["ca"], False, "ca")
    w.upload("root")
    equal([c["ca"] for c in w.gateway.get(w.certs + "?ca=false").result], [False], "leaves")
    equal([c["ca"] for c in w.gateway.get(w.certs + "?ca=true").result], [True], "CAs")
    equal(w.gateway.get(w.certs + "?ca=false").json["result_info"]["total_count"], 1, "count of leaves")
    equal(len(w.gateway.get(w.certs + "?name=leaf&ca=false").result), 1, "by name")
    equal(w.gateway.get(w.certs + "?name=other").result, [], "by another name")
    equal(w.gateway.get(w.certs + "?type=gateway_managed").result, [], "of another type")
    equal(len(w.gateway.get(w.certs + "?type=gateway_managed&type=custom").result), 2, "types, repeated")
    equal(len(w.gateway.get(w.certs + "?type=gateway_managed,custom").result), 2, "types, with a comma")
    w.gateway.put(w.of_zone + "/certificate_authorities/hostname_associations",
                  {"hostnames": ["a.example.com"], "mtls_certificate_id": made["id"]}).expect(400, 1421)
    log = w.gateway.read_log() + w.server.read_log()
    check("PRIVATE KEY" not in log, "a log shows a private key")


def test_pages_end(case):
    w = gateway.world(case)
    w.server.json("quota", "set", "--account", "acme", "--limit", 60)
    equal(pages(w.gateway, w.certs), [], "no rows")
    made = [w.upload("c%d" % n)["id"] for n in range(3)]
    newest_first = made[::-1]
    equal([c["id"] for c in pages(w.gateway, w.certs)], newest_first, "three rows")
    equal([c["id"] for c in pages(w.gateway, w.certs + "?per_page=1")], newest_first, "one by one")
    equal([c["id"] for c in w.gateway.get(w.certs + "?per_page=2&page=2").result], newest_first[2:], "second page")
    equal([c["id"] for c in w.gateway.get(w.certs + "?limit=1&offset=1").result], newest_first[1:2], "limit, offset")
    equal([c["id"] for c in w.gateway.get(w.certs + "?limit=1&offset=1&page=2").result], newest_first[2:], "limit, offset, page")
    for odd in ["page=0", "page=x", "per_page=-1", "per_page=0", "per_page=9999999999999999999999", "page=99999999", "offset=x", "limit="]:
        w.gateway.get(w.certs + "?" + odd).expect(200)
    equal(w.gateway.get(w.certs + "?page=7").json["result_info"]["total_count"], 3, "total behind the end")


def test_hostname_associations(case):
    w = gateway.world(case)
    g, path = w.gateway, w.of_zone + "/certificate_authorities/hostname_associations"
    ca, other = w.upload("one")["id"], w.upload("two")["id"]
    by = path + "?mtls_certificate_id="
    equal(g.get(path).expect(200).result, {"hostnames": []}, "the managed CA's list")
    equal(g.get(by + ca).expect(200).result, {"hostnames": []}, "a list never written")
    names = ["B.Example.com", "a.example.com", "*.app.example.com", "example.com"]
    put = g.put(path, {"hostnames": names + ["a.example.com"], "mtls_certificate_id": ca}).expect(200)
    equal(put.result, {"hostnames": names}, "order and spelling")
    equal(g.get(by + ca).result, {"hostnames": names}, "what was put")
    equal(g.get(by + other).result, {"hostnames": []}, "another CA's list")
    equal(g.get(w.certs + "/" + ca + "/associations").result, [{"service": "api_shield", "status": "active"}], "associations")
    g.delete(w.certs + "/" + ca).expect(400, 1473, message="while in use")
    equal(g.put(path, {"hostnames": ["m.example.com"]}).expect(200).result, {"hostnames": ["m.example.com"]}, "of the managed CA")
    equal(g.get(by + ca).result, {"hostnames": names}, "still there")
    equal(g.put(path, {"hostnames": [], "mtls_certificate_id": ca}).expect(200).result, {"hostnames": []}, "cleared")
    g.delete(w.certs + "/" + ca).expect(200)
    g.get(by + ca).expect(404, 1472)
    g.put(path, {"hostnames": [], "mtls_certificate_id": UNKNOWN}).expect(404, 1472)


def test_rulesets(case):
    w = gateway.world(case)
    g, path = w.gateway, w.of_zone + "/rulesets"
    entry = path + "/phases/%s/entrypoint" % PHASE
    equal(g.get(path).expect(200).result, [], "no rulesets")
    g.get(entry).expect(404, 10003, message="could not find entrypoint ruleset in the %s phase" % PHASE)
    new = {"name": "mine", "kind": "zone", "phase": PHASE, "description": "all of it", "rules": [dict(BLOCK, ref="one")]}
    equal(g.post(path + "?dry_run=true", new).expect(200).result, None, "a dry run's result")
    equal(g.get(path).result, [], "after a dry run")
    made = g.post(path, new).expect(200).result
    shape(made, RULESET)
    equal((made["version"], made["name"], made["description"], made["rules"][0]["ref"]), ("1", "mine", "all of it", "one"), "the ruleset")
    g.post(path, new).expect(400, 20217, "/kind", "exceeded maximum number of zone rulesets for phase " + PHASE)
    listed = g.get(path).expect(200).result
    shape(listed, [LISTED])
    equal(g.get(path + "/" + made["id"]).expect(200).result, made, "by id")
    equal(g.get(entry).expect(200).result, made, "by phase")
    rule = made["rules"][0]
    put = g.put(path + "/" + made["id"], {"rules": [dict(BLOCK, id=rule["id"]), dict(BLOCK, action="log")]}).expect(200).result
    shape(put, RULESET)
    equal((put["version"], put["rules"][0]["id"], put["rules"][0]["version"], put["description"]), ("2", rule["id"], "1", "all of it"), "put")
    equal(put["rules"][1]["ref"], put["rules"][1]["id"], "ref of a rule without one")
    described = g.put(entry, {"description": "less"}).expect(200).result
    equal((described["description"], len(described["rules"]), described["version"]), ("less", 2, "3"), "description alone")
    equal(g.put(entry, {"rules": []}).expect(200).result["rules"], [], "no rules")
    equal(g.delete(path + "/" + made["id"] + "?dry_run=true").expect(204).body, b"", "dry delete")
    g.get(entry).expect(200)
    g.delete(path + "/" + made["id"]).expect(204)
    g.delete(path + "/" + made["id"]).expect(404, 10001, message="could not find ruleset")
    g.get(entry).expect(404, 10003)
    again = g.put(entry, {"rules": [BLOCK]}).expect(200).result
    shape(again, RULESET)
    equal((again["name"], again["version"]), ("default", "1"), "made by its phase")


def test_rules(case):
    w = gateway.world(case)
    g = w.gateway
    entry = w.of_zone + "/rulesets/phases/%s/entrypoint" % PHASE
    made = g.put(entry, {"rules": [dict(BLOCK, description="a"), dict(BLOCK, description="b")]}).expect(200).result
    path = w.of_zone + "/rulesets/%s/rules" % made["id"]
    a, b = [r["id"] for r in made["rules"]]

    def order(reply):
        shape(reply.expect(200).result, RULESET)
        return [r["description"] for r in reply.result["rules"]]

    equal(order(g.post(path, dict(BLOCK, description="c"))), ["a", "b", "c"], "last")
    equal(order(g.post(path, dict(BLOCK, description="d", position={"before": ""}))), ["d", "a", "b", "c"], "first")
    equal(order(g.post(path, dict(BLOCK, description="e", position={"after": a}))), ["d", "a", "e", "b", "c"], "after")
    equal(order(g.post(path, dict(BLOCK, description="f", position={"index": 2}))), ["d", "f", "a", "e", "b", "c"], "index")
    moved = g.patch(path + "/" + b, {"position": {"before": a}})
    equal(order(moved), ["d", "f", "b", "a", "e", "c"], "moved")
    equal([r["version"] for r in moved.result["rules"] if r["id"] == b], ["1"], "version of a rule that moved")
    changed = g.patch(path + "/" + b, dict(BLOCK, action="log", description="B"))
    equal(order(changed), ["d", "f", "B", "a", "e", "c"], "changed in its place")
    equal([r["version"] for r in changed.result["rules"] if r["id"] == b], ["2"], "version of a rule that changed")
    equal(order(g.delete(path + "/" + b)), ["d", "f", "a", "e", "c"], "without b")
    g.delete(path + "/" + b).expect(404, 10002)
    g.patch(path + "/" + b, BLOCK).expect(404, 10002)
    g.patch(path + "/" + a, {"enabled": False}).expect(400, 20125, "/expression")
    equal(g.delete(path + "/" + a + "?dry_run=true").expect(200).result, None, "dry run")
    for rule in g.get(entry).result["rules"]:
        left = order(g.delete(path + "/" + rule["id"]))
    equal(left, [], "none left")


def test_rule_members_come_back(case):
    w = gateway.world(case)
    entry = w.of_zone + "/rulesets/phases/%s/entrypoint" % PHASE
    other = "0" * 32
    rules = [
        {"expression": "true", "action": "block", "action_parameters": {
            "response": {"status_code": 418, "content": "no", "content_type": "text/plain"}}, "enabled": False, "ref": "r"},
        {"expression": "true", "action": "skip", "action_parameters": {"phases": ["http_ratelimit"], "products": ["waf", "bic"]},
         "logging": {"enabled": False}},
        {"expression": "true", "action": "skip", "action_parameters": {"ruleset": "current"}},
        {"expression": "true", "action": "skip", "action_parameters": {"phase": "current"}, "logging": {"enabled": True}},
        {"expression": "http.host eq \"a.example.com\"", "action": "managed_challenge", "description": "\u00fc"},
    ]
    got = w.gateway.put(entry, {"rules": rules, "unknown": [1]}).expect(200).result["rules"]
    for sent, back in zip(rules, got):
        equal({k: back.get(k) for k in sent}, sent, "rule")
    w.gateway.put(entry, {"rules": [{"expression": "true", "action": "skip", "action_parameters": {"rules": {other: "x"}}}]}).expect(400, 1419)


def test_zones_and_accounts(case):
    w = gateway.world(case)
    g = w.gateway
    w.server.json("zone", "create", "--account", "acme", "--name", "example.net")
    w.server.json("account", "create", "--name", "other")
    w.server.json("zone", "create", "--account", "other", "--name", "example.org")
    shape(g.get("/client/v4/zones").expect(200).result, [ZONE])
    both = ["example.com", "example.net"]
    equal([z["name"] for z in pages(g, "/client/v4/zones?per_page=5")], both, "zones")
    zone = g.get(w.of_zone).expect(200).result
    shape(zone, ZONE)
    for query, names in [("name=example.net", both[1:]), ("name=starts_with:EXAMPLE.N", both[1:]), ("name=contains:e.c", both[:1]),
                         ("name=ends_with:.net", both[1:]), ("name=not_equal:example.net", both[:1]), ("name=starts_with_case_sensitive:EXAMPLE", []),
                         ("account.id=" + w.account, both), ("account.name=other", []), ("account.name=acme", both), ("status=pending", []),
                         ("status=active", both), ("name=example.com&account.name=other", []), ("name=example.com&account.name=other&match=any", both[:1]),
                         ("type=partial&type=full&name=example.com", both[:1]), ("type=partial", [])]:
        reply = g.get("/client/v4/zones?" + query).expect(200)
        equal([z["name"] for z in reply.result], names, query)
        equal(reply.json["result_info"]["total_count"], len(names), "count of " + query)
    shape(g.get("/client/v4/accounts").expect(200).result, [ACCOUNT])
    shape(g.get(w.of_account).expect(200).result, ACCOUNT)
    equal([a["name"] for a in pages(g, "/client/v4/accounts?name=acme")], ["acme"], "accounts by name")
    equal([a["name"] for a in pages(g, "/client/v4/accounts?name=other")], [], "accounts of others")
    equal([a["name"] for a in pages(g, "/client/v4/accounts")], ["acme"], "accounts")


def test_custom_trust_store(case):
    w = gateway.world(case)
    g, path = w.gateway, w.of_zone + "/acm/custom_trust_store"
    equal(pages(g, path), [], "an empty store")
    pem = w.ca("root") + "# kept\n"
    made = g.post(path, {"certificate": pem}).expect(200).result
    shape(made, TRUST)
    equal((made["certificate"], made["issuer"], made["status"]), (pem, "CN=root,O=Test", "active"), "the entry")
    equal(g.get(path + "/" + made["id"]).expect(200).result, made, "by id")
    second = g.post(path, {"certificate": w.ca("second")}).expect(200).result
    equal([e["id"] for e in pages(g, path + "?per_page=1")], [second["id"], made["id"]], "one by one, newest first")
    g.post(path, {"certificate": pem}).expect(400, 1220)
    g.post(path, {"certificate": w.ca("intermediate", issuer="root")}).expect(400, 1411, message="Only root CA certificate is allowed.")
    with open(w.pki.client("leaf", "root"), encoding="ascii") as leaf:
        g.post(path, {"certificate": leaf.read()}).expect(400, 1411)
    g.post(path, {"certificate": w.ca("third") + w.ca("fourth")}).expect(400)
    g.post(path, {"certificate": "nonsense"}).expect(400, 1413, "/certificate")
    g.post(path, {}).expect(400, 1419, "/certificate")
    equal(g.delete(path + "/" + made["id"]).expect(200).result, {"id": made["id"]}, "what a delete says")
    g.get(path + "/" + made["id"]).expect(404, 1472)
    g.delete(path + "/" + made["id"]).expect(404, 1472)
    plain = w.server.json("zone", "create", "--account", "acme", "--name", "example.net")["id"]
    for method, body in [("GET", None), ("POST", {"certificate": pem})]:
        g.call(method, "/client/v4/zones/%s/acm/custom_trust_store" % plain, body).expect(400, 1450)


def test_access_certificates(case):
    w = gateway.world(case)
    g = w.gateway
    for number, base in enumerate([w.of_account, w.of_zone]):
        path, host = base + "/access/certificates", "h%d.example.com" % number
        before = pages(g, path)
        pem = w.ca("access%d" % number)
        made = g.post(path, {"name": "one", "certificate": pem, "associated_hostnames": [host]}).expect(201).result
        shape(made, ACCESS)
        check(re.match("^MD5 Fingerprint=([0-9A-F]{2}:){15}[0-9A-F]{2}$", made["fingerprint"]), made["fingerprint"])
        equal((made["name"], made["associated_hostnames"]), ("one", [host]), "the certificate")
        equal(g.get(path + "/" + made["id"]).expect(200).result, made, "by id")
        equal(pages(g, path), [made] + before, "the list")
        g.post(path, {"name": "two", "certificate": pem}).expect(409, 12131)
        g.delete(path + "/" + made["id"]).expect(409, 12134, message="certificate has active associations")
        put = g.put(path + "/" + made["id"], {"associated_hostnames": ["b.example.com", host], "name": "renamed"}).expect(200).result
        shape(put, ACCESS)
        equal((put["name"], put["associated_hostnames"]), ("renamed", ["b.example.com", host]), "changed")
        cleared = g.put(path + "/" + made["id"], {}).expect(200).result
        equal((cleared["name"], cleared["associated_hostnames"]), ("renamed", []), "cleared")
        equal(g.delete(path + "/" + made["id"]).expect(200).result, {"id": made["id"]}, "what a delete says")
        g.get(path + "/" + made["id"]).expect(404, 12135)
        g.delete(path + "/" + made["id"]).expect(404, 12135)
        g.post(path, {"name": "n", "certificate": pem, "associated_hostnames": ["example.net"]}).expect(400, 1419, "/associated_hostnames/0")
        for gone in ["name", "certificate"]:
            g.post(path, {k: v for k, v in {"name": "n", "certificate": pem}.items() if k != gone}).expect(400, 1419, "/" + gone)
        settings = [{"hostname": host, "china_network": False, "client_certificate_forwarding": True}]
        equal(g.put(path + "/settings", {"settings": settings}).expect(202).result, settings, "settings")
        equal(g.get(path + "/settings").expect(200).result, settings, "settings that were put")
        g.put(path + "/settings", {"settings": [dict(settings[0], china_network=True)]}).expect(400)
        g.put(path + "/settings", {"settings": [{"hostname": host}]}).expect(400, 1419, "/settings/0/china_network")
        g.put(path + "/settings", {}).expect(400, 1419, "/settings")
        equal(g.put(path + "/settings", {"settings": []}).expect(202).result, [], "settings cleared")
    equal(g.get(w.certs).result, [], "Access CAs stand apart")


def test_token_verify(case):
    w = gateway.world(case)
    for path in ["/client/v4/user/tokens/verify", w.of_account + "/tokens/verify"]:
        reply = w.gateway.get(path).expect(200)
        shape(reply.result, {"id": "hex32", "status": "active"})
        equal(reply.json["messages"], [{"code": 10000, "message": "This API Token is valid and active"}], "messages")
        w.gateway.get(path, token="x" * 44).expect(401, 1000, message="^Invalid API Token$")
        timed = w.token("--permission", "all", "--expires", "2035-01-02T03:04:05Z")
        equal(w.gateway.get(path, token=timed).expect(200).result["expires_on"], "2035-01-02T03:04:05Z", "expiry")


def test_six_at_once_five_fit(case):
    w = gateway.world(case)
    bodies = [{"ca": True, "certificates": w.ca("p%d" % n)} for n in range(6)]
    codes = []
    conns = [w.gateway.connect() for _ in bodies]
    for conn, body in zip(conns, bodies):
        conn.request("POST", w.certs, json.dumps(body), {"Authorization": "Bearer " + w.gateway.token})
    for conn in conns:
        got = conn.getresponse()
        reply = gateway.Reply(got.status, got.getheaders(), got.read())
        codes.append(reply.status if reply.status == 200 else reply.codes[0])
        conn.close()
    equal(sorted(codes), [200] * 5 + [1489], "outcomes")


def test_client_without_json_type(case):
    """curl -d says it sends a form; the body counts, not its name."""
    w = gateway.world(case)
    body = json.dumps({"ca": True, "certificates": w.ca("one")}).encode()
    w.gateway.post(w.certs, body, headers={"Content-Type": "application/x-www-form-urlencoded"}).expect(200)


def test_head_and_options(case):
    w = gateway.world(case)
    reply = w.gateway.call("HEAD", w.certs).expect(200)
    equal(reply.body, b"", "body of a HEAD")
    full = w.gateway.get(w.certs)
    equal(reply.headers["content-length"], full.headers["content-length"], "length")
    options = w.gateway.call("OPTIONS", w.certs, token=None, raw=True).expect(204)
    equal(options.headers["allow"], "GET, HEAD, POST, OPTIONS", "allow")
    check("access-control-allow-origin" not in options.headers, "other origins are let in")


if __name__ == "__main__":
    harness.main(globals())
