"""Private keys at rest, the managed CA, client certificates, certificates for Workers."""
import os

import harness
from harness import check, contains, equal

HOST = "api.example.com"


def start(case, **more):
    server = case.server(**more)
    account(server)
    return server


def account(server):
    server.json("account", "create", "--name", "acme")
    server.json("zone", "create", "--account", "acme", "--name", "example.com")
    server.json("host", "set", "--zone", "example.com", HOST)


def request(pki, name, subject=None, *args):
    path = pki.path(name, "csr")
    pki.openssl("req", "-new", "-key", pki.key(name), "-subj", subject or "/O=Acme/CN=" + name, "-out", path, *args)
    return path


def issue(server, pki, name, *args):
    """A client certificate; its PEM is in the folder of `pki` under that name."""
    done = server.json("client-cert", "issue", "--zone", "example.com", "--csr", request(pki, name), *args)
    with open(pki.path(name), "w", encoding="utf-8") as out:
        out.write(done["certificate"])
    return done


def managed_ca(server, pki, name="managed"):
    shown = server.json("managed-ca", "show", "--account", "acme")
    with open(pki.path(name), "w", encoding="utf-8") as out:
        out.write(shown["certificates"])
    return shown


def verify(server, path, *args):
    result = server.ctl("query", "verify", "--host", HOST, path, *args, json_out=True)
    check(result.code in (0, 1), "exit %d: %s" % (result.code, result.err))
    return result.json


def verdict(server, path):
    answer = verify(server, path)
    return answer["verified"], answer["revoked"]


def openssl_accepts(pki, ca, name):
    out = pki.openssl("verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", pki.path(ca), pki.path(name)).decode()
    contains(out, ": OK", "openssl verify")


def wrapping_key(case, name):
    path = os.path.join(case.folder, name)
    with open(path, "w", encoding="ascii") as out:
        out.write(os.urandom(32).hex() + "\n")
    os.chmod(path, 0o600)
    return path


# --- the managed CA and what it signs ---------------------------------------------------------------------------

def test_from_request_to_verdict(case):
    server, pki = start(case), case.pki()
    equal(server.json("managed-ca", "show", "--account", "acme")["items"], [], "before the first certificate")
    done = issue(server, pki, "bob", "--days", "30")
    equal((done["status"], done["common_name"], done["organization"]), ("active", "bob", "Acme"), "what was issued")
    equal((done["validity_days"], done["findings"]), (30, []), "what was issued")
    equal(done["fingerprint_sha256"], pki.sha256("bob"), "SHA-256")
    serial = pki.openssl("x509", "-in", pki.path("bob"), "-noout", "-serial").decode().strip().partition("=")[2]
    equal(int(done["serial_number"]), int(serial, 16), "serial number")
    ca = managed_ca(server, pki)
    check(ca["has_private_key"] and "PRIVATE" not in ca["certificates"], "the CA's key")
    equal(done["certificate_authority"]["id"], ca["id"], "the CA's id")
    openssl_accepts(pki, "managed", "bob")
    answer = verify(server, pki.path("bob"))
    equal((answer["verified"], answer["ca_id"]), (True, ca["id"]), "verdict")
    equal(server.json("client-cert", "get", "--zone", "example.com", done["id"])["csr"], done["csr"], "request")
    equal(server.json("quota", "show", "--account", "acme")["pools"][0]["used"], 0, "CAs counted")


def test_nobody_can_ask_for_a_ca(case):
    server, pki = start(case), case.pki()
    csr = request(pki, "eve", "/CN=eve/serialNumber=1", "-addext", "basicConstraints=critical,CA:TRUE",
                  "-addext", "keyUsage=critical,keyCertSign", "-addext", "subjectAltName=DNS:eve.example,RID:1.2.3")
    done = server.json("client-cert", "issue", "--zone", "example.com", "--csr", csr)
    equal(sorted(f["code"] for f in done["findings"]),
          ["csr.extensions_left_out", "csr.names_left_out", "csr.subject_left_out"], "findings")
    with open(pki.path("eve"), "w", encoding="utf-8") as out:
        out.write(done["certificate"])
    text = pki.openssl("x509", "-in", pki.path("eve"), "-noout", "-text").decode()
    for part in ("CA:FALSE", "Digital Signature", "TLS Web Client Authentication", "DNS:eve.example"):
        contains(text, part, "certificate")
    check("CA:TRUE" not in text and "Certificate Sign" not in text and "Registered" not in text, text)


