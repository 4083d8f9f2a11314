"""What the tests of /auth have in common: a world whose gateway takes questions, and certificates of every fate."""
import base64
import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import time
import urllib.parse

import gateway
import harness
from harness import check, equal

HOST = "api.example.com"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class UnixGateway(gateway.Gateway):
    """The same on a unix socket."""

    def start(self, listen=None):
        self.address = listen or os.path.join(self.server.folder, "gateway.sock")
        with open(self.log, "ab") as log:
            seen = os.path.getsize(self.log)
            self.process = subprocess.Popen(
                [os.path.join(harness.BUILD, "bin", "anchord-gateway"), "--listen", "unix:" + self.address, "--socket",
                 self.server.socket] + self.args, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + harness.READY_LIMIT
        while "listen address=" not in self.read_log(seen):
            check(self.process.poll() is None and time.monotonic() < end, "the gateway is not ready: " + self.read_log())
            time.sleep(0.01)
        return self

    def connect(self, timeout=60):
        return UnixConnection(self.address, timeout)


class HookWorld(gateway.World):
    """A CA `good` that may vouch for clients of api.example.com, and a gateway that this machine may ask."""

    def __init__(self, case, *args):
        super().__init__(case, "--auth-peer", "127.0.0.1", *args)
        self.good = self.upload("good")["id"]
        self.gateway.put(self.of_zone + "/certificate_authorities/hostname_associations",
                         {"hostnames": [HOST], "mtls_certificate_id": self.good}).expect(200)
        self.pki.ca("foreign")
        self.pki.client("friend", "good")
        self.pki.client("stranger", "foreign")
        self.pki.client("late", "good", days=-1)
        self.pki.ca("middle", "good")
        self.pki.client("below", "middle")
        equal(self.ask("friend").status, 200, "status of the first question")

    def text(self, name):
        with open(self.pki.path(name), encoding="ascii") as pem:
            return pem.read()

    def der(self, name):
        return self.pki.openssl("x509", "-in", self.pki.path(name), "-outform", "DER")

    def sequence(self, name):
        return ":" + base64.b64encode(self.der(name)).decode() + ":"

    def forged(self, name):
        """Every header by which a certificate can be claimed, all of this one."""
        return {"X-SSL-Client-Cert": urllib.parse.quote(self.text(name), safe=""), "Client-Cert": self.sequence(name),
                "X-SSL-Client-SHA256": self.pki.sha256(name)}

    def rules(self, *rules):
        """Replaces the zone's rules: (expression, status or None)."""
        body = {"rules": [dict({"expression": expression, "action": "block"}, **(
            {"action_parameters": {"response": {"status_code": status, "content": "by rule\n", "content_type": "text/plain"}}}
            if status else {})) for expression, status in rules]}
        self.gateway.put(self.of_zone + "/rulesets/phases/http_request_firewall_custom/entrypoint", body).expect(200)

    def ask(self, name=None, path="/auth", headers=None, on=None, method="GET", host=HOST, connection=None):
        """As a proxy asks; name: of the certificate that the client has shown."""
        send = {"Host": host, "X-Original-Method": "GET", "X-Original-URI": "/", "X-Real-IP": "192.0.2.7"}
        if name:
            send["X-SSL-Client-Cert"] = urllib.parse.quote(self.text(name), safe="")
        send.update(headers or {})
        return (on or self.gateway).call(method, path, headers={n: v for n, v in send.items() if v is not None}, token=None,
                                         connection=connection)


@contextlib.contextmanager
def started(process):
    """A gateway that ends with the block, and well."""
    try:
        yield process.start()
    except BaseException:
        process.stop(signal.SIGKILL)
        raise
    equal(process.stop(), 0, "end of the gateway")


def hook_world(case, *args):
    made = HookWorld.__new__(HookWorld)
    before = case.done

    def done():
        gateway_of = getattr(made, "gateway", None)
        code, log = (gateway_of.stop(), gateway_of.read_log()[-2000:]) if gateway_of else (0, "")
        before()
        check(code == 0, "the gateway ended with %s: %s" % (code, log))
    case.done = done
    made.__init__(case, *args)
    return made


def says(reply, status, verdict, reason=None):
    """Holds an answer of /auth to its status, its verdict and a part of its reason."""
    have = (reply.status, reply.headers.get("x-anchord-verdict"))
    check(have == (status, verdict), "answered %r, not %r: %r %s" % (have, (status, verdict), reply.headers, reply.body[:300]))
    if reason:
        check(re.search(reason, reply.headers.get("x-anchord-reason", "")), "reason %r is not like %r" % (
            reply.headers.get("x-anchord-reason"), reason))
    return reply
