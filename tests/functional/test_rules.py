"""Rules of a zone: kept whole, seen at once, and asked about requests with good, foreign and no certificates."""
import json
import os
import re
import sqlite3

import harness
from harness import check, contains, equal

SEED = '(http.host in {"a.example.com" "b.example.com"} and not cf.tls_client_auth.cert_verified)'


def rule(expression, action="block", **more):
    return dict({"expression": expression, "action": action}, **more)


def put(server, rules, *args, code=0):
    path = os.path.join(server.folder, "rules.json")
    with open(path, "w", encoding="utf-8") as out:
        json.dump(rules, out)
    result = server.ctl("rule", "put", "--zone", "example.com", path, *args, json_out=True)
    return result.expect(code).json if code == 0 else result.expect(code)


def evaluate(server, host, *args, chain=None, zone=None):
    """The answer; its exit code must say the same."""
    if chain:
        args += ("--chain", chain)
    if zone:
        args += ("--zone", zone)
    if host:
        args += ("--host", host)
    result = server.ctl("query", "evaluate", *args, json_out=True)
    answer = result.json
    equal(result.code, 0 if answer["allowed"] else 1, "exit code")
    return answer


def world(case, rules=None):
    """A zone with a host that trusts `root`, and one leaf of it and one of a stranger."""
    server, pki = case.server(), case.pki()
    pki.ca("root")
    pki.client("good", "root")
    pki.ca("foreign")
    pki.client("stranger", "foreign")
    server.json("account", "create", "--name", "acme")
    server.json("zone", "create", "--account", "acme", "--name", "example.com")
    ca = server.json("ca", "upload", "--account", "acme", "--name", "root", pki.path("root"))["id"]
    server.json("host", "set", "--zone", "example.com", "--ca", ca, "a.example.com", "*.w.example.com")
    if rules is not None:
        put(server, rules)
    return server, pki, ca


def test_the_mtls_rule(case):
    server, pki, ca = world(case)
    equal(evaluate(server, "a.example.com")["ruleset_id"], None, "ruleset of a zone without rules")
    put(server, [rule(SEED, description="mtls", ref="mtls")])
    good = evaluate(server, "a.example.com", chain=pki.path("good"))
    equal((good["allowed"], good["action"], good["rule"]), (True, "none", None))
    equal((good["verification"]["verified"], good["verification"]["ca_id"]), (True, ca))
    for chain in (None, pki.path("stranger")):
        bad = evaluate(server, "a.example.com", chain=chain)
        equal((bad["allowed"], bad["action"], bad["terminated"], bad["error"]), (False, "block", True, None))
        equal((bad["rule"]["ref"], bad["rule"]["description"]), ("mtls", "mtls"))
        equal(bad["response"]["status_code"], 403, "status")
    equal(bad["verification"]["verified"], False)
    # b.example.com is in the rule, and no CA may vouch for its clients.
    none = evaluate(server, "b.example.com", chain=pki.path("good"))
    equal((none["allowed"], none["verification"]["error"]), (False, "ACD_V_ERR_NO_ASSOCIATION"))
    # Another host of the zone: nobody asks for its certificate.
    other = evaluate(server, "c.example.com")
    equal((other["allowed"], other["verification"]), (True, None))


def test_the_host_that_was_asked_for_counts(case):
    server, pki, _ = world(case, [rule(SEED), rule("anchord.sni_mismatch", "log", ref="sni"),
                                  rule("anchord.tls_resumed", "log", ref="resumed")])
    same = evaluate(server, "A.Example.com.", "--sni", "a.example.com", chain=pki.path("good"))
    equal((same["host"], same["allowed"], same["logged"]), ("a.example.com", True, []))
    # The handshake was for the trusted host, the request is for one that trusts nobody.
    other = evaluate(server, "b.example.com", "--sni", "a.example.com", "--resumed", chain=pki.path("good"))
    equal((other["allowed"], other["verification"]["verified"]), (False, False))
    mixed = evaluate(server, "a.example.com", "--sni", "b.example.com", "--resumed", chain=pki.path("good"))
    equal([m["ref"] for m in mixed["logged"]], ["sni", "resumed"], "logged")
    # http.host is the host, or the question is refused.
    field = evaluate(server, None, "--field", "http.host=A.example.com", zone="example.com")
    equal((field["host"], field["action"]), ("a.example.com", "block"))
    twice = evaluate(server, "c.example.com", "--field", "http.host=a.example.com")
    equal((twice["allowed"], twice["error"]), (False, "ACD_R_ERR_INVALID_HOST"))
    equal(evaluate(server, "a.example.com:8443")["error"], "ACD_R_ERR_INVALID_HOST")
    equal(evaluate(server, "elsewhere.test")["error"], "ACD_R_ERR_NO_ZONE")
    equal(evaluate(server, "a.example.com", zone="nowhere.test")["error"], "ACD_R_ERR_NO_ZONE")


