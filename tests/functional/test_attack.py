"""What a hostile or careless administrator does: names, bounds, races. Nothing of it may stop the others."""
import concurrent.futures

import harness
from harness import check, contains, equal
from test_trust import account, upload, verify

CA = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign", "subjectKeyIdentifier=hash")


def revisions(server):
    status = server.json("server", "status")
    return status["truth_revision"], status["snapshot_revision"]


def agrees(server):
    """Truth and snapshot are at one revision and say the same."""
    truth, snapshot = revisions(server)
    equal(snapshot, truth, "snapshot's revision")
    server.ctl("server", "check").expect(0)


# --- what the snapshot cannot hold is refused before it is durable ---------------------------------------------

def test_subject_too_long_for_the_snapshot(case):
    server, pki = case.server(), case.pki()
    account(server)
    subject = "/O=x" + "".join("/OU=%02d%s" % (i, "u" * 60) for i in range(90))
    pki.ca("long", subject=subject)
    text = server.ctl("ca", "upload", "--account", "acme", "--name", "n", pki.path("long")).expect(1).err
    contains(text, "subject.too_long")
    contains(server.ctl("ca", "import", "--account", "acme", pki.path("long")).expect(1).err, "subject.too_long")
    pki.ca("root")
    ca = upload(server, "acme", "root", pki.path("root"))["id"]
    server.json("host", "set", "--zone", "example.com", "--ca", ca, "a.example.com")
    agrees(server)


def test_more_certificates_than_a_host_may_have(case):
    """Bundles count in full: 32 of 32 certificates are the most, whatever the number of CAs says."""
    server, pki = case.server(), case.pki()
    account(server)
    server.json("quota", "set", "--account", "acme", "--limit", "100")
    key = pki.key("key")
    names = ["c%d" % i for i in range(32)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: pki.issue(n, "/CN=" + n, CA, key=key), names))
    for turn in range(33):
        names = names[1:] + names[:1] if turn < 32 else names[::-1]
        ca = upload(server, "acme", "b%d" % turn, pki.join("bundle", *names))["id"]
        change = server.ctl("host", "add", "--zone", "example.com", "--ca", ca, "a.example.com")
        if turn < 32:
            change.expect(0)
        else:
            contains(change.expect(1).err, "1056 certificates from all its CAs")
    server.json("host", "add", "--zone", "example.com", "--ca", ca, "b.example.com")
    agrees(server)
    server.stop()
    server.start()
    agrees(server)


if __name__ == "__main__":
    harness.main(globals())
