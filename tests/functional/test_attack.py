"""What a hostile or careless administrator does: names, bounds, races. Nothing of it may stop the others."""
import concurrent.futures
import json
import os
import random
import stat
import subprocess
import sys

import harness
from harness import check, contains, equal
from test_trust import account, pool, upload, verify

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
    equal(image_result(server), {"plugins": True, "quota": True, "keys": True, "snapshot": True, "image": False}, "check")
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
    server.json("host", "remove", "--force", *change, "api.example.com")
    equal(verify(server, "api.example.com", pki.path("leaf"))["verified"], False, "verdict after the removal")
    truth, snapshot = revisions(server)
    equal(snapshot, truth, "snapshot's revision")
    subprocess.run(["nsenter", "-t", str(server.process.pid), "-U", "-m", "mount", "-o", "remount,size=40m",
                    server.data], check=True, capture_output=True)
    server.until(lambda: image_result(server)["image"], "the image is written again")
    agrees(server)


# --- names, logs, keys -----------------------------------------------------------------------------------------

def test_import_names_come_from_the_subject(case):
    server, pki = case.server(), case.pki()
    account(server)
    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-utf8",
           "-addext", "keyUsage=critical,keyCertSign")
    subjects = {"plain": "/O=x/CN=Zoë, Ltd", "lines": "/CN=a\nb\tc",
                "long": "/O=" + "é" * 60 + "".join("/OU=" + "é" * 60 for _ in range(6))}
    for name, subject in subjects.items():
        pki.openssl(*new, "-subj", subject, "-keyout", pki.path(name, "key"), "-out", pki.path(name))
        server.json("ca", "import", "--account", "acme", pki.path(name))
    names = {ca["name"] for ca in server.json("ca", "list", "--account", "acme")}
    check({"Zoë, Ltd", "a b c"} <= names, "names are %r" % names)
    longest = max(names, key=len)
    check(longest.startswith("OU=ééé") and len(longest.encode()) in (254, 255), "the long name is %r" % longest)


def test_log_lines_are_json_whatever_names_say(case):
    server, pki = case.server(config="log:\n  format: json\n  level: debug\n"), case.pki()
    names = ["\"quote\"\\\\", "{\"a\":1}", "one\u2028two", "\u202eesrever", "a=b c", "é" * 127]
    for name in names:
        server.json("account", "create", "--name", name)
    for name in ("line\nbreak", "\u009b31m", "\x7f", ""):
        server.ctl("account", "create", "--name", name).expect(1, "name")
    account(server)
    pki.ca("root")
    server.json("ca", "upload", "--account", "acme", "--name", "k", "--key", pki.path("root", "key"), pki.path("root"))
    both = pki.join("both", "root")
    with open(pki.path("root", "key"), encoding="utf-8") as key, open(both, "a", encoding="utf-8") as out:
        secret = key.read()
        out.write(secret)
    server.ctl("ca", "upload", "--account", "acme", "--name", "k2", both).expect(1, "private key")
    with open(server.log, encoding="utf-8") as text:
        lines = text.read().splitlines()
    said = [json.loads(line).get("text") for line in lines]
    check(set(names) <= set(said), "the log says %r" % said)
    secret = secret.splitlines()[1][:40].encode()
    for name in os.listdir(server.data) + [server.log]:
        path = os.path.join(server.data, name)
        if stat.S_ISREG(os.stat(path).st_mode):
            with open(path, "rb") as data:
                check(secret not in data.read(), "the private key is in " + path)


# --- many at once ----------------------------------------------------------------------------------------------

def test_no_update_is_lost(case):
    """64 clients add one name each to one list by reading it and writing it back whole."""
    server, pki = case.server(), case.pki()
    account(server)
    pki.ca("root")
    ca = upload(server, "acme", "root", pki.path("root"))["id"]
    change = ("--zone", "example.com", "--ca", ca)
    server.json("host", "set", *change, "first.example.com")

    def add(number):
        for _ in range(1000):
            rows = server.json("host", "list", *change)
            hosts = [row["host"] for row in rows] + ["h%d.example.com" % number]
            done = server.ctl("host", "set", *change, "--expect", rows[0]["list_revision"], *hosts)
            if done.code == 0:
                return
            contains(done.err, "somebody else changed it")
        raise harness.Failure("client %d never came through" % number)

    with concurrent.futures.ThreadPoolExecutor(8) as clients:
        list(clients.map(add, range(64)))
    equal(len(server.json("host", "list", *change)), 65, "hosts")
    agrees(server)


