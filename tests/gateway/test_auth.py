#!/usr/bin/env python3
"""/auth as proxies ask it: who may ask, which headers count, what is answered."""
import os

import gateway
import harness
import hook
from harness import check, equal
from hook import says


def test_only_peers_may_ask(case):
    w = gateway.world(case)
    reply = w.gateway.get("/auth", token=None)
    says(reply, 403, "refused", "127.0.0.1 is not among the proxies")
    with hook.started(gateway.Gateway(w.server, "--auth-peer", "192.0.2.0/24", "--auth-peer", "unix")) as other:
        says(other.get("/auth", token=None), 403, "refused", "127.0.0.1 is not among")
    with hook.started(hook.UnixGateway(w.server, "--auth-peer", "unix")) as local:
        says(local.get("/auth", token=None, headers={"Host": hook.HOST}), 403, "refused", "X-Original-Method: there is none")
        equal(os.stat(local.address).st_mode & 0o777, 0o666, "mode of the socket: the folder says who may connect")
    # The socket that was left is replaced.
    with hook.started(hook.UnixGateway(w.server, "--auth-peer", "127.0.0.1")) as local:
        says(local.get("/auth", token=None), 403, "refused", "unix is not among the proxies")


def test_verdicts(case):
    w = hook.hook_world(case)
    good = says(w.ask("friend"), 200, "verified")
    equal(good.body, b"", "body")
    equal(good.headers["x-anchord-ca"], w.good, "the CA")
    equal(good.headers["x-anchord-host"], hook.HOST, "the host")
    check(int(good.headers["x-anchord-revision"]) > 0, "no revision")
    equal(good.headers["x-anchord-status"], "200", "status")
    says(w.ask("stranger"), 403, "not-verified")
    late = says(w.ask("late"), 403, "not-verified")
    equal(late.headers["x-anchord-error"], "X509_V_ERR_CERT_HAS_EXPIRED", "error")
    says(w.ask(), 403, "no-certificate", "shows no certificate")
    says(w.ask("friend", host="other.example.com"), 403, "not-verified")
    says(w.ask("friend", host="api.example.net"), 403, "not-verified", "no zone")
    says(w.ask("friend", host=hook.HOST + ":8443"), 200, "verified")
    says(w.ask("friend", host="API.Example.com"), 200, "verified")
    says(w.ask("friend", host=""), 403, "refused", "Host")


def test_forms_of_the_certificate(case):
    w = hook.hook_world(case)
    says(w.ask(path="/auth/client-cert", headers={"Client-Cert": w.sequence("friend")}), 200, "verified")
    below = {"Client-Cert": w.sequence("below")}
    says(w.ask(path="/auth/client-cert", headers=below), 403, "not-verified")
    says(w.ask(path="/auth/client-cert", headers=dict(below, **{"Client-Cert-Chain": w.sequence("middle")})), 200, "verified")
    says(w.ask("below"), 403, "not-verified")
    w.pki.join("both", "below", "middle")
    says(w.ask("both"), 200, "verified")
    digest = {"X-SSL-Client-SHA256": w.pki.sha256("friend")}
    says(w.ask(path="/auth/digest", headers=digest), 200, "verified")
    says(w.ask(path="/auth/digest", headers={"X-SSL-Client-SHA256": "0" * 64}), 403, "need-certificate")
    says(w.ask(path="/auth/digest"), 403, "no-certificate")


def test_what_the_form_does_not_read_is_ignored(case):
    w = hook.hook_world(case)
    forged = {"Client-Cert": w.sequence("friend"), "X-SSL-Client-SHA256": w.pki.sha256("friend"),
              "X-Forwarded-For": "203.0.113.9", "X-Anchord-Verdict": "verified"}
    says(w.ask(headers=forged), 403, "no-certificate")
    says(w.ask("stranger", headers=forged), 403, "not-verified")
    says(w.ask("friend", path="/auth/client-cert"), 403, "no-certificate")
    says(w.ask("friend", path="/auth/digest"), 403, "no-certificate")
    w.rules(('ip.src eq 203.0.113.9', 451), ('http.request.uri.path eq "/forged"', 452))
    says(w.ask("friend", headers={"X-Forwarded-For": "203.0.113.9"}), 200, "verified")
    at = {"X-Original-URI": "/forged", "X-Original-Method": "GET", "X-Real-IP": "203.0.113.9", "X-Forwarded-For": "192.0.2.7"}
    says(w.ask("friend", path="/auth/request/true", headers=at), 200, "verified")