def test_bad_requests_are_refused(case):
    server, pki = start(case), case.pki()
    with open(request(pki, "bob"), "rb") as good:
        text = good.read()
    broken = pki.path("broken", "csr")
    with open(broken, "wb") as out:
        out.write(text[:120] + (b"A" if text[120:121] != b"A" else b"B") + text[121:])
    pki.key("weak", "RSA-1024")
    for path, part in ((broken, "csr."), (request(pki, "weak"), "csr.key"), (pki.key("bob"), "csr.private_key"),
                       (request(pki, "nobody", "/"), "csr.nameless")):
        server.ctl("client-cert", "issue", "--zone", "example.com", "--csr", path).expect(1, part)
    server.ctl("client-cert", "issue", "--zone", "example.com", "--csr", pki.path("bob", "csr"), "--days", "9999").expect(2)
    equal(server.json("client-cert", "list", "--zone", "example.com"), [], "certificates")


def test_revoke_and_reactivate(case):
    server, pki = start(case), case.pki()
    bob, amy = issue(server, pki, "bob")["id"], issue(server, pki, "amy")["id"]
    equal(verdict(server, pki.path("bob")), (True, False), "at first")
    done = server.json("client-cert", "revoke", "--zone", "example.com", bob)
    equal(done["status"], "revoked", "status")
    for _ in range(2):  # the second round is answered by the cache
        answer = verify(server, pki.path("bob"), "--fields")
        equal((answer["verified"], answer["revoked"], answer["error"]), (False, True, "X509_V_ERR_CERT_REVOKED"), "bob")
        contains(answer["reason"], done["revoked_on"][:10], "reason")
        fields = {f["name"]: f["value"] for f in answer["fields"]}
        equal((fields["cf.tls_client_auth.cert_verified"], fields["cf.tls_client_auth.cert_revoked"]), ("true", "true"), "bob")
    equal(verdict(server, pki.path("amy")), (True, False), "the other one")
    server.ctl("client-cert", "revoke", "--zone", "example.com", bob).expect(1, "already revoked")
    equal([c["id"] for c in server.json("client-cert", "list", "--zone", "example.com")], [amy, bob], "newest first")
    equal([c["id"] for c in server.json("client-cert", "list", "--zone", "example.com", "--status", "revoked")], [bob], "list")
    server.ctl("server", "check").expect(0)
    server.stop()
    os.unlink(os.path.join(server.data, "anchord.image"))
    server.start()  # the image is built whole
    equal(verdict(server, pki.path("bob")), (False, True), "after a start from storage")
    equal(server.json("client-cert", "reactivate", "--zone", "example.com", bob)["status"], "active", "status")
    equal(verdict(server, pki.path("bob")), (True, False), "taken back")
    server.ctl("server", "check").expect(0)


def test_rules_see_a_revocation(case):
    server, pki = start(case), case.pki()
    bob = issue(server, pki, "bob")["id"]
    rules = os.path.join(case.folder, "rules.json")
    with open(rules, "w", encoding="utf-8") as out:
        out.write('[{"action": "block", "expression": "not anchord.cert_trusted"}]')
    server.ctl("rule", "put", "--zone", "example.com", rules).expect(0)
    ask = lambda: server.ctl("query", "evaluate", "--zone", "example.com", "--field", "http.host=" + HOST,
                             "--chain", pki.path("bob")).code
    equal(ask(), 0, "with a good certificate")
    server.json("client-cert", "revoke", "--zone", "example.com", bob)
    equal(ask(), 1, "with a revoked certificate")


