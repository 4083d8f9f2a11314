"""Tokens over real processes: what one permits is done, everything else is refused, and a revoked one is nobody."""
import os
import re

import harness
from harness import check, contains, equal


def world(case):
    server = case.server()
    server.json("account", "create", "--name", "acme")
    server.json("account", "create", "--name", "other")
    for account, zone in (("acme", "example.com"), ("acme", "example.net"), ("other", "example.org")):
        server.json("zone", "create", "--account", account, "--name", zone)
    return server


def token(server, *args):
    return server.json("token", "create", "--account", "acme", *args)


def as_token(server, secret, *args, code=0, part=None):
    return server.ctl(*args, json_out=True, env={"ANCHORD_TOKEN": secret}).expect(code, part)


def test_permissions_on_accounts_and_zones(case):
    server = world(case)
    read = token(server, "--permission", "SSL and Certificates Read", "--zone", "example.com", "--name", "edge")
    check(re.fullmatch(r"anc_[0-9A-Za-z_-]{43}", read["value"]), "form of the token")
    equal(read["permissions"], ["SSL and Certificates Read"], "permissions")
    equal([z["name"] for z in as_token(server, read["value"], "zone", "list").json], ["example.com"], "zones in reach")
    equal([a["name"] for a in as_token(server, read["value"], "account", "list").json], ["acme"], "accounts in reach")
    as_token(server, read["value"], "host", "list", "--zone", "example.com", "--all")
    as_token(server, read["value"], "host", "set", "--zone", "example.com", code=1, part="does not permit")
    as_token(server, read["value"], "ca", "list", "--account", "acme", code=1, part="does not permit")
    as_token(server, read["value"], "token", "list", "--account", "acme", code=1, part="local socket")
    # What lies out of reach is answered as what is not there.
    for zone in ("example.net", "example.org", "nowhere.example"):
        as_token(server, read["value"], "host", "list", "--zone", zone, "--all", code=1, part="no zone '%s'" % zone)
    write = token(server, "--permission", "SSL and Certificates Write", "--permission", "Zone WAF Read")
    as_token(server, write["value"], "host", "set", "--zone", "example.net", "a.example.net")
    as_token(server, write["value"], "host", "list", "--zone", "example.org", "--all", code=1, part="no zone")
    changes = server.read_log()
    contains(changes, "actor=token:" + write["id"], "log")


def test_the_secret_is_nowhere_but_in_the_reply(case):
    server = world(case)
    secret = token(server, "--permission", "all", "--idempotency-key", "once")["value"]
    again = token(server, "--permission", "all", "--idempotency-key", "once")
    equal(again["value"], None, "the token of a repeated call")
    equal(len(server.json("token", "list", "--account", "acme")), 1, "tokens")
    for name in os.listdir(server.data):
        path = os.path.join(server.data, name)
        if os.path.isfile(path):
            with open(path, "rb") as data:
                check(secret.encode() not in data.read(), "the secret stands in " + name)
    with open(server.log, "rb") as log:
        check(secret.encode() not in log.read(), "the secret stands in the log")


def test_revoked_expired_and_wrong_ones_are_nobody(case):
    server = world(case)
    made = token(server, "--permission", "all")
    as_token(server, made["value"], "zone", "list")
    server.kill()
    server.start()
    as_token(server, made["value"], "zone", "list")
    server.json("token", "revoke", made["id"], "--dry-run")
    as_token(server, made["value"], "zone", "list")
    server.json("token", "revoke", made["id"])
    wrong = made["value"][:-1] + ("A" if made["value"][-1] != "A" else "B")
    said = {as_token(server, secret, "zone", "list", code=1).err for secret in (made["value"], wrong, "anc_" + "x" * 43)}
    equal(len(said), 1, "ways to say that a token is unknown")
    server.ctl("token", "revoke", made["id"]).expect(1, "no token")
    server.ctl("token", "create", "--account", "acme", "--permission", "all", "--expires",
               "2020-01-01T00:00:00Z").expect(1, "past")
    server.ctl("token", "create", "--account", "acme", "--permission", "Zone").expect(1, "Zone WAF")
    server.ctl("token", "create", "--account", "acme").expect(2, "--permission")


def test_questions_reach_as_far_as_the_token(case):
    server, pki = world(case), case.pki()
    pki.ca("root")
    pki.client("leaf", "root")
    for account, zone in (("acme", "example.com"), ("other", "example.org")):
        ca = server.json("ca", "upload", "--account", account, "--name", "root", pki.path("root"))["id"]
        server.json("host", "set", "--zone", zone, "--ca", ca, "a." + zone)
    secret = token(server, "--permission", "Trust Query Read")["value"]
    matches = [a["match"] for a in as_token(server, secret, "query", "trust", "a.example.com", "a.example.org").json]
    equal(matches, ["exact", "none"], "hosts with trust")
    as_token(server, secret, "query", "verify", "--host", "a.example.com", pki.path("leaf"))
    as_token(server, secret, "query", "verify", "--host", "a.example.org", pki.path("leaf"), code=1, part="ASSOCIATION")
    as_token(server, secret, "query", "evaluate", "--zone", "example.org", "--field", "http.host=a.example.org", code=1,
             part="NO_ZONE")
    as_token(server, secret, "query", "origin", "--zone", "example.org", "--host", "a.example.org", "--mode", "full",
             pki.path("leaf"), code=1, part="no zone")
    without = token(server, "--permission", "Zone WAF Write")["value"]
    as_token(server, without, "query", "trust", "a.example.com", code=1, part="does not permit")


def test_addresses(case):
    server = world(case)
    here = token(server, "--permission", "all", "--sources", "192.0.2.0/24,2001:db8::/32")
    equal(here["sources"], ["192.0.2.0/24", "2001:db8::/32"], "sources")
    as_token(server, here["value"], "zone", "list", code=1, part="not to be used from")


if __name__ == "__main__":
    harness.main(globals())