def test_claims_about_the_certificate_are_refused(case):
    server, _, _ = world(case, [rule(SEED)])
    for field in ("cf.tls_client_auth.cert_verified=true", "anchord.cert_trusted=true",
                  "cf.tls_client_auth.cert_serial=0A"):
        answer = evaluate(server, "a.example.com", "--field", field)
        equal((answer["allowed"], answer["error"]), (False, "ACD_R_ERR_INVALID_FIELD"))
    server.ctl("query", "evaluate", "--host", "a.example.com", "--field", "no.such=1").expect(2, "no such field")
    server.ctl("query", "evaluate", "--host", "a.example.com", "--field", "ip.src=banana").expect(2, "that type")


def test_fields_of_the_certificate(case):
    server, pki, ca = world(case)
    digest = pki.sha256("good")
    put(server, [rule('cf.tls_client_auth.cert_fingerprint_sha256 eq "%s"' % digest, "log", ref="fingerprint"),
                 rule('cf.tls_client_auth.cert_subject_dn contains "CN=good"', "log", ref="subject"),
                 rule('anchord.host_pattern eq "*.w.example.com"', "log", ref="pattern"),
                 rule('anchord.ca_id eq "%s"' % ca, "log", ref="ca"),
                 rule("anchord.cert_trusted", "log", ref="trusted"),
                 rule("cf.tls_client_auth.cert_presented", "log", ref="presented"),
                 rule("cf.tls_client_auth.cert_revoked", "log", ref="revoked"),
                 rule('cf.tls_client_auth.cert_serial eq ""', "log", ref="empty"),
                 rule('not any(anchord.cert_san_dns[*] eq "x")', "log", ref="sans")])
    refs = lambda answer: [m["ref"] for m in answer["logged"]]
    for _ in range(2):  # the second round is answered from what is kept
        equal(refs(evaluate(server, "x.w.example.com", chain=pki.path("good"))),
              ["fingerprint", "subject", "pattern", "ca", "trusted", "presented", "sans"])
        equal(refs(evaluate(server, "x.w.example.com", chain=pki.path("stranger"))), ["pattern", "presented", "sans"])
        equal(refs(evaluate(server, "x.w.example.com")), ["pattern", "empty", "sans"])


def test_fields_of_the_request(case):
    server, _, _ = world(case, [
        rule('http.request.uri.path.extension eq "php"', "log", ref="extension"),
        rule('any(http.request.uri.args["a"][*] eq "2")', "log", ref="args"),
        rule('raw.http.request.uri.query eq "a=1&b&a=2"', "log", ref="raw"),
        rule('http.request.cookies["s id"][0] eq "x%20y"', "log", ref="cookie"),
        rule("ip.src in {192.0.2.0/24}", "log", ref="ip"),
        rule("cf.edge.server_port eq 443 and ssl", "log", ref="port"),
        rule('http.request.headers["x-a"][1] eq "two"', "log", ref="headers"),
        rule('ip.geoip.country eq "DE"', "log", ref="geoip"),
        rule('http.user_agent ne "x"', "log", ref="missing")])
    answer = evaluate(server, "c.example.com", "--field", "http.request.uri.path=/a.b/x.PHP",
                      "--field", "http.request.uri.query=a=1&b&a=2", "--field", "http.cookie=a=b; s%20id=x%20y",
                      "--field", "ip.src=192.0.2.7", "--field", "cf.edge.server_port=443", "--field", "ssl=true",
                      "--field", 'http.request.headers={"map":{"x-a":["one","two"]}}', "--field", "ip.src.country=DE")
    equal([m["ref"] for m in answer["logged"]],
          ["extension", "args", "raw", "cookie", "ip", "port", "headers", "geoip"])