def test_one_key_runs_once(case):
    server, pki = case.server(), case.pki()
    account(server)
    pki.ca("root")
    call = ("ca", "upload", "--account", "acme", "--name", "n", "--idempotency-key", "key", pki.path("root"))
    with concurrent.futures.ThreadPoolExecutor(16) as clients:
        ids = {one["id"] for one in clients.map(lambda _: server.json(*call), range(16))}
    equal(len(ids), 1, "certificates")
    server.stop()
    server.start()
    equal(server.json(*call)["id"], ids.pop(), "the certificate after a restart")
    equal(len(server.json("ca", "list", "--account", "acme")), 1, "certificates listed")
    equal(pool(server, "acme")["used"], 1, "quota")


def test_imports_race_for_quota(case):
    server, pki = case.server(), case.pki()
    account(server)
    for number in range(8):
        pki.ca("ca%d" % number)
    bundles = [pki.join("b%d" % k, "ca%d" % (2 * k), "ca%d" % (2 * k + 1)) for k in range(4)]
    with concurrent.futures.ThreadPoolExecutor(4) as clients:
        done = list(clients.map(lambda b: server.ctl("ca", "import", "--account", "acme", b), bundles))
    equal(sorted(one.code for one in done), [0, 0, 1, 1], "exit codes")
    equal(pool(server, "acme")["used"], 4, "quota")
    equal(len(server.json("ca", "list", "--account", "acme")), 4, "certificates")
    server.ctl("server", "check").expect(0)