def test_mistakes_are_refused(case):
    w = hook.hook_world(case)
    for path in ["/auth/", "/auth/other", "/auth/digest/client-cert", "/auth/optional/optional", "/auth?x=1", "/auth/requestx"]:
        says(w.ask("friend", path=path), 403, "refused", "the path is not")
    for value, why in [("%2", "escape"), ("nothing", "does not begin"), ("-----BEGIN CERTIFICATE-----%0AAA", "does not end"),
                       ("-----BEGIN CERTIFICATE-----A-----END CERTIFICATE-----", "base64"),
                       ("-----BEGIN CERTIFICATE----------END CERTIFICATE-----", "empty")]:
        says(w.ask(headers={"X-SSL-Client-Cert": value}), 403, "refused", "X-SSL-Client-Cert: .*" + why)
    for value, why in [("AAAA", "colons"), (":AAA:", "base64"), (":AAAA:;a=1", "follows"), (":AAAA:, :AAAA:", "more than one")]:
        says(w.ask(path="/auth/client-cert", headers={"Client-Cert": value}), 403, "refused", "Client-Cert: .*" + why)
    says(w.ask(path="/auth/client-cert", headers={"Client-Cert-Chain": ":AAAA:"}), 403, "refused", "without a certificate")
    says(w.ask(path="/auth/digest", headers={"X-SSL-Client-SHA256": "12"}), 403, "refused", "SHA-256")
    for name in ["X-Real-IP", "X-Original-Method", "X-Original-URI"]:
        says(w.ask("friend", headers={name: None}), 403, "refused", name + ": there is none")
    says(w.ask("friend", headers={"X-Real-IP": "localhost"}), 403, "refused", "not an address")
    says(w.ask("friend", path="/auth/request/"), 403, "refused", "X-Forwarded-For: there is none")
    twice = w.gateway.connect()
    twice.putrequest("GET", "/auth", skip_host=True)
    for name, value in [("Host", hook.HOST), ("X-SSL-Client-Cert", ""), ("x-ssl-client-cert", "")]:
        twice.putheader(name, value)
    twice.endheaders()
    got = twice.getresponse()
    says(gateway.Reply(got.status, got.getheaders(), got.read()), 403, "refused", "X-SSL-Client-Cert is there twice")


def test_rules_decide(case):
    w = hook.hook_world(case)
    w.rules(('http.request.method eq "DELETE"', 405), ('http.request.uri.path eq "/secret" and http.request.uri.query contains "x"', None),
            ('ip.src in {203.0.113.0/24}', 451), ('http.user_agent contains "bad"', 429),
            ('http.host ne "api.example.com" or anchord.sni_mismatch', 421))
    says(w.ask("friend"), 200, "verified")
    by_rule = says(w.ask("friend", headers={"X-Original-Method": "DELETE"}), 405, "verified")
    equal((by_rule.body, by_rule.headers["content-type"]), (b"by rule\n", "text/plain"), "what the rule answers")
    check(by_rule.headers["x-anchord-rule"] and by_rule.headers["x-anchord-action"] == "block", "the rule is not named")
    says(w.ask("friend", headers={"X-Original-URI": "/secret?x=1"}), 403, "verified", "block")
    says(w.ask("friend", headers={"X-Original-URI": "/secret"}), 200, "verified")
    says(w.ask("friend", headers={"X-Real-IP": "203.0.113.5"}), 451, "verified")
    folded = says(w.ask("friend", path="/auth/only-403", headers={"X-Real-IP": "203.0.113.5"}), 403, "verified")
    equal(folded.headers["x-anchord-status"], "451", "the rule's own status")
    says(w.ask("friend", headers={"User-Agent": "bad"}), 429, "verified")
    says(w.ask("friend", headers={"X-SSL-Server-Name": "other.example.com"}), 421, "verified")
    says(w.ask("friend", headers={"X-SSL-Server-Name": hook.HOST}), 200, "verified")
    says(w.ask("friend", path="/auth/request/a/b?q", method="DELETE", headers={"X-Forwarded-For": "203.0.113.1, 192.0.2.1"}), 405, "verified")
    says(w.ask("friend", path="/auth/request/secret?x", headers={"X-Forwarded-For": "192.0.2.1"}), 403, "verified", "block")
    says(w.ask("friend", path="/auth/request//odd//path%2F", headers={"X-Forwarded-For": "192.0.2.1"}), 200, "verified")
    says(w.ask("friend", path="/auth/request", headers={"X-Forwarded-For": "192.0.2.1, 203.0.113.1"}), 451, "verified")


def test_optional_leaves_it_to_the_rules(case):
    w = hook.hook_world(case)
    w.rules(('http.request.uri.path eq "/admin" and not anchord.cert_trusted', 401))
    for name, verdict in [("friend", "verified"), ("stranger", "not-verified"), (None, "no-certificate")]:
        says(w.ask(name, path="/auth/optional"), 200, verdict)
        says(w.ask(name, path="/auth/optional", headers={"X-Original-URI": "/admin"}), 200 if name == "friend" else 401, verdict)


def test_without_a_server(case):
    w = hook.hook_world(case)
    w.server.stop()
    reply = says(w.ask("friend"), 503, "unavailable", "cannot be asked")
    equal(reply.headers["retry-after"], "1", "retry-after")
    w.server.start()
    says(w.ask("friend"), 200, "verified")


def test_a_change_counts_at_once_on_one_connection(case):
    w = hook.hook_world(case)
    conn = w.gateway.connect()
    for _ in range(10):
        w.rules(('http.host eq "api.example.com"', 410))
        says(w.ask("friend", connection=conn), 410, "verified")
        w.rules()
        says(w.ask("friend", connection=conn), 200, "verified")


if __name__ == "__main__":
    harness.main(globals())
