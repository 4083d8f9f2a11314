"""Real processes for functional tests: a server in a directory of its own, anchorctl against it, certificates made by the
openssl command. Python standard library only.

A test file defines functions test_*(case) and ends with `harness.main(globals())`; each is one TAP line. Programs are found
through ANCHORD_BUILD (the build directory).
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

BUILD = os.environ.get("ANCHORD_BUILD", "build")
READY_LIMIT = 60.0
STOP_LIMIT = 60.0
# What sanitizers begin a report with. "ThreadSanitizer: Matched 3 suppressions" is none.
REPORT = re.compile(r"WARNING: ThreadSanitizer|(?:ERROR|FATAL): \w+Sanitizer|: runtime error: ")


class Failure(AssertionError):
    """A check that did not hold."""


class Skip(Exception):
    """The machine lacks what the test needs; the text says what."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def equal(have, want, what="value"):
    check(have == want, "%s is %r, not %r" % (what, have, want))


def contains(text, part, what="text"):
    check(part in text, "%s lacks %r: %s" % (what, part, text))


class Result:
    """What a command did: exit code, standard output and error."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        try:
            return json.loads(self.out)
        except ValueError as why:
            raise Failure("not JSON (%s): %r, stderr %r" % (why, self.out[:400], self.err[:400])) from why

    def expect(self, code, part=None):
        check(self.code == code, "exit %d, not %d\nstdout: %s\nstderr: %s" % (self.code, code, self.out, self.err))
        if part is not None:
            contains(self.out + self.err, part, "output")
        return self


class Server:
    """One anchord and the directory it lives in."""

    def __init__(self, folder, args=(), config=None):
        self.folder = folder
        self.data = os.path.join(folder, "data")
        self.socket = "ipc://" + os.path.join(self.data, "anchord.sock")
        self.args = list(args)
        self.log = os.path.join(folder, "anchord.log")
        self.process = None
        self.clients = set()
        if config is not None:
            path = os.path.join(folder, "anchord.yaml")
            with open(path, "w", encoding="utf-8") as text:
                text.write(config)
            self.args = ["--config", path] + self.args

    def start(self, wait=True, limit=READY_LIMIT, env=None):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(BUILD, "bin", "anchord"), "--data", self.data] + self.args,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(os.environ, **(env or {})))
        if wait:
            self.until_ready(limit)
        return self

    def until_ready(self, limit=READY_LIMIT):
        end = time.monotonic() + limit
        while True:
            if self.process.poll() is not None:
                raise Failure("anchord stopped with %s: %s" % (self.process.returncode, self.read_log()))
            if self.ctl("server", "status").code == 0:
                return
            check(time.monotonic() < end, "anchord is not ready: " + self.read_log())
            time.sleep(0.02)

    def read_log(self):
        with open(self.log, encoding="utf-8", errors="replace") as text:
            return text.read()[-4000:]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise Failure("anchord did not stop: " + self.read_log()) from None
        code = self.process.returncode if self.process else 0
        self.process = None
        return code

    def kill(self):
        """SIGKILL; commands that are under way are ended too, with code -9: whether they were carried out is open."""
        self.process.kill()
        self.process.wait()
        self.process = None
        for client in list(self.clients):
            client.kill()

    def ctl(self, *args, json_out=False, stdin=None, env=None):
        command = [os.path.join(BUILD, "bin", "anchorctl"), "--socket", self.socket]
        if json_out:
            command += ["-o", "json"]
        client = subprocess.Popen(command + [str(a) for a in args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env=dict(os.environ, **(env or {})))
        self.clients.add(client)
        try:
            out, err = client.communicate(stdin, timeout=120)
        except subprocess.TimeoutExpired:
            client.kill()
            out, err = client.communicate()
        self.clients.discard(client)
        return Result(client.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))

    def until(self, holds, what, limit=READY_LIMIT):
        """Asks until holds() is true."""
        end = time.monotonic() + limit
        while not holds():
            check(time.monotonic() < end, "not in time: %s\n%s" % (what, self.read_log()))
            time.sleep(0.02)

    def json(self, *args, code=0):
        """The JSON value of a command that must end with this code."""
        return self.ctl(*args, json_out=True).expect(code).json


class Pki:
    """Certificates by the openssl command, in a folder. Names are file names without ending."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def path(self, name, end="pem"):
        return os.path.join(self.folder, name + "." + end)

    def openssl(self, *args, stdin=None):
        done = subprocess.run(["openssl"] + [str(a) for a in args], input=stdin, capture_output=True, check=False)
        check(done.returncode == 0, "openssl %s: %s" % (" ".join(map(str, args)), done.stderr.decode("utf-8", "replace")))
        return done.stdout

    def key(self, name, kind="P-256"):
        path = self.path(name, "key")
        if os.path.exists(path):
            return path
        if kind.startswith("RSA"):
            self.openssl("genrsa", "-out", path, kind[4:])
        else:
            self.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + kind, "-out", path)
        return path

    def issue(self, name, subject, extensions, issuer=None, days=365, kind="P-256", digest="sha256", key=None):
        key = key or self.key(name, kind)
        request = self.openssl("req", "-new", "-key", key, "-subj", subject)
        with open(self.path(name, "ext"), "w", encoding="utf-8") as text:
            text.write("\n".join(extensions) + "\n")
        args = ["x509", "-req", "-days", days, "-" + digest, "-extfile", self.path(name, "ext"), "-out", self.path(name)]
        if issuer:
            args += ["-CA", self.path(issuer), "-CAkey", self.path(issuer, "key"), "-set_serial",
                     str(int.from_bytes(os.urandom(12), "big"))]
        else:
            args += ["-signkey", key]
        self.openssl(*args, stdin=request)
        return self.path(name)

    def ca(self, name, issuer=None, subject=None, extra=(), **more):
        ext = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign", "subjectKeyIdentifier=hash"]
        if issuer:
            ext.append("authorityKeyIdentifier=keyid")
        return self.issue(name, subject or "/O=Test/CN=" + name, ext + list(extra), issuer, **more)

    def client(self, name, issuer, subject=None, eku="clientAuth", **more):
        ext = ["basicConstraints=CA:FALSE", "keyUsage=critical,digitalSignature", "subjectKeyIdentifier=hash",
               "authorityKeyIdentifier=keyid", "extendedKeyUsage=" + eku]
        return self.issue(name, subject or "/O=Test/CN=" + name, ext, issuer, **more)

    def serial(self, name):
        return self.openssl("x509", "-in", self.path(name), "-noout", "-serial").decode().split("=")[1].strip()

    def crl(self, name, ca, revoked=(), number=1, base=None, issued=-3600, expires=86400, ends="pem", extra=()):
        """A revocation list of that CA. revoked: serial numbers in hex, or (serial, reason); base: of a delta; issued
        and expires in seconds from now."""
        stamp = lambda seconds, form="%y%m%d%H%M%SZ": time.strftime(form, time.gmtime(time.time() + seconds))
        conf = self.path(name, "conf")
        with open(self.path(name, "index"), "w", encoding="utf-8") as text:
            for entry in revoked:
                serial, reason = (entry, None) if isinstance(entry, str) else entry
                text.write("R\t%s\t%s\t%s\tunknown\t/CN=x\n" % (
                    stamp(8640000), stamp(-7200) + ("," + reason if reason else ""), serial))
        with open(self.path(name, "number"), "w", encoding="utf-8") as text:
            text.write("%04X\n" % number)
        with open(conf, "w", encoding="utf-8") as text:
            text.write("[ca]\ndefault_ca=d\n[d]\ndatabase=%s\ncrlnumber=%s\ndefault_md=sha256\ncrl_extensions=e\n"
                       "unique_subject=no\n[e]\nauthorityKeyIdentifier=keyid\n" % (
                           self.path(name, "index"), self.path(name, "number")))
            if base is not None:
                text.write("2.5.29.27=critical,DER:0201%02x\n" % base)
            text.write("\n".join(extra) + "\n")
        self.openssl("ca", "-gencrl", "-config", conf, "-cert", self.path(ca), "-keyfile", self.path(ca, "key"),
                     "-crl_lastupdate", stamp(issued), "-crl_nextupdate", stamp(expires), "-out", self.path(name))
        if ends == "der":
            self.openssl("crl", "-in", self.path(name), "-outform", "DER", "-out", self.path(name, "der"))
        return self.path(name, ends)

    def join(self, name, *parts):
        with open(self.path(name), "w", encoding="utf-8") as out:
            for part in parts:
                with open(self.path(part), encoding="utf-8") as text:
                    out.write(text.read())
        return self.path(name)

    def sha256(self, name):
        out = self.openssl("x509", "-in", self.path(name), "-noout", "-fingerprint", "-sha256").decode()
        return re.sub(r".*=", "", out).strip().replace(":", "").lower()