def test_list_of_large_uploads(case):
    """Texts of 62 KiB each: a page ends where a message does, and the list goes on."""
    server, pki = case.server(), case.pki()
    account(server)
    server.json("quota", "set", "--account", "acme", "--limit", "1000")
    key = pki.key("key")
    names = ["c%d" % k for k in range(17)]
    for name in names:
        pki.issue(name, "/CN=" + name, CA, key=key)
    pairs = [(a, b) for a in names for b in names if a != b]
    for number, pair in enumerate(pairs):
        path = pki.join("pair", *pair)
        with open(path, "a", encoding="utf-8") as text:
            text.write("# note\n" * 8800)
        upload(server, "acme", "n%d" % (number % 2), path)
    listed = server.json("ca", "list", "--account", "acme")
    equal(len({ca["id"] for ca in listed}), len(pairs), "certificates listed")
    stamps = [ca["uploaded_on"] for ca in listed]
    equal(stamps, sorted(stamps, reverse=True), "order of the list")
    equal(len(server.json("ca", "list", "--account", "acme", "--name", "n1")), len(pairs) // 2, "of that name")


def test_check_of_many_accounts(case):
    server = case.server()
    with concurrent.futures.ThreadPoolExecutor(4) as clients:
        for done in clients.map(lambda k: server.ctl("account", "create", "--name", "a%d" % k), range(700)):
            done.expect(0)
    server.ctl("server", "check").expect(0)


def resources(server):
    """Open descriptors and resident KiB of the server."""
    pid = server.process.pid
    with open("/proc/%d/status" % pid, encoding="utf-8") as text:
        rss = [line.split()[1] for line in text if line.startswith("VmRSS:")]
    return len(os.listdir("/proc/%d/fd" % pid)), int(rss[0])


def storm(server, pki, ca, questions, changes):
    for name in ("leaf", "sub"):
        pki.openssl("x509", "-in", pki.path(name), "-outform", "DER", "-out", pki.path(name, "der"))
    done = subprocess.run([os.path.join(harness.BUILD, "tests", "functional", "storm"), server.socket, "example.com", ca, "api.example.com",
                           str(questions), str(changes), pki.path("leaf", "der"), pki.path("sub", "der")],
                          capture_output=True, check=False, timeout=300)
    check(done.returncode == 0, "storm: %s %s" % (done.stdout.decode(), done.stderr.decode()))


def test_no_stale_answer_and_nothing_grows(case):
    server, pki = case.server(start=False), case.pki()
    # Under AddressSanitizer freed memory is kept back; little of it, so that growth shows.
    server.start(env={"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=4"})
    account(server)
    pki.ca("root")
    pki.ca("sub", "root")
    pki.client("leaf", "sub")
    ca = upload(server, "acme", "root", pki.path("root"))["id"]
    server.json("host", "set", "--zone", "example.com", "--ca", ca, "api.example.com")
    size = int(os.environ.get("ATTACK_STORM", "4000"))
    storm(server, pki, ca, size, size // 20)
    before = resources(server)
    for _ in range(3):
        storm(server, pki, ca, size, size // 20)
    after = resources(server)
    check(after[0] <= before[0] + 8, "descriptors grew from %d to %d" % (before[0], after[0]))
    check(after[1] <= before[1] + 65536, "memory grew from %d to %d KiB" % (before[1], after[1]))
    sys.stderr.write("descriptors %d -> %d, memory %d -> %d KiB\n" % (before[0], after[0], before[1], after[1]))
    agrees(server)


def test_stops_and_kills_lose_nothing_acknowledged(case):
    server, acknowledged, over = case.server(), [], []

    def create(worker):
        number = 0
        while not over:
            number += 1
            name = "a%d-%d" % (worker, number)
            if server.ctl("account", "create", "--name", name).code == 0:
                acknowledged.append(name)

    with concurrent.futures.ThreadPoolExecutor(4) as clients:
        work = [clients.submit(create, worker) for worker in range(4)]
        try:
            for turn in range(4):
                goal = len(acknowledged) + 20
                server.until(lambda goal=goal: len(acknowledged) >= goal, "accounts are created")
                if turn % 2:
                    server.kill()
                    server.start(wait=False)  # and again while it starts
                    server.kill()
                else:
                    equal(server.stop(), 0, "exit status")
                server.start()
        finally:
            over.append(True)
        for one in work:
            one.result()
    there = {one["name"] for one in server.json("account", "list")}
    check(set(acknowledged) <= there, "lost: %r" % sorted(set(acknowledged) - there))
    agrees(server)


# --- a long run against a model --------------------------------------------------------------------------------

class Model:
    """What GetTrust must say: for each name its CAs, the association that was made last first."""

    def __init__(self):
        self.files = {}   # id -> file
        self.lists = {}   # id -> names in the list
        self.trust = {}   # name -> ids, latest first

    def take(self, ca, name):
        self.lists[ca].discard(name)
        self.trust[name].remove(ca)
        if not self.trust[name]:
            del self.trust[name]

    def give(self, ca, name):
        if name not in self.lists[ca]:
            self.lists[ca].add(name)
            self.trust.setdefault(name, []).insert(0, ca)

    def set(self, ca, names):
        for name in list(self.lists[ca] - set(names)):
            self.take(ca, name)
        for name in names:
            self.give(ca, name)

    def answer(self, host):
        wild = "*." + host.split(".", 1)[1]
        name = host if host in self.trust else wild if wild in self.trust else None
        match = "none" if name is None else "exact" if name == host else "wildcard"
        return match, [self.files[ca] for ca in self.trust.get(name, [])]


NAMES = ["%s%s.example.com" % (a, b) for a in ("a", "b", "*", "c.d") for b in ("", ".x", ".y")]
ASKED = [n.replace("*", "q") for n in NAMES] + ["z.a.example.com", "example.org"]


def step(dice, server, model, files):
    """One random operation on both."""
    zone = ("--zone", "example.com")
    act = dice.choice(("upload", "add", "add", "set", "remove", "delete", "refused"))
    free = sorted(set(files) - set(model.files.values()))
    if act == "upload" and free:
        name = dice.choice(free)
        ca = upload(server, "acme", name, files[name])["id"]
        model.files[ca] = name
        model.lists[ca] = set()
    if not model.files or act == "upload":
        return
    ca = dice.choice(sorted(model.files))
    names = dice.sample(NAMES, dice.randint(1, 5))
    if act == "add":
        server.json("host", "add", *zone, "--ca", ca, *names)
        for name in names:
            model.give(ca, name)
    elif act == "set":
        server.json("host", "set", "--force", *zone, "--ca", ca, *names)
        model.set(ca, names)
    elif act == "remove" and model.lists[ca]:
        names = dice.sample(sorted(model.lists[ca]), 1)
        server.json("host", "remove", "--force", *zone, "--ca", ca, *names)
        model.take(ca, names[0])
    elif act == "delete" and dice.random() < 0.5:
        server.json("ca", "delete", "--detach", "--force", ca)
        model.set(ca, [])
        del model.lists[ca], model.files[ca]
    elif act == "refused":
        server.ctl("host", "add", *zone, "--ca", ca, *names, "a.example.net").expect(1)


def test_random_run_agrees_with_model(case):
    server, pki, model = case.server(), case.pki(), Model()
    seed = int(os.environ.get("ATTACK_SEED", random.randrange(1 << 30)))
    dice = random.Random(seed)
    account(server)
    server.json("quota", "set", "--account", "acme", "--limit", "100")
    files = {"ca%d" % k: pki.ca("ca%d" % k) for k in range(8)}
    digests = {name: pki.sha256(name) for name in files}
    try:
        for batch in range(12):
            for _ in range(20):
                step(dice, server, model, files)
            if batch % 4 == 3:
                server.stop()
                server.start()
            agrees(server)
            for host, one in zip(ASKED, server.json("query", "trust", *ASKED)):
                match, names = model.answer(host)
                equal((one["match"], [ca["sha256"] for ca in one["cas"]]), (match, [digests[n] for n in names]), host)
    except harness.Failure as why:
        raise harness.Failure("ATTACK_SEED=%d: %s" % (seed, why)) from why


if __name__ == "__main__":
    harness.main(globals())
