#!/usr/bin/env python3
"""/zones/{zone}/client_certificates against real processes: life cycle, lists, quota, refusals, and what the verdict becomes."""
import datetime
import re

import gateway
import harness
from gateway import shape
from harness import check, equal

HOST = "api.example.com"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
CLIENT = {"id": "uuid", "certificate": "str", "certificate_authority": {"id": "uuid", "name": "str"}, "common_name": "str", "country": "str",
          "csr": "str", "expires_on": "time", "fingerprint_sha256": "hex", "issued_on": "time", "location": "str", "organization": "str",
          "organizational_unit": "str", "serial_number": "hex", "signature": "ECDSAWithSHA256", "ski": "hex", "state": "str", "status": "str",
          "validity_days": "int"}


def start(case, **more):
    """A world in which HOST takes what the managed CA has signed."""
    w = gateway.world(case, **more)
    w.clients = w.of_zone + "/client_certificates"
    w.gateway.put(w.of_zone + "/certificate_authorities/hostname_associations", {"hostnames": [HOST]}).expect(200)
    return w


def request(w, name, subject=None, kind="P-256"):
    """The text of a new request."""
    out = w.pki.path(name, "csr")
    w.pki.openssl("req", "-new", "-key", w.pki.key(name, kind), "-subj", subject or "/O=Acme/CN=" + name, "-out", out)
    with open(out, encoding="ascii") as text:
        return text.read()


def post(w, csr, days=30):
    return w.gateway.post(w.clients, {"csr": csr, "validity_days": days})


def issue(w, name, subject=None, days=30):
    """A client certificate; its PEM is in the folder of the pki under that name."""
    made = post(w, request(w, name, subject), days).expect(200).result
    with open(w.pki.path(name), "w", encoding="ascii") as out:
        out.write(made["certificate"])
    return made


def one(w, made):
    return w.clients + "/" + made["id"]


def verdict(w, name):
    result = w.server.ctl("query", "verify", "--host", HOST, w.pki.path(name), json_out=True)
    check(result.code in (0, 1), "exit %d: %s" % (result.code, result.err))
    return result.json["verified"], result.json["revoked"]