def test_rotation_overlaps(case):
    server, pki = start(case), case.pki()
    issue(server, pki, "old")
    managed_ca(server, pki, "first")
    gone = issue(server, pki, "gone")["id"]
    server.json("client-cert", "revoke", "--zone", "example.com", gone)
    rotated = server.json("managed-ca", "rotate", "--account", "acme", "--key-type", "rsa2048")
    equal([i["key_type"] for i in rotated["items"]], ["RSA", "P-256"], "keys, the newest first")
    equal(issue(server, pki, "new")["signature"], "SHA256WithRSA", "signature")
    managed_ca(server, pki)
    openssl_accepts(pki, "managed", "new")
    openssl_accepts(pki, "first", "old")
    for name in ("old", "new"):
        equal(verdict(server, pki.path(name)), (True, False), name)
    equal(verdict(server, pki.path("gone")), (False, True), "revoked before the rotation")
    dry = server.json("managed-ca", "retire", "--account", "acme", "--dry-run")
    equal((dry["retired"], dry["orphaned"]), (1, 1), "dry run")
    equal(verdict(server, pki.path("old")), (True, False), "after a dry run")
    server.json("managed-ca", "retire", "--account", "acme")
    equal(verdict(server, pki.path("old")), (False, False), "signed by the one that was retired")
    equal(verdict(server, pki.path("new")), (True, False), "signed by the one that stays")
    server.ctl("managed-ca", "retire", "--account", "acme").expect(1, "nothing to retire")
    server.ctl("server", "check").expect(0)


def test_places_are_those_of_active_ones(case):
    server, pki = start(case, config="limits:\n  client_certs: 2\n"), case.pki()
    first = issue(server, pki, "one")["id"]
    issue(server, pki, "two")
    server.ctl("client-cert", "issue", "--zone", "example.com", "--csr", request(pki, "three")).expect(1, "1445")
    server.json("client-cert", "revoke", "--zone", "example.com", first)
    issue(server, pki, "three")
    server.ctl("client-cert", "reactivate", "--zone", "example.com", first).expect(1, "Hit maximum certificate allocation")


def test_a_zone_with_active_ones_stays(case):
    server, pki = start(case), case.pki()
    bob = issue(server, pki, "bob")["id"]
    server.json("host", "set", "--zone", "example.com", "--force")
    server.ctl("zone", "delete", "example.com").expect(1, "1 active client certificates")
    server.json("zone", "create", "--account", "acme", "--name", "other.example")
    server.json("host", "set", "--zone", "other.example", "api.other.example")
    server.json("client-cert", "revoke", "--zone", "example.com", bob)
    server.ctl("zone", "delete", "example.com").expect(0)
    late = server.ctl("query", "verify", "--host", "api.other.example", pki.path("bob"), json_out=True).expect(1).json
    equal((late["verified"], late["revoked"]), (False, True), "revoked, in another zone of the account")


# --- keys at rest -----------------------------------------------------------------------------------------------

def test_nothing_on_disk_holds_a_key(case):
    server, pki = start(case), case.pki()
    pki.ca("root")
    with open(pki.key("root"), encoding="ascii") as text:
        secret = "".join(text.read().split("\n")[1:-2])
    server.json("ca", "upload", "--account", "acme", "--name", "root", "--key", pki.key("root"), pki.path("root"))
    issue(server, pki, "bob")
    own = os.path.join(server.data, "anchord.key")
    equal(os.stat(own).st_mode & 0o777, 0o600, "mode of the wrapping key")
    server.stop()
    for name in os.listdir(server.data):
        with open(os.path.join(server.data, name), "rb") as data:
            content = data.read()
        check(b"PRIVATE KEY" not in content and secret[:40].encode() not in content, name + " holds a key")
    check(secret[:40] not in server.read_log() and "PRIVATE KEY" not in server.read_log(), "the log shows a key")


def refused_for(server, pki, name, part):
    server.ctl("client-cert", "issue", "--zone", "example.com", "--csr", request(pki, name)).expect(1, part)


def test_a_lost_or_wrong_wrapping_key(case):
    server, pki = start(case), case.pki()
    issue(server, pki, "bob")
    own = os.path.join(server.data, "anchord.key")
    lost = server.json("server", "status")["keys"]["key_id"]
    server.stop()
    os.rename(own, own + ".away")
    for wrong in (False, True):
        if wrong:
            os.rename(wrapping_key(case, "wrong"), own)
        server.start()
        contains(server.read_log(), "keys.missing key=" + lost, "log")
        keys = server.json("server", "status")["keys"]
        equal((keys["unreadable"], keys["missing_key_ids"]), (1, [lost]), "status")
        server.ctl("server", "check").expect(1, lost)
        equal(verdict(server, pki.path("bob")), (True, False), "queries go on")
        refused_for(server, pki, "amy", lost)
        equal(os.path.exists(own), wrong, "no new key is made while one is missing")
        server.stop()
    os.rename(own + ".away", own)
    server.start()
    issue(server, pki, "amy")
    server.ctl("server", "check").expect(0)
    server.stop()
    os.chmod(own, 0o644)
    server.start()
    contains(server.read_log(), "can be read by others", "log")
    refused_for(server, pki, "eve", "can be read by others")


