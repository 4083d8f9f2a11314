"""Kills the server with SIGKILL at random points of a write load and looks at what is there after the next start.

Each worker owns an account, a zone and a model of both. A change that was acknowledged must be there; the one that was in
flight at the kill may be there or not, whole or not at all. Counters must equal rows, and the snapshot must equal truth.
ANCHORD_KILLS sets how often (300); the seed is printed and may be given as ANCHORD_SEED.
"""
import json
import os
import random
import sys
import threading
import time

import harness
from harness import check, equal

KILLS = int(os.environ.get("ANCHORD_KILLS", "300"))
SEED = int(os.environ.get("ANCHORD_SEED", str(random.SystemRandom().randrange(1 << 32))))
WORKERS = 3
CAS = 6  # certificates per worker; the limit is 4, so that refusals are part of the load
LIMIT = 4
HELPER = "ca5"  # this one is always uploaded as a helper
CRLS = 4  # revocation lists of each certificate
CLIENTS = 5  # active client certificates of a zone


class Worker:
    def __init__(self, server, number, paths, prints):
        self.server, self.paths, self.prints = server, paths, prints
        self.random = random.Random(SEED * 1000 + number)
        self.account, self.zone = "w%d" % number, "w%d.example" % number
        self.certs = {}  # name -> id
        self.hosts = {}  # id -> {host: (priority, observed)}
        self.rules = []  # expressions of the zone, in order
        self.origin = {}  # name -> id of the entry in the zone's origin trust store
        self.access = []  # hosts of the account's Access CA
        self.crls = {}  # id -> numbers of its revocation lists
        self.clients = {}  # id of a client certificate -> is it active?
        self.generations = 0  # certificates of the managed CA
        self.flight = None  # what may or may not have happened
        self.rules_put = []  # what the latest `rule put` would make of the rules
        self.acked = 0
        self.problem = None

    def setup(self):
        self.server.json("account", "create", "--name", self.account)
        self.server.json("zone", "create", "--account", self.account, "--name", self.zone, "--acm")
        self.access_id = self.server.json("access", "add", "--account", self.account, "--name", "a", self.paths["ca0"])["id"]
        self.server.json("quota", "set", "--account", self.account, "--limit", str(LIMIT))

    # One operation: (arguments, change of the model when it is done). None: refused by design.
    def upload(self):
        name = "ca%d" % self.random.randrange(CAS)
        extra = ["--helper"] if name == HELPER else []
        if self.random.random() < 0.5:
            extra += ["--key", self.paths[name][:-len("pem")] + "key"]
        result = yield ("ca", "upload", "--account", self.account, "--name", name, self.paths[name]) + tuple(extra)
        if name not in self.certs and len(self.certs) < LIMIT:
            check(result.code == 0, "upload: " + result.err)
            self.certs[name] = result.json["id"]
            self.hosts[result.json["id"]] = {}
            self.crls[result.json["id"]] = []
        else:
            check(result.code == 1, "an upload beyond the limit or twice: exit %d" % result.code)

    def delete(self):
        if not self.certs:
            return
        name = self.random.choice(sorted(self.certs))
        result = yield ("ca", "delete", "--detach", self.certs[name], "--force")
        check(result.code == 0, "delete: " + result.err)
        ident = self.certs.pop(name)
        del self.hosts[ident], self.crls[ident]

    def crl_add(self):
        if not self.certs:
            return
        name = self.random.choice(sorted(self.certs))
        ident, number = self.certs[name], self.random.randint(1, CRLS)
        result = yield ("crl", "add", "--ca", ident, self.paths["%s-%d" % (name, number)])
        if number > max(self.crls[ident], default=0):
            check(result.code == 0, "crl add: " + result.err)
            self.crls[ident] = [number]
        else:
            check(result.code == 1, "a list that goes back: exit %d" % result.code)

    def crl_delete(self):
        listed = sorted(ident for ident, numbers in self.crls.items() if numbers)
        if not listed:
            return
        ident = self.random.choice(listed)
        result = yield ("crl", "delete", "--ca", ident)
        check(result.code == 0, "crl delete: " + result.err)
        self.crls[ident] = []

    def hosts_change(self, verb):
        if not self.certs:
            return
        name = self.random.choice(sorted(self.certs))
        ident = self.certs[name]
        have = self.hosts[ident]
        extra = ["--force"]
        if verb == "remove":
            if not have:
                return
            names = self.random.sample(sorted(have), self.random.randint(1, len(have)))
        else:
            names = ["h%d.%s" % (n, self.zone) for n in self.random.sample(range(20), self.random.randint(1, 6))]
            if self.random.random() < 0.5:
                extra.append("--priority=%d" % self.random.randint(1, 5))
            if self.random.random() < 0.3 and name != HELPER:
                extra.append(self.random.choice(("--observe", "--decide")))
        command = ("host", verb, "--zone", self.zone, "--ca", ident) + tuple(names) + tuple(extra)
        result = yield command
        check(result.code == 0, "host %s: %s" % (verb, result.err))
        self.hosts[ident] = self.after(have, command)

    @staticmethod
    def after(have, command):
        """The list that a `host` command makes of another one."""
        verb, words = command[1], command[6:]
        names = [w for w in words if not w.startswith("--")]
        if verb == "remove":
            return {h: terms for h, terms in have.items() if h not in names}
        after = {} if verb == "set" else dict(have)
        for name in names:
            priority, observed = have.get(name, (None, False))
            for word in words:
                priority = int(word[11:]) if word.startswith("--priority=") else priority
                observed = word == "--observe" if word in ("--observe", "--decide") else observed
            after[name] = (priority, observed)
        return after

    def rules_change(self):
        if self.rules and self.random.random() < 0.2:
            result = yield ("rule", "delete", "--zone", self.zone)
            check(result.code == 0, "rule delete: " + result.err)
            self.rules = []
            return
        after = ['http.host eq "h%d"' % self.random.randrange(1 << 20) for _ in range(self.random.randint(1, 5))]
        path = os.path.join(self.server.folder, "rules-%s.json" % self.zone)
        with open(path, "w", encoding="utf-8") as out:
            json.dump([{"expression": text, "action": "block"} for text in after], out)
        self.rules_put = after
        result = yield ("rule", "put", "--zone", self.zone, path)
        check(result.code == 0, "rule put: " + result.err)
        self.rules = after

    def origin_change(self):
        name = "ca%d" % self.random.randrange(CAS)
        have = self.origin.get(name)
        result = yield ("origin-trust", "delete", "--zone", self.zone, have) if have else \
            ("origin-trust", "add", "--zone", self.zone, self.paths[name])
        check(result.code == 0, "origin-trust: " + result.err)
        if have:
            del self.origin[name]
        else:
            self.origin[name] = result.json["id"]

    def access_change(self):
        names = ["h%d.%s" % (n, self.zone) for n in self.random.sample(range(20), self.random.randint(0, 6))]
        result = yield ("access", "update", self.access_id) + tuple(names)
        check(result.code == 0, "access: " + result.err)
        self.access = names

    # Client certificates and the managed CA: private keys, wrapped, and their rows come and go together.
    def issue(self):
        result = yield ("client-cert", "issue", "--zone", self.zone, "--csr", self.paths["csr"])
        if sum(self.clients.values()) < CLIENTS:
            check(result.code == 0, "client-cert issue: " + result.err)
            self.clients[result.json["id"]] = True
            self.generations = max(self.generations, 1)
        else:
            check(result.code == 1, "a client certificate beyond the limit: exit %d" % result.code)

    def switch(self):
        if not self.clients:
            return
        ident = self.random.choice(sorted(self.clients))
        active = self.clients[ident]
        room = active or sum(self.clients.values()) < CLIENTS
        result = yield ("client-cert", "revoke" if active else "reactivate", "--zone", self.zone, ident)
        check(result.code == (0 if room else 1), "client-cert: " + result.err)
        if room:
            self.clients[ident] = not active

    def turn(self):
        if self.generations < 3:
            result = yield ("managed-ca", "rotate", "--account", self.account)
            after = self.generations + 1
        else:
            result = yield ("managed-ca", "retire", "--account", self.account)
            after = 1
        check(result.code == 0, "managed-ca: " + result.err)
        self.generations = after

    def pick(self):
        if self.random.random() < 0.2:
            return self.random.choice((self.issue, self.switch, self.switch, self.turn))()
        roll = self.random.random()
        if roll < 0.12:
            return self.origin_change()
        if roll < 0.24:
            return self.access_change()
        roll = (roll - 0.24) / 0.76
        if roll < 0.35:
            return self.upload()
        if roll < 0.45:
            return self.delete()
        if roll < 0.65:
            return self.rules_change()
        if roll < 0.7:
            return self.crl_add()
        if roll < 0.73:
            return self.crl_delete()
        return self.hosts_change(self.random.choice(("set", "add", "add", "remove")))

    def run(self, stop):
        try:
            while not stop.is_set():
                operation = self.pick()
                command = next(operation, None)
                if command is None:
                    continue
                self.flight = command
                result = self.server.ctl(*command, json_out=True)
                if result.code in (3, -9):  # the server is gone; whether this one was done is open
                    return
                try:
                    operation.send(result)
                except StopIteration:
                    pass
                self.acked += result.code == 0
                self.flight = None
        except Exception as why:  # shown by the main thread, with the seed
            self.problem = why

    def beside_state(self):
        """What is there of origin trust and of Access."""
        rows = self.server.json("origin-trust", "list", "--zone", self.zone)
        access = self.server.json("access", "get", self.access_id)
        return {self.prints[r["fingerprint_sha256"]]: r["id"] for r in rows}, access["associated_hostnames"]

    def adopt_beside(self):
        origin, access = self.beside_state()
        want_origin, want_access = [self.origin], [self.access]
        if self.flight and self.flight[:2] == ("origin-trust", "delete"):
            want_origin.append({n: i for n, i in self.origin.items() if i != self.flight[4]})
        elif self.flight and self.flight[:2] == ("origin-trust", "add"):
            name = next(n for n, path in self.paths.items() if path == self.flight[4])
            want_origin.append(dict(self.origin, **{name: origin.get(name)}))
        elif self.flight and self.flight[0] == "access":
            want_access.append(list(self.flight[3:]))
        check(origin in want_origin and access in want_access, "%s: acknowledged %r %r, in flight %r, found %r %r" % (
            self.account, self.origin, self.access, self.flight, origin, access))
        self.origin, self.access = origin, access

    # What is there, in the form of the model.
    def state(self):
        certs = {c["name"]: c["id"] for c in self.server.json("ca", "list", "--account", self.account)}
        rows = self.server.json("host", "list", "--zone", self.zone, "--all")
        hosts = {ident: {} for ident in certs.values()}
        for row in rows:
            hosts[row["mtls_certificate_id"]][row["host"]] = (row["priority"], row["observed"])
        rules = [r["expression"] for r in self.server.json("rule", "list", "--zone", self.zone)]
        return certs, hosts, rules

    def allowed(self, certs, hosts, rules):
        """Is this what was acknowledged, or that and the whole of what was in flight?"""
        if self.same(certs, hosts, self.certs, self.hosts) and rules == self.rules:
            return True
        if not self.flight or self.flight[0] not in ("ca", "host", "rule"):
            return False
        want_certs, want_hosts = dict(self.certs), {k: dict(v) for k, v in self.hosts.items()}
        noun, verb = self.flight[:2]
        if noun == "rule":
            want = self.rules_put if verb == "put" else []
            return rules == want and self.same(certs, hosts, want_certs, want_hosts)
        if rules != self.rules:
            return False
        if (noun, verb) == ("ca", "upload"):
            name = self.flight[5]
            if name in want_certs or name not in certs:
                return False
            want_certs[name] = certs[name]
            want_hosts[certs[name]] = {}
        elif (noun, verb) == ("ca", "delete"):
            ident = self.flight[3]
            want_certs = {n: i for n, i in want_certs.items() if i != ident}
            del want_hosts[ident]
        else:
            ident = self.flight[5]
            want_hosts[ident] = self.after(want_hosts[ident], self.flight)
        return self.same(certs, hosts, want_certs, want_hosts)

    @staticmethod
    def same(certs, hosts, want_certs, want_hosts):
        return certs == want_certs and hosts == want_hosts

    def adopt_crls(self, idents):
        found = {ident: [int(c["number"]) for c in self.server.json("crl", "list", "--ca", ident)] for ident in idents}
        acked = {ident: self.crls.get(ident, []) for ident in idents}
        want = [acked]
        if self.flight and self.flight[0] == "crl":
            add = self.flight[1] == "add"
            want.append(dict(acked, **{self.flight[3]: [int(self.flight[4].rsplit("-", 1)[1][:-4])] if add else []}))
        check(found in want, "%s: acknowledged lists %r, in flight %r, found %r" % (self.account, acked, self.flight, found))
        self.crls = found

    def adopt_clients(self):
        """Client certificates and the certificates of the managed CA."""
        clients = {c["id"]: c["status"] == "active" for c in self.server.json("client-cert", "list", "--zone", self.zone)}
        found = clients, len(self.server.json("managed-ca", "show", "--account", self.account)["items"])
        want = [(self.clients, self.generations)]
        noun, verb = self.flight[:2] if self.flight else (None, None)
        fresh = set(clients) - set(self.clients)
        if (noun, verb) == ("client-cert", "issue") and len(fresh) == 1:
            want.append((dict(self.clients, **{fresh.pop(): True}), max(self.generations, 1)))
        elif noun == "client-cert" and verb != "issue":
            want.append((dict(self.clients, **{self.flight[4]: verb == "reactivate"}), self.generations))
        elif noun == "managed-ca":
            want.append((self.clients, self.generations + 1 if verb == "rotate" else 1))
        check(found in want, "%s: acknowledged %r, in flight %r, found %r" % (self.account, want[0], self.flight, found))
        self.clients, self.generations = found

    def adopt(self):
        self.adopt_beside()
        self.adopt_clients()
        certs, hosts, rules = self.state()
        self.adopt_crls(hosts)
        check(self.allowed(certs, hosts, rules), "%s: acknowledged %r %r %r, in flight %r, found %r %r %r" % (
            self.account, self.certs, self.hosts, self.rules, self.flight, certs, hosts, rules))
        self.certs, self.hosts, self.rules, self.flight = certs, hosts, rules, None