def seconds(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").timestamp()


def pages(w, query=""):
    """The ids of all pages, as clients walk them: until one is empty."""
    number, ids = 1, []
    while True:
        reply = w.gateway.get("%s?page=%d%s" % (w.clients, number, query)).expect(200)
        shape(reply.result, [CLIENT])
        shape(reply.json["result_info"], gateway.RESULT_INFO)
        equal((reply.json["result_info"]["page"], reply.json["result_info"]["count"]), (number, len(reply.result)), "page")
        if not reply.result:
            return ids, reply.json["result_info"]["total_count"]
        ids += [c["id"] for c in reply.result]
        number += 1


def test_life_cycle(case):
    w = start(case)
    g = w.gateway
    equal(g.get(w.clients).expect(200).result, [], "an empty list")
    made = issue(w, "bob")
    shape(made, CLIENT)
    equal((made["status"], made["common_name"], made["organization"], made["validity_days"]), ("active", "bob", "Acme", 30), "what was issued")
    equal([made[n] for n in ("country", "location", "organizational_unit", "state")], [""] * 4, "what the request does not have")
    equal(verdict(w, "bob"), (True, False), "verdict at first")
    equal(g.get(one(w, made)).expect(200).result, made, "by id")
    gone = g.delete(one(w, made)).expect(200).result
    equal(gone, dict(made, status="revoked"), "what was revoked")
    equal(verdict(w, "bob"), (False, True), "verdict after it was revoked")
    equal(g.get(one(w, made)).expect(200).result, gone, "by id after it was revoked")
    g.delete(one(w, made)).expect(400, 1407, message="already deleted")
    equal(g.patch(one(w, made), {"reactivate": False}).expect(200).result, gone, "not reactivated")
    equal(verdict(w, "bob"), (False, True), "verdict when nothing was changed")
    equal(g.patch(one(w, made), {"reactivate": True}).expect(200).result, made, "what was reactivated")
    equal(verdict(w, "bob"), (True, False), "verdict after it was taken back")
    for body in [{"reactivate": True}, {}, None]:
        equal(g.patch(one(w, made), body).expect(200).result, made, "an active one, by %r" % body)
    for body in [{}, None, {"reactivate": None}]:
        g.delete(one(w, made)).expect(200)
        equal(g.patch(one(w, made), body).expect(200).result, made, "reactivated by %r" % body)


def test_members_are_those_of_the_certificate(case):
    w = start(case)
    made = issue(w, "bob", "/C=DE/ST=Bavaria/L=Munich/O=Acme/OU=Edge/CN=bob", 3650)
    equal({n: made[n] for n in ("country", "state", "location", "organization", "organizational_unit", "common_name")},
          {"country": "DE", "state": "Bavaria", "location": "Munich", "organization": "Acme", "organizational_unit": "Edge",
           "common_name": "bob"}, "subject")
    with open(w.pki.path("bob", "csr"), encoding="ascii") as text:
        equal(made["csr"], text.read(), "request")
    equal(made["fingerprint_sha256"], w.pki.sha256("bob"), "SHA-256")
    out = w.pki.openssl("x509", "-in", w.pki.path("bob"), "-noout", "-serial", "-ext", "subjectKeyIdentifier").decode()
    equal(made["serial_number"], re.search("serial=([0-9A-F]+)", out).group(1).lower(), "serial number")
    equal(made["ski"], re.search(r"^ +([0-9A-F:]+)$", out, re.M).group(1).replace(":", "").lower(), "key identifier")
    equal(seconds(made["expires_on"]) - seconds(made["issued_on"]), 3650 * 86400, "seconds from issue to end")
    again = post(w, made["csr"]).expect(200).result
    check(again["id"] != made["id"] and again["serial_number"] != made["serial_number"], "the same certificate twice")
    equal(again["certificate_authority"], made["certificate_authority"], "CA")


def test_list(case):
    w = start(case)
    equal(pages(w), ([], 0), "none")
    made = [issue(w, "c%d" % n) for n in range(6)]
    ids = [c["id"] for c in reversed(made)]
    equal(pages(w, "&per_page=1"), (ids, 6), "one by one, newest first")
    equal(pages(w, "&limit=4"), (ids, 6), "in pages of four")
    equal(pages(w, "&offset=2"), (ids[2:], 6), "after the second")
    w.gateway.delete(one(w, made[2])).expect(200)
    gone = made[2]["id"]
    active = [i for i in ids if i != gone]
    for status, want in [("all", ids), ("active", active), ("revoked", [gone]), ("pending_revocation", []), ("pending_reactivation", [])]:
        equal(pages(w, "&per_page=2&status=" + status), (want, len(want)), "with status " + status)
    w.gateway.get(w.clients + "?status=lost").expect(400, 1419, message="status must be one of")


def test_quota(case):
    """Only active ones count: revoking makes room, and reactivating needs it."""
    w = start(case, config="limits:\n  client_certs: 2\n")
    first, _ = issue(w, "one"), issue(w, "two")
    csr = request(w, "three")
    text = "^Hit maximum certificate allocation: 2 certificates per zone are allowed$"
    post(w, csr).expect(400, 1445, message=text)
    w.gateway.delete(one(w, first)).expect(200)
    third = post(w, csr).expect(200).result
    w.gateway.patch(one(w, first), {}).expect(400, 1445, message=text)
    equal(verdict(w, "one"), (False, True), "verdict of the one that found no room")
    w.gateway.delete(one(w, third)).expect(200)
    equal(w.gateway.patch(one(w, first), {}).expect(200).result["status"], "active", "status with room")


def test_unknown_ids(case):
    w = start(case)
    made = issue(w, "bob")
    other = "/client/v4/zones/%s/client_certificates/" % w.server.json("zone", "create", "--account", "acme", "--name", "example.net")["id"]
    for path in [w.clients + "/" + UNKNOWN, other + made["id"]]:
        for method, body in [("GET", None), ("DELETE", None), ("PATCH", {}), ("PATCH", {"reactivate": False})]:
            w.gateway.call(method, path, body).expect(404, 1415, message="^Invalid Certificate ID in request$")
    w.gateway.get(w.clients + "/bob").expect(400, 7003)
    w.gateway.put(one(w, made), {}).expect(405, 10405)
    equal(w.gateway.get(one(w, made)).expect(200).result, made, "the certificate after all that")


def test_bad_requests(case):
    w = start(case)
    good = request(w, "bob")
    lines = good.split("\n")
    cut = "\n".join(lines[:-3])
    forged = good[:120] + ("A" if good[120] != "A" else "B") + good[121:]
    with open(w.pki.path("bob", "key"), encoding="ascii") as text:
        key = text.read()
    for csr in ["", "nonsense", cut, forged, key, good + good, good.replace("REQUEST", "THING"), w.ca("root"), request(w, "weak", kind="RSA-1024"),
                request(w, "nobody", "/"), "\0" + good]:
        reply = post(w, csr)
        if "\0" in csr:
            reply.expect(400, 1400)
        else:
            reply.expect(400, 1422, "/csr")
            equal(set(reply.codes), {1422}, "codes")
    for days in [0, -1, 5476, 1 << 32, (1 << 32) + 30]:
        post(w, good, days).expect(400, 1423, "/validity_days", "1 to 5475")
    for body, pointer in [({"csr": good}, "/validity_days"), ({"validity_days": 30}, "/csr"), ({"csr": good, "validity_days": "30"}, "/validity_days"),
                          ({"csr": good, "validity_days": 1.5}, "/validity_days"), ({"csr": [good], "validity_days": 30}, "/csr")]:
        w.gateway.post(w.clients, body).expect(400, 1419, pointer)
    w.gateway.post(w.clients, b"{").expect(400, 1400)
    equal(w.gateway.get(w.clients).result, [], "certificates after all that")
    made = issue(w, "bob")
    w.gateway.patch(one(w, made), {"reactivate": "yes"}).expect(400, 1419, "/reactivate")
    w.gateway.patch(one(w, made), b"[]").expect(400, 1400)


def test_nobody_gets_a_ca(case):
    w = start(case)
    out = w.pki.path("eve", "csr")
    w.pki.openssl("req", "-new", "-key", w.pki.key("eve"), "-subj", "/CN=eve", "-addext", "basicConstraints=critical,CA:TRUE", "-out", out)
    with open(out, encoding="ascii") as text:
        made = post(w, text.read()).expect(200).result
    with open(w.pki.path("eve"), "w", encoding="ascii") as pem:
        pem.write(made["certificate"])
    text = w.pki.openssl("x509", "-in", w.pki.path("eve"), "-noout", "-text").decode()
    check("CA:FALSE" in text and "CA:TRUE" not in text, text)


def test_rights(case):
    w = start(case)
    made = issue(w, "bob")
    reads = w.token("--permission", "SSL and Certificates Read")
    writes = w.token("--permission", "SSL and Certificates Write", "--zone", "example.com")
    waf = w.token("--permission", "Zone WAF Write")
    body = {"csr": made["csr"], "validity_days": 30}
    for method, path, send in [("GET", w.clients, None), ("GET", w.clients + "?status=pending_revocation", None), ("GET", one(w, made), None),
                               ("POST", w.clients, body), ("DELETE", one(w, made), None), ("PATCH", one(w, made), {}),
                               ("PATCH", one(w, made), {"reactivate": False})]:
        w.gateway.call(method, path, send, token=waf).expect(403, 10000)
        if method == "GET":
            w.gateway.call(method, path, send, token=reads).expect(200)
        elif send != {"reactivate": False}:
            w.gateway.call(method, path, send, token=reads).expect(403, 10000)
        w.gateway.call(method, path, send, token=writes).expect(200)


if __name__ == "__main__":
    harness.main(globals())
