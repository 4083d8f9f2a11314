#!/usr/bin/env python3
"""The steps of the product's documentation as they are printed there: with curl, one after the other."""
import json
import os
import subprocess

import gateway
import harness
from harness import check, equal


class Curl:
    """curl as a reader of the documentation runs it; what it prints is held to what all answers have in common."""

    def __init__(self, w):
        self.w = w
        self.base = "http://%s:%d" % w.gateway.address

    def __call__(self, path, *args, status=200, code=None):
        folder = self.w.server.folder
        head, body = os.path.join(folder, "curl.head"), os.path.join(folder, "curl.body")
        command = ["curl", "--silent", "--show-error", "--max-time", "60", "--noproxy", "*", "-D", head, "-o", body, self.base + path,
                   "--header", "Authorization: Bearer " + self.w.gateway.token, *args]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
        check(done.returncode == 0, "curl exit %d: %s" % (done.returncode, done.stderr.decode()))
        with open(head, encoding="latin-1", newline="") as text:
            block = text.read().strip().split("\r\n\r\n")[-1].split("\r\n")
        with open(body, "rb") as data:
            reply = gateway.Reply(int(block[0].split()[1]), [line.split(": ", 1) for line in block[1:]], data.read())
        gateway.held_to_the_envelope(reply, False)
        return reply.expect(status, code)

    def file(self, name, value):
        """A body in a file, for --data @file."""
        path = os.path.join(self.w.server.folder, name)
        with open(path, "w", encoding="utf-8") as text:
            json.dump(value, text)
        return "@" + path


def escaped(pem):
    """A certificate in one line with "\\n" between, as the documentation tells readers to write it."""
    return pem.strip().replace("\n", "\\n")


def upload(curl, pem, **more):
    body = '{"name": "example_name", "certificates": "%s", "ca": true}' % escaped(pem)
    return curl(curl.w.certs, "--request", "POST", "--json", body, **more)


def test_bring_your_own_ca(case):
    w = gateway.world(case)
    curl = Curl(w)
    pem = w.ca("one")
    made = upload(curl, pem).result
    equal((made["name"], made["ca"], made["certificates"]), ("example_name", True, pem.strip()), "the certificate")
    hosts = w.of_zone + "/certificate_authorities/hostname_associations"
    of_it = hosts + "?mtls_certificate_id=" + made["id"]

    def put(names):
        body = {"hostnames": names, "mtls_certificate_id": made["id"]}
        return curl(hosts, "--request", "PUT", "--json", json.dumps(body)).result

    first, second = ["one.example.com", "two.example.com"], ["two.example.com", "three.example.com"]
    equal(put(first), {"hostnames": first}, "associated")
    equal(curl(of_it).result, {"hostnames": first}, "listed")
    equal(put(second), {"hostnames": second}, "replaced")
    equal(curl(of_it).result, {"hostnames": second}, "listed again")
    equal([c["id"] for c in curl(w.certs).result], [made["id"]], "certificates")
    one = w.certs + "/" + made["id"]
    equal(curl(one + "/associations").result, [{"service": "api_shield", "status": "active"}], "associations")
    curl(one, "--request", "DELETE", status=400, code=1473)
    equal(put([]), {"hostnames": []}, "an empty list")
    equal(curl(of_it).result, {"hostnames": []}, "after an empty list")
    equal(curl(one, "--request", "DELETE").result, made, "deleted")
    curl(one, status=404, code=1472)
    equal(curl(w.certs).result, [], "no certificates")


def test_the_sixth_ca(case):
    w = gateway.world(case)
    curl = Curl(w)
    made = [upload(curl, w.ca("ca%d" % n)).result["id"] for n in range(5)]
    sixth = w.ca("ca5")
    reply = upload(curl, sixth, status=400, code=1489)
    equal(reply.json, {"success": False, "errors": [{"code": 1489, "message": "Hit maximum CA cert allocation."}], "messages": [],
                       "result": None}, "the sixth")
    curl(w.certs + "/" + made[0], "--request", "DELETE")
    upload(curl, sixth)


def test_managed_ca(case):
    """Without an id the list is that of the managed CA, which is one of its own."""
    w = gateway.world(case)
    curl = Curl(w)
    made = upload(curl, w.ca("one")).result["id"]
    hosts = w.of_zone + "/certificate_authorities/hostname_associations"
    equal(curl(hosts).result, {"hostnames": []}, "never written")
    names = ["b.example.com", "a.example.com"]
    equal(curl(hosts, "--request", "PUT", "--json", json.dumps({"hostnames": names})).result, {"hostnames": names}, "written")
    equal(curl(hosts).result, {"hostnames": names}, "the managed CA's")
    equal(curl(hosts + "?mtls_certificate_id=" + made).result, {"hostnames": []}, "the other CA's")
    curl(hosts, "--request", "PUT", "--json", "{}", status=400, code=1419)
    equal(curl(hosts).result, {"hostnames": names}, "a body without a list changes nothing")
    equal(curl(hosts, "--request", "PUT", "--json", '{"hostnames": []}').result, {"hostnames": []}, "cleared")


def test_mtls_rule(case):
    """The rule that makes certificates compulsory for some hosts."""
    w = gateway.world(case)
    curl = Curl(w)
    rules = w.of_zone + "/rulesets"
    entry = rules + "/phases/http_request_firewall_custom/entrypoint"
    curl(entry, status=404, code=10003)
    rule = {"description": "mTLS", "action": "block",
            "expression": '(http.host in {"a.example.com" "b.example.com"} and not cf.tls_client_auth.cert_verified)'}
    made = curl(rules, "--request", "POST", "--data", curl.file("rule.json", {
        "name": "zone", "kind": "zone", "phase": "http_request_firewall_custom", "rules": [rule]})).result
    equal(curl(entry).result, made, "the entry point")
    of_it = rules + "/" + made["id"] + "/rules"
    both = curl(of_it, "-d", curl.file("rule.json", dict(rule, description="second", position={"index": 1}))).result
    equal([r["description"] for r in both["rules"]], ["second", "mTLS"], "rules")
    curl(of_it + "/" + both["rules"][0]["id"], "--request", "PATCH", "--json", json.dumps(dict(rule, enabled=False)))
    left = curl(of_it + "/" + both["rules"][0]["id"], "--request", "DELETE").result
    equal([r["id"] for r in left["rules"]], [made["rules"][0]["id"]], "the rule that is left")
    equal(curl(rules + "/" + made["id"], "--request", "DELETE", status=204).body, b"", "deleted")


def test_other_ways_to_send(case):
    """A form's content type, a body from a file, compressed answers, a body that waits for 100 Continue."""
    w = gateway.world(case)
    curl = Curl(w)
    body = {"ca": True, "certificates": w.ca("one"), "name": "from a file"}
    made = curl(w.certs, "--data", curl.file("ca.json", body)).result
    equal(made["certificates"], body["certificates"], "the text")
    equal(curl(w.certs + "/" + made["id"], "--compressed").result, made, "compressed")
    curl(w.certs + "/" + made["id"], "--request", "DELETE")
    again = curl(w.certs, "--header", "Expect: 100-continue", "--json", curl.file("ca.json", body)).result
    check(again["id"] != made["id"], "a new certificate")
    curl(w.certs, "--header", "Expect: 100-continue", "--json", curl.file("ca.json", dict(body, certificates="x" * (1 << 20))),
         status=413, code=1424)


if __name__ == "__main__":
    harness.main(globals())