def test_actions(case):
    response = {"status_code": 418, "content": "no", "content_type": "text/plain"}
    path = 'http.request.uri.path eq "/%s"'
    server, _, _ = world(case, [
        rule(path % "log", "log", ref="l"),
        rule(path % "off", "skip", ref="quiet", action_parameters={"products": ["waf"]}, logging={"enabled": False}),
        rule(path % "later", "skip", ref="s1", action_parameters={"phases": ["http_ratelimit"], "products": ["waf", "bic"]}),
        rule(path % "rest", "skip", ref="s2", action_parameters={"ruleset": "current"}),
        rule("ssl", "block", ref="disabled", enabled=False),
        rule(path % "challenge", "managed_challenge", ref="c"),
        rule(path % "teapot", "block", ref="t", action_parameters={"response": response}),
        rule("not ssl", "js_challenge", ref="last")])
    ask = lambda name: evaluate(server, "c.example.com", "--field", "http.request.uri.path=/" + name)
    logged = ask("log")
    equal(([m["ref"] for m in logged["logged"]], logged["rule"]["ref"]), (["l"], "last"))
    equal(ask("off")["logged"], [], "a skip rule whose logging is off")
    later = ask("later")
    equal(later["skipped"], {"phases": ["http_ratelimit"], "products": ["bic", "waf"]}, "skipped")
    equal((later["action"], later["stopped"]), ("js_challenge", False))
    rest = ask("rest")
    equal((rest["allowed"], rest["stopped"], rest["action"]), (True, True, "none"))
    equal(ask("challenge")["action"], "managed_challenge")
    equal(ask("teapot")["response"], response, "response")


def test_put_is_all_or_nothing(case):
    server, _, _ = world(case, [rule(SEED, ref="mtls")])
    before = server.json("rule", "get", "--zone", "example.com")
    bad = put(server, [rule("ssl", ref="new"), rule("http.hots eq 1 and ssl eq 3"), rule("ssl", "execute"),
                       rule("ssl", "block", action_parameters={"response": {"status_code": 200, "content": "",
                                                                           "content_type": "x"}})], code=1)
    details = json.loads(bad.err.splitlines()[-1])["error"]["details"]
    found = [(d["rule"], d["field"], d["kind"], d["at"]) for d in details if d["type"] == "rule"]
    check((1, "expression", "identifier", 0) in found, "findings: %r" % found)
    check(len([f for f in found if f[:2] == (1, "expression")]) == 2, "both errors of one expression: %r" % found)
    check((2, "action", None, None) in found, "findings: %r" % found)
    equal(len([f for f in found if f[0] == 3]), 3, "findings of the response")
    equal(server.json("rule", "get", "--zone", "example.com"), before, "the ruleset")
    equal(evaluate(server, "a.example.com")["rule"]["ref"], "mtls")
    dry = put(server, [rule("ssl", ref="new")], "--dry-run")
    equal((dry["dry_run"], dry["version"], [r["ref"] for r in dry["rules"]]), (True, "2", ["new"]))
    equal(server.json("rule", "get", "--zone", "example.com"), before, "after a dry run")
    put(server, [rule("ssl")], "--expect", str(before["revision"] + 1), code=1)
    contains(put(server, [], "--expect", "0", code=1).err, "somebody else changed")
    equal(put(server, [rule("ssl")], "--expect", str(before["revision"]))["version"], "2")
    for text in ("{", '[{"expresion":"ssl","action":"block"}]', '{"a":1}', "[1]"):
        path = os.path.join(server.folder, "broken.json")
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        server.ctl("rule", "put", "--zone", "example.com", path).expect(2)


def test_warnings_do_not_refuse(case):
    server, _, _ = world(case)
    done = put(server, [rule(SEED)])
    equal([(w["severity"], w["rule"]) for w in done["warnings"]], [("warning", 0)])
    contains(done["warnings"][0]["message"], "revoked")