def one_round(server, workers, clock):
    stop = threading.Event()
    threads = [threading.Thread(target=w.run, args=(stop,)) for w in workers]
    for thread in threads:
        thread.start()
    time.sleep(clock.uniform(0.005, 0.25))  # the random point of the kill; nothing is waited for here
    stop.set()  # nobody begins anything new; what is under way is hit
    server.kill()
    for thread in threads:
        thread.join()
    for worker in workers:
        if worker.problem:
            raise worker.problem
    server.start()
    for worker in workers:
        worker.adopt()
    server.ctl("quota", "audit").expect(0)
    server.ctl("server", "check").expect(0)


def test_kill_9_loses_nothing_that_was_acknowledged(case):
    clock = random.Random(SEED)
    print("# seed %d, %d kills" % (SEED, KILLS), flush=True)
    pki = case.pki()
    names = ["ca%d" % n for n in range(CAS)]
    paths = {name: pki.ca(name) for name in names}
    for name in names:
        for number in range(1, CRLS + 1):
            paths["%s-%d" % (name, number)] = pki.crl("%s-%d" % (name, number), name, ["%02X" % n for n in range(1, number + 1)],
                                                      number=number, issued=number * 10 - 3600)
    paths["csr"] = pki.path("client", "csr")
    pki.openssl("req", "-new", "-key", pki.key("client"), "-subj", "/CN=client", "-out", paths["csr"])
    server = case.server(config="limits:\n  client_certs: %d\n" % CLIENTS)
    prints = {pki.sha256(name): name for name in names}
    workers = [Worker(server, n, paths, prints) for n in range(WORKERS)]
    for worker in workers:
        worker.setup()
    for number in range(KILLS):
        try:
            one_round(server, workers, clock)
        except Exception:
            sys.stderr.write("kill %d, seed %d\n" % (number + 1, SEED))
            raise
    acked = sum(w.acked for w in workers)
    print("# %d changes acknowledged" % acked, flush=True)
    check(acked >= KILLS, "too few changes were under way for the kills to mean anything: %d" % acked)
    equal(server.stop(), 0)


if __name__ == "__main__":
    harness.main(globals())
