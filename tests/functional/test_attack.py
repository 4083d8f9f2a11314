"""What a hostile or careless administrator does: names, bounds, races. Nothing of it may stop the others."""
import concurrent.futures
import os
import subprocess

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


# --- an image that cannot be written ----------------------------------------------------------------------------

def image_result(server):
    checks = server.ctl("server", "check", json_out=True).json
    return {one["name"]: one["ok"] for one in checks["results"]}


def test_image_file_cannot_be_created(case):
    """The server starts, answers from memory, says so, and goes back to the file when it can."""
    server = case.server()
    account(server)
    server.stop()
    image = os.path.join(server.data, "anchord.image")
    os.unlink(image)
    os.makedirs(os.path.join(image + ".new", "in the way"))
    server.start()
    server.json("account", "create", "--name", "later")
    truth, snapshot = revisions(server)
    equal(snapshot, truth, "snapshot's revision")
    equal(image_result(server), {"plugins": True, "quota": True, "snapshot": True, "image": False}, "check")
    os.rmdir(os.path.join(image + ".new", "in the way"))
    os.rmdir(image + ".new")
    server.until(lambda: image_result(server)["image"], "the image is written again")
    server.stop()
    server.start()
    check("snapshot.build" not in server.read_log().split("stop")[-1], "the image was not taken up: " + server.read_log())
    agrees(server)


def on_small_disk(server, kib):
    """The server's data directory on a file system of its own; the database and the socket stay outside."""
    os.makedirs(server.data)
    config = os.path.join(server.folder, "anchord.yaml")
    with open(config, "w", encoding="utf-8") as text:
        text.write("plugins:\n  storage:\n    options:\n      path: %s/anchord.db\n" % server.folder)
    server.socket = "ipc://" + os.path.join(server.folder, "sock")
    script = 'mount -t tmpfs -o size=%dk none "$0" && exec "$@"' % kib
    with open(server.log, "ab") as log:
        server.process = subprocess.Popen(
            ["unshare", "--map-root-user", "--mount", "sh", "-c", script, server.data,
             os.path.join(harness.BUILD, "bin", "anchord"), "--data", server.data, "--config", config,
             "--listen", server.socket], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    server.until_ready()


def test_full_disk_does_not_keep_trust_alive(case):
    if subprocess.run(["unshare", "--map-root-user", "--mount", "true"], capture_output=True, check=False).returncode:
        raise harness.Skip("no mount namespaces here")
    server, pki = case.server(start=False), case.pki()
    pki.ca("root")
    pki.client("leaf", "root")
    on_small_disk(server, 400)
    account(server)
    ca = upload(server, "acme", "root", pki.path("root"))["id"]
    change = ("--zone", "example.com", "--ca", ca)
    server.json("host", "add", *change, "api.example.com")
    for turn in range(6):
        server.json("host", "add", *change, *["h%d-%d.example.com" % (turn, k) for k in range(400)])
    equal(image_result(server)["image"], False, "the image's check")
    equal(verify(server, "api.example.com", pki.path("leaf"))["verified"], True, "verdict")
    server.json("host", "remove", *change, "api.example.com")
    equal(verify(server, "api.example.com", pki.path("leaf"))["verified"], False, "verdict after the removal")
    truth, snapshot = revisions(server)
    equal(snapshot, truth, "snapshot's revision")
    subprocess.run(["nsenter", "-t", str(server.process.pid), "-U", "-m", "mount", "-o", "remount,size=40m",
                    server.data], check=True, capture_output=True)
    server.until(lambda: image_result(server)["image"], "the image is written again")
    agrees(server)


if __name__ == "__main__":
    harness.main(globals())
