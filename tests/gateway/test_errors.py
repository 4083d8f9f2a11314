#!/usr/bin/env python3
"""Each refusal with its status, code and pointer; what is no request of this API gets a clear 4xx and changes nothing."""
import json
import urllib.parse

import gateway
import harness
from harness import check, equal

PHASE = "http_request_firewall_custom"
BLOCK = {"expression": "not cf.tls_client_auth.cert_verified", "action": "block"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"
NOBODY = "0" * 32


def test_credentials(case):
    w = gateway.world(case)
    g = w.gateway

    def get(headers, path=w.certs):
        return g.get(path, headers=headers, token=None)

    get({}).expect(400, 9106, message="^Missing X-Auth-Key, X-Auth-Email or Authorization headers$")
    get({"X-Auth-Email": "a@b.example"}).expect(400, 9106)
    get({"X-Auth-Key": "k" * 40}).expect(400, 9106)
    for bad in ["Bearer", "Bearer ", "Basic eDp5", "Token " + g.token, "Bearer a b", "Bearer \x7f", "bearer=" + g.token, "Bearer " + "x" * 5000]:
        reply = get({"Authorization": bad}).expect(400, 6003, message="^Invalid request headers$")
        equal(reply.errors[0]["error_chain"], [{"code": 6111, "message": "Invalid format for Authorization header"}], "chain")
    for path in [w.certs, w.of_zone, "/client/v4/zones", w.of_account]:
        get({"Authorization": "Bearer " + "x" * 44}, path).expect(401, 10000, message="^Authentication error$")
    get({"X-Auth-Email": "a@b.example", "X-Auth-Key": "k" * 40}).expect(403, 9103, message="^Unknown X-Auth-Key or X-Auth-Email$")
    get({"X-Auth-Email": "a@b.example", "X-Auth-Key": "k" * 40, "Authorization": "Bearer " + g.token}).expect(200)
    get({"Authorization": "bearer " + g.token}).expect(200)
    get({"X-Auth-Email": "a@b.example", "X-Auth-Key": "k" * 40}, "/client/v4/user/tokens/verify").expect(400, 9106)


def test_nobody_is_an_administrator_by_the_socket(case):
    """The gateway of these tests runs as the server's own user: that must not help who comes without a token."""
    w = gateway.world(case)
    before = w.server.json("server", "status")["truth_revision"]
    pem = w.ca("one")
    for headers in [{}, {"Authorization": "Bearer " + "x" * 44}, {"X-Auth-Email": "a@b.example", "X-Auth-Key": "k" * 40}]:
        for method, path, body in [("POST", w.certs, {"ca": True, "certificates": pem}), ("GET", w.certs, None), ("GET", "/client/v4/zones", None),
                                   ("PUT", w.of_zone + "/rulesets/phases/%s/entrypoint" % PHASE, {"rules": [BLOCK]})]:
            reply = w.gateway.call(method, path, body, headers=headers, token=None)
            check(400 <= reply.status < 404, "status %d without credentials" % reply.status)
    equal(w.server.json("server", "status")["truth_revision"], before, "revision")


def test_routes(case):
    w = gateway.world(case)
    g = w.gateway
    for path in ["/client/v4", "/client/v4/", "/client/v4/nothing", "/client/v4/accounts/", w.of_account + "/rulesets", w.certs + "/",
                 "/client/v4//zones", "/client/v4/zones/" + w.zone + "/../zones", "/client/v4/./zones", "/client/v4/zone%73/%", "/client/v4/zones%00",
                 "/client/v4/zones/" + w.zone + "%2frulesets", "/client/v4/zones%2f" + w.zone]:
        reply = g.get(path)
        check(reply.status in (400, 404) and set(reply.codes) & {7000, 7003}, "%s: %s" % (path, reply.body))
    g.get("/client/v4/%7Aones").expect(200)
    for path in ["/client/v4/zones/example.com", "/client/v4/zones/" + w.zone.upper(), "/client/v4/zones/" + w.zone[1:], w.certs + "/" + NOBODY,
                 w.certs + "/" + UNKNOWN.replace("-", ""), w.certs + "/..%2f..", "/client/v4/accounts/acme/mtls_certificates",
                 w.of_zone + "/rulesets/" + UNKNOWN, w.certs + "/%2e%2e/associations", w.certs + "/a%20b%2Fc"]:
        g.get(path).expect(400, 7003)
    g.get("/client/v4/zones/abc").expect(400, 7003, message="Could not route to /client/v4/zones/abc, perhaps your object identifier is invalid")
    for method, path, allow in [("PATCH", w.certs + "/" + UNKNOWN, "GET, HEAD, DELETE, OPTIONS"), ("PUT", w.certs + "/" + UNKNOWN, None),
                                ("DELETE", w.certs, "GET, HEAD, POST, OPTIONS"), ("POST", "/client/v4/user/tokens/verify", None), ("BREW", w.certs, None)]:
        reply = g.call(method, path).expect(405, 10405)
        check("allow" in reply.headers, "405 without Allow")
        if allow:
            equal(reply.headers["allow"], allow, "allow")
    equal(g.get("/nothing", raw=True).status, 404, "status outside of the API")
    equal(json.loads(g.get("/nothing").body), {"error": "No route for that URI"}, "body outside of the API")


def test_scopes(case):
    """Whether an account or zone exists is not told, wherever it stands in the path."""
    w = gateway.world(case)
    g, account, zone = w.gateway, "/client/v4/accounts/" + NOBODY, "/client/v4/zones/" + NOBODY
    pem = w.ca("one")
    for method, path, body in [
            ("GET", account + "/mtls_certificates", None), ("POST", account + "/mtls_certificates", {"ca": True, "certificates": pem}),
            ("GET", account + "/mtls_certificates/" + UNKNOWN, None), ("DELETE", account + "/mtls_certificates/" + UNKNOWN, None),
            ("GET", account + "/mtls_certificates/%s/associations" % UNKNOWN, None),
            ("GET", account + "/tokens/verify", None),
            ("GET", zone + "/certificate_authorities/hostname_associations", None),
            ("PUT", zone + "/certificate_authorities/hostname_associations", {"hostnames": []}),
            ("GET", zone + "/rulesets", None), ("GET", zone + "/rulesets/" + NOBODY, None), ("DELETE", zone + "/rulesets/" + NOBODY, None),
            ("GET", zone + "/rulesets/phases/%s/entrypoint" % PHASE, None), ("PUT", zone + "/rulesets/phases/%s/entrypoint" % PHASE, {"rules": []}),
            ("POST", zone + "/rulesets", {"name": "n", "kind": "zone", "phase": PHASE, "rules": []}),
            ("GET", zone + "/client_certificates", None), ("POST", zone + "/client_certificates", {"csr": "x", "validity_days": 1}),
            ("GET", zone + "/client_certificates/" + UNKNOWN, None), ("PATCH", zone + "/client_certificates/" + UNKNOWN, {}),
            ("DELETE", zone + "/client_certificates/" + UNKNOWN, None)]:
        g.call(method, path, body).expect(403, 10000, message="^Authentication error$")
    g.get(account).expect(403, 9109, message="^Unauthorized to access requested resource$")
    g.get(zone).expect(403, 9109)


def test_another_accounts_things(case):
    """With a token of another account every path of this one is 403, there or not; in its own paths our things are not there."""
    w = gateway.world(case)
    g = w.gateway
    other = w.server.json("account", "create", "--name", "other")["id"]
    zone = w.server.json("zone", "create", "--account", "other", "--name", "example.net")["id"]
    theirs = w.token("--permission", "all", account="other")
    made = w.upload("one")["id"]
    access = g.post(w.of_account + "/access/certificates", {"name": "a", "certificate": w.ca("two")}).expect(201).result["id"]
    entry = g.post(w.of_zone + "/acm/custom_trust_store", {"certificate": w.ca("three")}).expect(200).result["id"]
    ours = g.put(w.of_zone + "/rulesets/phases/%s/entrypoint" % PHASE, {"rules": [BLOCK]}).expect(200).result
    rule = ours["rules"][0]["id"]
    csr = w.pki.openssl("req", "-new", "-key", w.pki.key("bob"), "-subj", "/CN=bob").decode()
    client = g.post(w.of_zone + "/client_certificates", {"csr": csr, "validity_days": 30}).expect(200).result["id"]
    rows = [
        ("GET", "{a}/mtls_certificates", None), ("GET", "{a}/mtls_certificates/{c}", made), ("DELETE", "{a}/mtls_certificates/{c}", made),
        ("GET", "{a}/mtls_certificates/{c}/associations", made), ("GET", "{a}/access/certificates", None), ("GET", "{a}/access/certificates/{c}", access),
        ("PUT", "{a}/access/certificates/{c}", access), ("DELETE", "{a}/access/certificates/{c}", access), ("GET", "{a}/access/certificates/settings", None),
        ("GET", "{z}/access/certificates", None), ("GET", "{z}/access/certificates/{c}", access),
        ("GET", "{z}/certificate_authorities/hostname_associations", None), ("GET", "{z}/certificate_authorities/hostname_associations?mtls_certificate_id={c}", made),
        ("GET", "{a}/tokens/verify", None),
        ("GET", "{z}/acm/custom_trust_store", None), ("GET", "{z}/acm/custom_trust_store/{c}", entry), ("DELETE", "{z}/acm/custom_trust_store/{c}", entry),
        ("GET", "{z}/rulesets", None), ("GET", "{z}/rulesets/{r}", ours["id"]), ("PUT", "{z}/rulesets/{r}", ours["id"]), ("DELETE", "{z}/rulesets/{r}", ours["id"]),
        ("GET", "{z}/client_certificates", None), ("GET", "{z}/client_certificates/{c}", client), ("PATCH", "{z}/client_certificates/{c}", client),
        ("DELETE", "{z}/client_certificates/{c}", client),
        ("GET", "{z}/rulesets/phases/%s/entrypoint" % PHASE, None), ("DELETE", "{z}/rulesets/{r}/rules/%s" % rule, ours["id"]),
    ]
    for method, path, thing in rows:
        for id_ in [thing, UNKNOWN if "{c}" in path else NOBODY]:
            here = path.format(a=w.of_account, z=w.of_zone, c=id_, r=id_)
            body = {} if method == "PUT" else None
            g.call(method, here, body, token=theirs).expect(403, 10000, message="^Authentication error$")
        if thing and "acm" not in path:
            there = path.format(a="/client/v4/accounts/" + other, z="/client/v4/zones/" + zone, c=thing, r=thing)
            reply = g.call(method, there, body, token=theirs)
            check(reply.status == 404, "%s %s: %s" % (method, there, reply.body))
    for path in [w.of_account, w.of_zone]:
        g.get(path, token=theirs).expect(403, 9109)
    equal([z["name"] for z in g.get("/client/v4/zones", token=theirs).result], ["example.net"], "zones in sight")
    equal([a["name"] for a in g.get("/client/v4/accounts", token=theirs).result], ["other"], "accounts in sight")
    g.get(w.certs + "/" + made).expect(200)
    equal(g.get(w.of_zone + "/rulesets/" + ours["id"]).expect(200).result, ours, "the ruleset after all that")


def test_permissions(case):
    """What a token may is the server's business; the gateway passes it on, and its answer back."""
    w = gateway.world(case)
    g = w.gateway
    reads = w.token("--permission", "Account: SSL and Certificates Read")
    waf = w.token("--permission", "Zone WAF Write", "--zone", "example.com")
    body = {"ca": True, "certificates": w.ca("one")}
    g.get(w.certs, token=reads).expect(200)
    g.post(w.certs, body, token=reads).expect(403, 10000, message="^Authentication error$")
    g.get(w.of_zone + "/rulesets", token=reads).expect(403, 10000)
    g.put(w.of_zone + "/rulesets/phases/%s/entrypoint" % PHASE, {"rules": [BLOCK]}, token=waf).expect(200)
    g.get(w.certs, token=waf).expect(403, 10000)
    g.get("/client/v4/user/tokens/verify", token=waf).expect(200)
    made = w.server.json("token", "create", "--account", "acme", "--permission", "all", "--email", "a@b.example")
    key = {"X-Auth-Email": "a@b.example", "X-Auth-Key": made["value"]}
    g.get(w.certs, headers=key, token=None).expect(200)
    g.get(w.certs, headers=dict(key, **{"X-Auth-Email": "c@d.example"}), token=None).expect(403, 9103)
    w.server.ctl("token", "revoke", made["id"]).expect(0)
    g.get(w.certs, headers=key, token=None).expect(403, 9103)
    g.get(w.certs, token=made["value"]).expect(401, 10000)
    g.get("/client/v4/user/tokens/verify", token=made["value"]).expect(401, 1000)


def test_bodies(case):
    """JSON faults are all the same; types and missing members are told with a pointer."""
    w = gateway.world(case)
    g, good = w.gateway, {"ca": True, "certificates": w.ca("one")}
    text = json.dumps(good)
    bad_json = [b"", b" ", b"{", b"nonsense", b"[]", b"\"text\"", b"1", b"null", b"true", text[:-1].encode(), text.encode() + b"x", text.encode() + b"{}",
                b'{"ca":true,"ca":true}', b'{"ca":tru}', b"{'ca':true}", b'{"ca":true,}', b'\xff{"ca":true}', b'{"name":"\xc3"}', b'{"name":"\\u0000"}',
                b'{"name":"a\x00b"}', b'{"name":"\\ud800"}', b'{"n":1e999}', b"[" * 5000, b'{"a":' * 40 + b"1" + b"}" * 40,
                b"{\"a\":[" + b"[]," * 70000 + b"[]]}", b"\xef\xbb\xbf" + text.encode(), b'{"a":01}', b'{"a":NaN}']
    for body in bad_json:
        g.post(w.certs, body).expect(400, 1400, message="^Unable to decode the JSON request body. Check your input and try again.$")
    for change, pointer in [({"ca": None}, "/ca"), ({"ca": "true"}, "/ca"), ({"ca": 1}, "/ca"), ({"certificates": None}, "/certificates"),
                            ({"certificates": [good["certificates"]]}, "/certificates"), ({"name": 7}, "/name"), ({"private_key": {}}, "/private_key"),
                            ({"name": "x" * 256}, "/name"), ({"name": "a\nb"}, "/name"), ({"name": "0" * 32}, "/name")]:
        g.post(w.certs, dict(good, **change)).expect(400, 1419, pointer)
    for gone in ["ca", "certificates"]:
        g.post(w.certs, {k: v for k, v in good.items() if k != gone}).expect(400, 1419, "/" + gone)
    equal(g.get(w.certs).result, [], "certificates after all that")
    g.post(w.certs, dict(good, unknown={"a": [1, 2.5, None]}, name=None)).expect(200)


def expired_ca(pki):
    """A CA of the year 2020, which takes `openssl ca`: the other commands know no dates of the past."""
    for name, text in [("index.txt", ""), ("serial", "01\n"), ("ca.cnf", "[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index.txt\nserial=%s/serial\n"
                       "new_certs_dir=%s\ndefault_md=sha256\npolicy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n[x]\n"
                       "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n" % ((pki.folder,) * 3))]:
        with open(pki.path(name, "")[:-1], "w", encoding="ascii") as out:
            out.write(text)
    request = pki.openssl("req", "-new", "-key", pki.key("old"), "-subj", "/CN=old")
    with open(pki.path("old", "csr"), "wb") as out:
        out.write(request)
    return pki.openssl("ca", "-batch", "-selfsign", "-notext", "-config", pki.path("ca", "cnf"), "-keyfile", pki.path("old", "key"), "-in",
                       pki.path("old", "csr"), "-startdate", "20200101000000Z", "-enddate", "20210101000000Z").decode()


def test_uploads(case):
    w = gateway.world(case)
    g = w.gateway
    w.server.json("quota", "set", "--account", "acme", "--limit", 2)
    root = w.ca("root")
    key = open(w.pki.path("root", "key"), encoding="ascii").read()
    leaf = open(w.pki.client("leaf", "root"), encoding="ascii").read()
    leaf_key = open(w.pki.path("leaf", "key"), encoding="ascii").read()
    public = w.pki.openssl("pkey", "-in", w.pki.path("root", "key"), "-pubout").decode()
    plain = open(w.pki.issue("plain", "/CN=plain", ["subjectKeyIdentifier=hash"]), encoding="ascii").read()
    md5 = w.ca("md5", digest="md5", kind="RSA-2048")
    old = expired_ca(w.pki)
    swapped = open(w.pki.issue("swapped", "/CN=swapped", ["basicConstraints=critical,CA:TRUE"], days=-1), encoding="ascii").read()

    def upload(**body):
        return g.post(w.certs, dict({"ca": True}, **body))

    at = "/certificates"
    upload(certificates="").expect(400, 1413, at)
    upload(certificates="nonsense").expect(400, 1413, at, "unable to parse certificate")
    upload(certificates=public).expect(400, 1413, at, "unable to parse certificate")
    upload(certificates=root + key).expect(400, 1413, at, "unable to parse certificate")
    upload(certificates=root[:-40]).expect(400, 1413, at)
    upload(certificates=plain).expect(400, 1416, at)
    upload(certificates=leaf).expect(400, 1416, at)
    upload(certificates=root + leaf).expect(400, 1416, at)
    upload(certificates=md5).expect(400, 1414, at)
    upload(certificates=old).expect(400, 1417, at)
    upload(certificates=swapped).expect(400, 1413, at)
    upload(certificates=root, private_key=leaf_key).expect(400, 1418, "/private_key")
    upload(certificates=root, private_key="nonsense").expect(400, 2106, "/private_key")
    upload(certificates="".join(w.ca("m%d" % n, key=w.pki.key("root")) for n in range(33))).expect(400, 1424, at)
    upload(certificates="x" * 70000 + root).expect(400, 1424)
    g.post(w.certs, {"ca": False, "certificates": root, "private_key": key}).expect(400, 1412, at, "^Missing leaf certificate.")
    equal(g.get(w.certs).result, [], "certificates after all that")
    upload(certificates=root).expect(200)
    upload(certificates="# the same\n" + root.replace("\n", "\r\n")).expect(400, 1471, message="already exists")
    w.upload("two")
    reply = upload(certificates=w.ca("three")).expect(400, 1489, message="^Hit maximum CA cert allocation.$")
    check("retry-after" not in reply.headers, "a permanent refusal asks to come back")
    free = w.server.json("account", "create", "--name", "poor", "--plan", "free")["id"]
    g.post("/client/v4/accounts/%s/mtls_certificates" % free, {"ca": True, "certificates": root},
           token=w.token("--permission", "all", account="poor")).expect(403, 10000)


def test_hostnames(case):
    w = gateway.world(case)
    g, path = w.gateway, w.of_zone + "/certificate_authorities/hostname_associations"
    for bad in [{}, {"hostnames": None}]:
        g.put(path, bad).expect(400, 1419, "/hostnames")
    for bad in ["a.example.com", {"a": 1}, 7]:
        g.put(path, {"hostnames": bad}).expect(400, 1419, "/hostnames")
    g.put(path, {"hostnames": ["a.example.com", 7]}).expect(400, 1419, "/hostnames/1")
    for host in ["", "a.example.net", "a.example.com.", "a.example.com:443", "https://a.example.com", "a b.example.com", "*", "*.*.example.com",
                 "a*.example.com", "b.*.example.com", "xexample.com", "com", "a..example.com", "-a.example.com", "a." * 130 + "example.com", "127.0.0.1"]:
        g.put(path, {"hostnames": ["ok.example.com", host]}).expect(400, 1420, "/hostnames/1")
    reply = g.put(path, {"hostnames": ["x.example.net", "ok.example.com", "y.example.net"]}).expect(400, 1420)
    equal([e["source"]["pointer"] for e in reply.errors], ["/hostnames/0", "/hostnames/2"], "pointers")
    g.put(path, {"hostnames": ["h%d.example.com" % n for n in range(1001)]}).expect(400, 1424, "/hostnames")
    for bad in ["x", "", NOBODY, UNKNOWN.upper().replace("0", "A")]:
        g.get(path + "?mtls_certificate_id=" + bad).expect(400, 1419)
        g.put(path, {"hostnames": [], "mtls_certificate_id": bad}).expect(400, 1419, "/mtls_certificate_id")
    g.put(path, {"hostnames": [], "mtls_certificate_id": 7}).expect(400, 1419, "/mtls_certificate_id")
    equal(g.get(path).result, {"hostnames": []}, "hosts after all that")


def test_rules(case):
    w = gateway.world(case)
    g = w.gateway
    entry, path = w.of_zone + "/rulesets/phases/%s/entrypoint" % PHASE, w.of_zone + "/rulesets"
    start = g.put(entry, {"rules": [BLOCK]}).expect(200).result
    rules = path + "/" + start["id"] + "/rules"
    wrong = [
        ({"expression": ""}, 20125, "expression", "^'' is not a valid value for expression because the expression cannot be blank$"),
        ({"expression": None}, 20125, "expression", None),
        ({"expression": "http.host eq"}, 20127, "expression",
         r"^'http.host eq' is not a valid value for expression because could not parse filter expression: Filter parsing error \(1:\d+\): "),
        ({"expression": "true and\nabc"}, 20127, "expression", r"Filter parsing error \(2:1\)"),
        ({"action": None}, 20120, "action", None),
        ({"action": "explode"}, 20120, "action", "^'explode' is not a valid value for action"),
        ({"action": "execute"}, 20120, "action", None),
        ({"action": "rewrite"}, 20120, "action", None),
        ({"action": None, "action_parameters": {"ruleset": "current"}}, 20126, "action", "^action is required for action parameters$"),
        ({"action_parameters": {"response": {"status_code": 200, "content": "x", "content_type": "text/plain"}}}, 20128,
         "action_parameters/response/status_code", None),
        ({"action_parameters": {"response": {"status_code": 403, "content": "x"}}}, 1419, "action_parameters/response/content_type", None),
        ({"action_parameters": {"response": {"status_code": "403", "content": "x", "content_type": "text/plain"}}}, 1419,
         "action_parameters/response/status_code", None),
        ({"action": "skip"}, 20128, "action_parameters", None),
        ({"action": "skip", "action_parameters": {"products": ["WAF"]}}, 20128, "action_parameters/products", None),
        ({"action": "skip", "action_parameters": {"ruleset": "other"}}, 20128, "action_parameters/ruleset", None),
        ({"logging": {"enabled": True}}, 20128, "logging", None),
        ({"enabled": "yes"}, 1419, "enabled", None),
        ({"description": []}, 1419, "description", None),
    ]
    for change, code, pointer, message in wrong:
        rule = dict(BLOCK, **change)
        g.put(entry, {"rules": [BLOCK, rule]}).expect(400, code, "/rules/1/" + pointer, message)
        g.post(rules, rule).expect(400, code, "/" + pointer, message)
        g.patch(rules + "/" + start["rules"][0]["id"], rule).expect(400, code, "/" + pointer, message)
    for position in [{}, {"before": "", "after": ""}, {"index": 0}, {"index": 3}, {"index": -1}, {"before": NOBODY}, {"after": "x"}]:
        g.post(rules, dict(BLOCK, position=position)).expect(400, 20129, "/position")
    for position in ["first", 1]:
        g.post(rules, dict(BLOCK, position=position)).expect(400, 1419, "/position")
    g.post(rules, dict(BLOCK, position={"index": "1"})).expect(400, 1419, "/position/index")
    for bad in [{"rules": {}}, {"rules": "x"}, {"description": 1}]:
        g.put(entry, bad).expect(400, 1419)
    g.put(entry, {"rules": [1]}).expect(400, 1419, "/rules/0")
    g.put(entry, {"rules": [BLOCK] * 1001}).expect(400, 1424, "/rules")
    twice = g.put(entry, {"rules": [dict(BLOCK, ref="r"), dict(BLOCK, ref="r")]})
    check(twice.status == 400 and twice.errors[0]["source"]["pointer"].startswith("/rules/1"), "two of one ref: %s" % twice.body)
    g.put(w.of_zone + "/rulesets/phases/http_ratelimit/entrypoint", {"rules": []}).expect(400, 20117)
    g.get(w.of_zone + "/rulesets/phases/http_ratelimit/entrypoint").expect(404, 10003)
    new = {"name": "n", "kind": "zone", "phase": PHASE, "rules": []}
    g.post(path, dict(new, kind="root")).expect(400, 20116, "/kind")
    g.post(path, dict(new, phase="http_ratelimit")).expect(400, 20117, "/phase")
    for gone in new:
        g.post(path, {k: v for k, v in new.items() if k != gone}).expect(400, 1419, "/" + gone)
    g.post(path, dict(new, name="")).expect(400, 1419, "/name")
    g.get(path + "/" + NOBODY).expect(404, 10001)
    equal(g.get(entry).result, start, "the ruleset after all that")


def test_queries(case):
    w = gateway.world(case)
    for bad in ["a=%", "a=%zz", "a=%00", "%ff=1", "a=%c3", "&".join("q%d=1" % n for n in range(65))]:
        w.gateway.get("/client/v4/zones?" + bad).expect(400, 1419)
    for fine in ["", "&&", "a", "a=", "=a", "a=b=c", "unknown=" + urllib.parse.quote("\u00fc /"), "name=a+b"]:
        w.gateway.get("/client/v4/zones?" + fine).expect(200)


def test_server_is_away(case):
    """No change can have been made: 503 and come back. The gateway finds the server again by itself."""
    w = gateway.world(case)
    body = {"ca": True, "certificates": w.ca("one")}
    w.gateway.get("/readyz").expect(200)
    w.server.stop()
    for reply in [w.gateway.get(w.certs), w.gateway.post(w.certs, body)]:
        reply.expect(503, 1500)
        check(1 <= int(reply.headers["retry-after"]) <= 60, "retry-after")
        check("x-should-retry" not in reply.headers, "a retry is forbidden")
    equal(w.gateway.get("/readyz").status, 503, "readiness")
    equal(w.gateway.get("/livez").status, 200, "life")
    w.server.start()
    w.gateway.post(w.certs, body).expect(200)
    equal(w.gateway.get("/readyz").status, 200, "readiness")


if __name__ == "__main__":
    harness.main(globals())
