"""The mapped image in another process against the server that writes it: same answers, through kills and replacements."""
import os
import random
import subprocess
import sys
import time

import harness
from harness import check, equal

PROBE = os.environ["ANCHORD_EDGE_LOOKUP"]
SEED = int(os.environ.get("ANCHORD_SEED", str(random.SystemRandom().randrange(1 << 32))))
ROUNDS = int(os.environ.get("ANCHORD_ROUNDS", "25"))
LIMIT = 30.0
EUNAVAIL = "!-14"


class Edge:
    """The example program as a proxy: one line in, one line out."""

    def __init__(self, server, *args):
        self.image = os.path.join(server.data, "anchord.image")
        self.process = subprocess.Popen([PROBE, *args, self.image], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)

    def line(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        got = self.process.stdout.readline()
        check(got.endswith("\n"), "the reader is gone: %r" % self.process.poll())
        return got[:-1]

    def trust(self, host):
        got = self.line(host)
        if got.startswith("!"):
            return got
        keys = ("host", "match", "pattern", "zone", "revision", "stale", "age", "digest", "cas")
        fields = got.split("\t") + [""]
        answer = dict(zip(keys, fields))
        answer["cas"] = answer["cas"].split() if answer["cas"] else []
        answer["revision"] = int(answer["revision"])
        return answer

    def verify(self, host, path):
        return self.line("%s %s" % (host, path)).split("\t")

    def close(self):
        self.process.stdin.close()
        equal(self.process.wait(LIMIT), 0, "exit code of the reader")
        self.process.stdout.close()


def until(condition, what):
    end = time.monotonic() + LIMIT
    while not condition():
        check(time.monotonic() < end, "not within %d s: %s" % (LIMIT, what))
        time.sleep(0.02)


def same(server, edge, hosts):
    """Both answer alike, host by host."""
    for answer in server.json("query", "trust", *hosts):
        got = edge.trust(answer["host"])
        want = {"match": answer["match"], "pattern": answer["pattern"] or "", "zone": answer["zone_id"] or "",
                "digest": answer["digest"] or "", "cas": [c["sha256"] for c in answer["cas"]],
                "revision": answer["revision"]}
        for key, value in want.items():
            equal(got[key], value, "%s of %s (seed %d)" % (key, answer["host"], SEED))


def setup(case, count=3):
    server, pki = case.server(), case.pki()
    server.json("account", "create", "--name", "acme")
    server.json("zone", "create", "--account", "acme", "--name", "example.com")
    cas = []
    for n in range(count):
        path = pki.ca("ca%d" % n)
        cas.append(server.json("ca", "upload", "--account", "acme", "--name", "ca%d" % n, path)["id"])
    return server, pki, cas


NAMES = ["h%d.example.com" % n for n in range(12)] + ["*.example.com", "*.h1.example.com", "example.com",
                                                      "xn--bcher-kva.example.com", "*.xn--bcher-kva.example.com"]
ASKED = NAMES[:12] + ["example.com", "www.example.com", "a.h1.example.com", "a.b.h1.example.com", "b\u00fccher.example.com",
                      "xn--bcher-kva.example.com", "a.b\u00fccher.example.com", "H3.Example.COM.", "other.test"]


def change(rng, server, cas):
    verb = rng.choice(("set", "add", "add", "remove", "clear"))
    ident = rng.choice(cas)
    hosts = rng.sample(NAMES, rng.randint(1, 5))
    if verb == "clear":
        verb, hosts = "set", []
    force = ("--force",) if verb != "add" else ()
    result = server.ctl("host", verb, "--zone", "example.com", "--ca", ident, *force, *hosts)
    check(result.code in (0, 1), "host %s: %s" % (verb, result.err))  # 1: removing what is not there


def test_random_changes_give_the_servers_answers(case):
    print("# seed %d" % SEED, flush=True)
    rng = random.Random(SEED)
    server, _, cas = setup(case)
    edges = [Edge(server), Edge(server, "--copy")]
    for _ in range(ROUNDS):
        change(rng, server, cas)
        for edge in edges:
            same(server, edge, ASKED)
    for edge in edges:
        edge.close()


def test_a_killed_server_is_served_on_and_then_followed(case):
    rng = random.Random(SEED)
    server, _, cas = setup(case)
    server.json("host", "set", "--zone", "example.com", "--ca", cas[0], "h1.example.com", "*.example.com")
    edge = Edge(server)
    for number in range(6):
        before = {host: edge.trust(host) for host in ASKED}
        server.kill()
        for host, want in before.items():
            got = edge.trust(host)
            want["age"] = got["age"]  # nothing else changes
            equal(got, want, "answer of " + host)
        if number % 3 == 2:
            os.unlink(edge.image)  # the server builds another file
            check(edge.trust("h1.example.com")["match"] == "exact", "no answer while there is no file")
        server.start()
        change(rng, server, cas)
        server.json("host", "set", "--force", "--zone", "example.com", "--ca", cas[number % 3], "h1.example.com")
        same(server, edge, ASKED)
    edge.close()


def test_the_image_says_whether_its_server_lives(case):
    server, _, cas = setup(case, 1)
    server.json("host", "set", "--force", "--zone", "example.com", "--ca", cas[0], "h1.example.com")
    edge = Edge(server, "--stale-after", "5000", "--refuse-stale")
    mild = Edge(server, "--stale-after", "5000")
    first = edge.trust("h1.example.com")
    # Confirmed again and again at the same revision: what was young grows younger.
    born = time.time() * 1000 - int(first["age"])
    until(lambda: time.time() * 1000 - int(edge.trust("h1.example.com")["age"]) > born + 2000, "a later confirmation")
    equal(edge.trust("h1.example.com")["revision"], first["revision"], "revision")
    server.kill()
    until(lambda: edge.trust("h1.example.com") == EUNAVAIL, "a refusal")
    got = mild.trust("h1.example.com")
    equal((got["stale"], len(got["cas"])), ("1", 1), "stale, certificates")
    server.start()
    until(lambda: edge.trust("h1.example.com") != EUNAVAIL, "an answer again")
    equal(edge.trust("h1.example.com")["stale"], "0")
    edge.close()
    mild.close()


def test_verdicts_are_kept_until_trust_changes(case):
    server, pki, cas = setup(case, 2)
    for name, issuer in (("good", "ca0"), ("bad", "ca1")):
        pki.client(name, issuer)
        pki.openssl("x509", "-in", pki.path(name), "-outform", "DER", "-out", pki.path(name, "der"))
    good, bad = pki.path("good", "der"), pki.path("bad", "der")
    server.json("host", "set", "--force", "--zone", "example.com", "--ca", cas[0], "h1.example.com", "h2.example.com")
    edge = Edge(server, "--socket", server.socket)
    quiet = Edge(server)
    for cached in ("0", "1"):
        got = edge.verify("h1.example.com", good)
        equal((got[0], got[2], got[4]), ("verified", cas[0], cached), "verdict of the good one")
        got = edge.verify("h1.example.com", bad)
        equal((got[0], got[4]), ("refused", cached), "verdict of the bad one")
        check(got[1].startswith("X509_V_ERR_"), "error is %r" % got[1])
    equal(edge.verify("H2.example.com", good)[4], "1", "cached for a host with the same set")
    check(quiet.verify("h1.example.com", good)[0].startswith("!-1"), "a verdict out of nowhere")
    equal(edge.verify("nobody.test", good)[1], "ACD_V_ERR_NO_ASSOCIATION", "error")
    # Kept verdicts need no server ...
    server.kill()
    equal(edge.verify("h1.example.com", good)[0], "verified", "verdict without a server")
    server.start()
    # ... and do not survive a change of trust.
    server.json("host", "set", "--force", "--zone", "example.com", "--ca", cas[0], "h2.example.com")
    server.json("host", "set", "--force", "--zone", "example.com", "--ca", cas[1], "h1.example.com")
    equal(edge.verify("h1.example.com", good)[0], "refused", "verdict after the change")
    equal(edge.verify("h1.example.com", bad)[0], "verified", "verdict after the change")
    equal(edge.verify("h2.example.com", good)[0], "verified", "verdict of the other host")
    edge.close()
    quiet.close()


def test_garbage_goes_while_others_read(case):
    server, _, cas = setup(case, 1)
    path = os.path.join(server.data, "anchord.image")
    names = ["host-%d.example.com" % i for i in range(4000)]
    change = ("--zone", "example.com", "--ca", cas[0])
    server.json("host", "add", *change, "stays.example.com")
    edge = Edge(server)
    first, largest, changes = os.stat(path).st_ino, 0, 0

    def replaced():
        nonlocal largest, changes
        server.json("host", *(("add",), ("remove", "--force"))[changes % 2], *change, *names)
        changes += 1
        largest = max(largest, os.stat(path).st_blocks)
        equal(edge.trust("stays.example.com")["match"], "exact", "match during the changes")
        return os.stat(path).st_ino != first

    until(replaced, "a file without the garbage")
    check(os.stat(path).st_blocks < largest, "the new file is as large as the old one")
    same(server, edge, ["stays.example.com", names[0], names[-1]])
    server.json("server", "check")
    edge.close()


def test_what_is_no_image_is_refused(case):
    server, _, _ = setup(case, 1)
    path = os.path.join(server.data, "anchord.image")
    with open(path, "rb") as image:
        whole = image.read()
    for number, part in enumerate((b"", whole[:100], whole[:12288], b"\0" * len(whole), os.urandom(len(whole)))):
        bad = os.path.join(case.folder, "bad%d" % number)
        with open(bad, "wb") as out:
            out.write(part)
        for flags in ([], ["--copy"]):
            done = subprocess.run([PROBE, *flags, bad], input="h\n", capture_output=True, text=True, timeout=LIMIT,
                                  check=False)
            equal((done.returncode, done.stdout), (1, ""), "exit code and output for file %d" % number)


if __name__ == "__main__":
    harness.main(globals())