def test_versions_ids_and_refs(case):
    server, _, _ = world(case)
    one = put(server, [rule("ssl", ref="a"), rule("not ssl", "log", ref="b"), rule("ssl", "log")])
    equal((one["version"], one["name"], one["kind"], one["phase"]),
          ("1", "default", "zone", "http_request_firewall_custom"))
    ids = [r["id"] for r in one["rules"]]
    check(all(len(i) == 32 for i in ids) and len(set(ids)) == 3, "ids: %r" % ids)
    equal(one["rules"][2]["ref"], ids[2], "ref of a rule without one")
    # The same again is no change; what was listed can be put as it is.
    again = put(server, server.json("rule", "list", "--zone", "example.com"))
    equal((again["changed"], again["version"], again["revision"]), (False, "1", one["revision"]))
    # Moved, changed by ref, kept by id, and a new one.
    two = put(server, [rule("ssl", "log", id=ids[2]), rule("not ssl", "log", ref="b", description="x"),
                       rule("ssl", ref="a"), rule("ssl", "challenge", id="0" * 32)])
    equal(two["version"], "2")
    equal([r["id"] for r in two["rules"][:3]], [ids[2], ids[1], ids[0]], "ids")
    check(two["rules"][3]["id"] not in ids + ["0" * 32], "a new rule has a new id")
    equal([r["version"] for r in two["rules"]], ["1", "2", "1", "1"], "versions of the rules")
    equal(two["rules"][2]["last_updated"], one["rules"][0]["last_updated"], "a rule that only moved")
    old = server.json("rule", "get", "--zone", "example.com", "--as-of", "1")
    equal((old["current"], old["rules"]), (False, one["rules"]), "version 1")
    server.ctl("rule", "get", "--zone", "example.com", "--as-of", "9").expect(1, "version 9")
    # Two rules cannot be one.
    contains(put(server, [rule("ssl", ref="x"), rule("ssl", ref="x")], code=1).err, "used twice")
    equal(server.json("rule", "list", "--zone", "example.com"), two["rules"])
    server.json("rule", "delete", "--zone", "example.com")
    equal(server.json("rule", "list", "--zone", "example.com"), [])
    equal(evaluate(server, "a.example.com")["ruleset_id"], None)


def test_only_the_last_versions_are_kept(case):
    server, _, _ = world(case)
    for number in range(53):
        put(server, [rule("cf.edge.server_port eq %d" % number)])
    equal(server.json("rule", "get", "--zone", "example.com")["version"], "53")
    server.json("rule", "get", "--zone", "example.com", "--as-of", "3")
    server.ctl("rule", "get", "--zone", "example.com", "--as-of", "2").expect(1, "are kept")


def test_a_change_is_seen_at_once_and_survives_a_restart(case):
    server, _, _ = world(case)
    for number in range(5):
        done = put(server, [rule("true", "block", ref="r%d" % number)])
        answer = evaluate(server, "a.example.com")
        equal((answer["rule"]["ref"], answer["ruleset_version"]), ("r%d" % number, number + 1))
        check(answer["revision"] >= done["revision"], "revision")
    for spoil in (False, True):
        equal(server.stop(), 0, "exit status")
        if spoil:
            os.unlink(os.path.join(server.data, "anchord.image"))
        server.start()
        equal(evaluate(server, "a.example.com")["rule"]["ref"], "r4", "after a restart")
        server.ctl("server", "check").expect(0, "1 rulesets")


def test_rules_go_with_their_zone(case):
    server, _, ca = world(case, [rule("true")])
    inner = server.json("zone", "create", "--account", "acme", "--name", "in.example.com")
    equal(evaluate(server, "x.in.example.com")["zone_id"], inner["id"], "the most specific zone")
    equal(evaluate(server, "x.in.example.com")["allowed"], True)
    equal(evaluate(server, "x.in.example.com", zone="example.com")["allowed"], False, "the zone that is named")
    server.json("host", "set", "--force", "--zone", "example.com", "--ca", ca)
    server.json("zone", "delete", "example.com")
    equal(evaluate(server, "a.example.com")["error"], "ACD_R_ERR_NO_ZONE")
    server.json("zone", "create", "--account", "acme", "--name", "example.com")
    equal(evaluate(server, "a.example.com")["allowed"], True, "a new zone of that name has no rules")
    server.ctl("server", "check").expect(0, "0 rulesets")


def test_change_of_trust_changes_the_answer(case):
    server, pki, ca = world(case, [rule(SEED)])
    equal(evaluate(server, "a.example.com", chain=pki.path("good"))["allowed"], True)
    server.json("host", "remove", "--force", "--zone", "example.com", "--ca", ca, "a.example.com")
    equal(evaluate(server, "a.example.com", chain=pki.path("good"))["allowed"], False)
    late = evaluate(server, "x.w.example.com", "--time", "2999-01-01T00:00:00Z", chain=pki.path("good"))
    equal(late["verification"], None, "a rule that does not ask")