def test_rotation_of_the_wrapping_key(case):
    server, pki = start(case), case.pki()
    pki.ca("root")
    server.json("ca", "upload", "--account", "acme", "--name", "root", "--key", pki.key("root"), pki.path("root"))
    issue(server, pki, "bob")
    first = server.json("server", "status")["keys"]
    equal((first["wrapped"], first["to_rewrap"]), (2, 0), "keys")
    server.stop()
    new, old = wrapping_key(case, "new"), os.path.join(server.data, "anchord.key")
    config = os.path.join(server.folder, "anchord.yaml")
    with open(config, "w", encoding="utf-8") as out:
        out.write("keys:\n  file: %s\n  old: [%s]\n" % (new, old))
    server.args = ["--config", config]
    server.start()
    equal(server.json("server", "status")["keys"]["to_rewrap"], 2, "keys to rewrap")
    equal(server.json("server", "rewrap", "--dry-run")["rewrapped"], 2, "dry run")
    done = server.json("server", "rewrap")
    equal((done["rewrapped"], done["remaining"]), (2, 0), "rewrapped")
    equal(server.json("server", "rewrap")["rewrapped"], 0, "again")
    server.stop()
    os.unlink(old)
    with open(config, "w", encoding="utf-8") as out:
        out.write("keys:\n  file: %s\n" % new)
    server.start()
    keys = server.json("server", "status")["keys"]
    equal((keys["wrapped"], keys["to_rewrap"], keys["unreadable"]), (2, 0, 0), "keys")
    server.ctl("server", "check").expect(0)
    issue(server, pki, "amy")


def test_the_wrapping_key_of_systemd_or_the_environment(case):
    key = wrapping_key(case, "wrapping")
    sources = (("keys:\n  credential: wrapping\n", {"CREDENTIALS_DIRECTORY": case.folder}),
               ("keys:\n  env: WRAPPING_KEY\n", {"WRAPPING_KEY": open(key, encoding="ascii").read().strip()}))
    seen = set()
    for config, env in sources:
        server = case.server(start=False, config=config)
        server.start(env=env)
        account(server)
        issue(server, case.pki(), "bob")
        seen.add(server.json("server", "status")["keys"]["key_id"])
        check(not os.path.exists(os.path.join(server.data, "anchord.key")), "a file was made")
    equal(len(seen), 1, "ids of one key")


# --- certificates for Workers -----------------------------------------------------------------------------------

def test_a_leaf_for_workers(case):
    server, pki = start(case), case.pki()
    pki.ca("root")
    pki.client("leaf", "root")
    chain = pki.join("chain", "leaf", "root")
    upload = lambda *args: server.ctl("ca", "upload", "--account", "acme", "--name", "leaf", "--leaf", *args, json_out=True)
    upload(chain).expect(1, "key.missing")
    upload("--key", pki.key("root"), chain).expect(1, "key.mismatch")
    upload("--key", pki.key("leaf"), "--product", "gateway", chain).expect(1, "workers")
    done = upload("--key", pki.key("leaf"), chain).expect(0).json
    equal((done["ca"], done["product"], done["has_private_key"], done["quota"]), (False, "workers", True, None), "leaf")
    got = server.ctl("ca", "get", done["id"], json_out=True).expect(0)
    check("PRIVATE" not in got.out, "the key is shown")
    equal(server.json("quota", "show", "--account", "acme")["pools"][0]["used"], 0, "CAs counted")
    server.ctl("host", "set", "--zone", "example.com", "--ca", done["id"], HOST).expect(1, "is not a CA")
    server.json("ca", "delete", done["id"])
    equal(server.json("server", "status")["keys"]["wrapped"], 0, "keys")


if __name__ == "__main__":
    harness.main(globals())