class Case:
    """What one test has: a folder, and whatever it starts in it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="anchord-")
        self.servers = []

    def server(self, *args, start=True, **more):
        folder = os.path.join(self.folder, "s%d" % len(self.servers))
        os.makedirs(folder)
        server = Server(folder, args, **more)
        self.servers.append(server)
        return server.start() if start else server

    def pki(self):
        return Pki(os.path.join(self.folder, "pki"))

    def done(self):
        problems = []
        for server in self.servers:
            if server.process is None:
                continue
            try:
                code = server.stop()
                if code != 0:
                    problems.append("anchord ended with %s: %s" % (code, server.read_log()))
            except Failure as why:
                problems.append(str(why))
        problems += self.reports()
        shutil.rmtree(self.folder, ignore_errors=True)
        check(not problems, "; ".join(problems))

    def reports(self):
        """What sanitizers wrote into the logs. The exit codes do not say it all: a process that was killed has no code
        of its own, and not every test looks at that of a server which it starts again."""
        found = []
        for folder, _, names in os.walk(self.folder):
            for name in (n for n in names if n.endswith(".log")):
                with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as log:
                    text = log.read()
                at = REPORT.search(text)
                if at:
                    found.append("%s: %s" % (name, text[at.start():at.start() + 4000]))
        return found


def run_one(test):
    case = Case()
    try:
        try:
            test(case)
        except Skip:
            raise
        except BaseException:
            for server in case.servers:
                if os.path.exists(server.log):
                    sys.stderr.write("--- %s\n%s\n" % (server.log, server.read_log()))
            raise
    finally:
        case.done()


def main(names):
    tests = [value for name, value in names.items() if name.startswith("test_")]
    wanted = sys.argv[1:]
    if wanted:
        tests = [t for t in tests if any(w in t.__name__ for w in wanted)]
    print("1..%d" % len(tests), flush=True)
    failed = 0
    for number, test in enumerate(tests, 1):
        try:
            run_one(test)
            print("ok %d - %s" % (number, test.__name__[5:]), flush=True)
        except Skip as why:
            print("ok %d - %s # SKIP %s" % (number, test.__name__[5:], why), flush=True)
        except Exception:  # any exception is this test's failure; the others go on
            failed += 1
            print("not ok %d - %s" % (number, test.__name__[5:]), flush=True)
            for line in traceback.format_exc().splitlines():
                print("# " + line, flush=True)
    sys.exit(1 if failed else 0)