def test_explain(case):
    server, pki, _ = world(case, [rule("ssl", "log", ref="first"), rule("ssl", enabled=False), rule(SEED, ref="mtls"),
                                  rule("true", "log", ref="after")])
    answer = evaluate(server, "a.example.com", "--explain", chain=pki.path("stranger"))
    rules = answer["explain"]["rules"]
    equal([r["state"] for r in rules], ["no match", "disabled", "match", "not reached"], "states")
    text = json.dumps(rules[2]["terms"])
    contains(text, "cf.tls_client_auth.cert_verified", "terms")
    contains(text, '"a.example.com"', "terms")
    steps = answer["explain"]["verification"]["steps"]
    check(any(not s["ok"] for s in steps), "no failed step in %r" % steps)
    for part in ("rule 3  block  match", "certificate: not verified: X509_V_ERR", "FAIL", "answer: not allowed"):
        contains(answer["explain_text"], part, "explanation")
    plain = evaluate(server, "a.example.com", chain=pki.path("stranger"))
    check("explain" not in plain, "an explanation that nobody asked for")
    equal({k: plain[k] for k in ("allowed", "action", "rule")}, {k: answer[k] for k in ("allowed", "action", "rule")})
    human = server.ctl("query", "evaluate", "--host", "a.example.com", "--explain").expect(1)
    contains(human.out, "not allowed")
    contains(human.out, "ACD_V_ERR_NO_CERTIFICATE")


def test_a_rule_that_cannot_be_evaluated_blocks(case):
    """A value with more parts than are looked at: the rule would have matched nothing, and the answer is no."""
    server, _, _ = world(case, [rule('any(http.request.uri.args.names[*] eq "zz")', ref="args")])
    answer = evaluate(server, "c.example.com", "--field", "http.request.uri.query=" + "a&" * 20000)
    equal((answer["allowed"], answer["action"], answer["error"], answer["rule"]["ref"]),
          (False, "block", "ACD_R_ERR_LIMIT", "args"))


def test_an_exhausted_budget_blocks(case):
    """No pattern matches: were the budget not counted, or its end taken for "no", the answer would be yes."""
    terms = ['http.request.body.raw matches "[ab]{900}x"'] * 64
    server, _, _ = world(case, [rule(" or ".join(terms), ref="costly"), rule("true", "log", ref="after")])
    small = evaluate(server, "c.example.com", "--field", "http.request.body.raw=" + "a" * 100)
    equal((small["allowed"], small["error"], [m["ref"] for m in small["logged"]]), (True, None, ["after"]))
    answer = evaluate(server, "c.example.com", "--field", "http.request.body.raw=" + "a" * 100000)
    equal((answer["allowed"], answer["action"], answer["error"], answer["rule"]["ref"], answer["logged"]),
          (False, "block", "ACD_R_ERR_LIMIT", "costly", []))
    contains(answer["reason"], "more steps than it may")
    explained = evaluate(server, "c.example.com", "--explain", "--field", "http.request.body.raw=" + "a" * 100000)
    equal((explained["allowed"], explained["error"]), (False, "ACD_R_ERR_LIMIT"))


def test_skip_of_other_rulesets_is_refused(case):
    server, _, _ = world(case, [rule("ssl")])
    for parameters in ({"rulesets": ["0" * 32]}, {"rules": {"0" * 32: ["1" * 32]}}):
        result = put(server, [rule("true", "skip", action_parameters=parameters)], code=1)
        contains(result.err, "rule 1, action_parameters.%s: a zone has one ruleset" % list(parameters)[0])
    equal([r["expression"] for r in server.json("rule", "list", "--zone", "example.com")], ["ssl"])
    put(server, [rule("true", "skip", action_parameters={"ruleset": "current"}), rule("true")])
    equal(evaluate(server, "a.example.com")["allowed"], True)


def test_examples_of_the_manual(case):
    """What the manual shows can be written as it stands there."""
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    with open(os.path.join(root, "tools", "manual", "rules.md"), encoding="utf-8") as page:
        text = page.read()
    blocks = [line for block in re.findall(r"```\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    cells = [row[-1] for row in (line.split(" | ") for line in text.splitlines()) if len(row) > 3 and row[-1][:1] == "`"]
    examples = blocks + [cell.rstrip("| ").strip("`").replace("\\|", "|") for cell in cells]
    check(len(examples) > 150, "%d examples" % len(examples))
    server = case.server(start=False)
    for example in examples:
        result = server.ctl("rule", "check", "-", stdin=example.encode())
        check(result.code == 0, "%s: %s" % (example, result.err))


def test_words_of_the_language(case):
    server = case.server(start=False)
    fields = server.json("rule", "fields")
    found = [f for f in fields if f["name"] == "http.request.headers"]
    equal([(f["type"], f["source"]) for f in found], [("Map<Array<Bytes>>", "request")])
    text = server.ctl("rule", "fields").expect(0).out
    equal([line.split()[0] for line in text.splitlines()], [f["name"] for f in fields], "names")
    functions = server.json("rule", "functions")
    equal([(f["least"], f["most"], f["result"]) for f in functions if f["name"] == "substring"], [(2, 3, "Bytes")])
    text = server.ctl("rule", "functions").expect(0).out
    equal([line.split()[0] for line in text.splitlines()], [f["name"] for f in functions], "names")


def test_commands_and_their_exit_codes(case):
    """0 done, 1 refused or not allowed, 2 used wrongly, 3 no server."""
    server, _, _ = world(case)
    zone = ("--zone", "example.com")
    path = os.path.join(server.folder, "rules.json")
    put(server, [rule(SEED, ref="mtls")])
    server.ctl("rule", "list", *zone).expect(0, "mtls")
    server.ctl("rule", "get", *zone).expect(0, "VERSION      1")
    server.ctl("query", "evaluate", "--host", "a.example.com").expect(1, "block")
    server.ctl("query", "evaluate", "--host", "c.example.com").expect(0)
    for args, why in ((("rule", "put", *zone), "FILE"), (("rule", "list"), "--zone"), (("rule", "nonsense"), "nonsense"),
                      (("rule", "put", *zone, path + ".none"), "rules.json.none"),
                      (("query", "evaluate", "--host", "a.example.com", "--field", "ssl"), "ssl"),
                      (("rule", "eval",), "usage"), (("rule", "check", path + ".none"), "rules.json.none"),
                      (("rule", "fields", "more"), "usage")):
        contains(server.ctl(*args).expect(2).err, why)
    with open(path, "w", encoding="utf-8") as out:
        out.write("[{")
    server.ctl("rule", "put", *zone, path).expect(2)
    server.ctl("rule", "list", "--zone", "no.example").expect(1, "no.example")
    result = put(server, [rule("ssl"), rule("http.host eq 1")], code=1)
    contains(result.err, "rule 2, expression")
    server.ctl("rule", "check", "-", stdin=b"ssl and").expect(1)
    equal(server.ctl("rule", "check", "-", "-o", "json", stdin=b"ssl and not ssl").expect(0).json["valid"], True)
    equal(server.ctl("rule", "eval", 'len(http.host) eq 3', "--field", "http.host=abc").expect(0).out.strip(), "true")
    server.ctl("rule", "eval", "no.such.field").expect(1)
    server.ctl("rule", "eval", "ssl", "--field", "ssl=maybe").expect(2)
    server.ctl("rule", "delete", *zone).expect(0)
    equal(server.json("rule", "list", *zone), [])
    server.ctl("rule", "delete", *zone).expect(1)
    server.stop()
    server.ctl("rule", "list", *zone).expect(3)
    server.ctl("query", "evaluate", "--host", "a.example.com").expect(3)


def test_database_of_the_first_schema_is_upgraded(case):
    server, pki, _ = world(case)
    equal(server.stop(), 0, "exit status")
    base = sqlite3.connect(os.path.join(server.data, "anchord.db"))
    base.executescript("DROP TABLE ruleset_version; DROP TABLE ruleset; UPDATE anchord_meta SET num=1 WHERE name='schema';"
                       "DELETE FROM anchord_history;")
    base.close()
    server.start()
    put(server, [rule(SEED, ref="mtls")])
    equal(evaluate(server, "a.example.com", chain=pki.path("good"))["allowed"], True)
    equal(evaluate(server, "a.example.com")["rule"]["ref"], "mtls")
    server.ctl("server", "check").expect(0)


if __name__ == "__main__":
    harness.main(globals())
