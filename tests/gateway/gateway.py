"""A gateway beside a server, and a client that holds every answer to what all answers have in common.

Python standard library only. Builds on tests/functional/harness.py.
"""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time

import harness
from harness import check, equal

UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
HEX32 = re.compile(r"^[0-9a-f]{32}$")
TIMES = {
    "time": re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"),
    "time_short": re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,5}[1-9])?Z$"),
    "time_micros": re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"),
}


def shape(value, want, where="result"):
    """Holds a value to a form: a name of a type, [form], {field: form}; a field with '?' may be missing."""
    if isinstance(want, list):
        check(isinstance(value, list), "%s is no array: %r" % (where, value))
        for i, item in enumerate(value):
            shape(item, want[0], "%s[%d]" % (where, i))
    elif isinstance(want, dict):
        check(isinstance(value, dict), "%s is no object: %r" % (where, value))
        for name, form in want.items():
            if name.endswith("?") and name[:-1] not in value:
                continue
            name = name.rstrip("?")
            check(name in value, "%s lacks %s: %r" % (where, name, value))
            shape(value[name], form, where + "." + name)
        allowed = {n.rstrip("?") for n in want}
        check(set(value) <= allowed, "%s has %s beyond the contract" % (where, set(value) - allowed))
    else:
        simple(value, want, where)


def simple(value, want, where):
    ok = {
        "str": lambda: isinstance(value, str),
        "int": lambda: isinstance(value, int) and not isinstance(value, bool),
        "bool": lambda: isinstance(value, bool),
        "null": lambda: value is None,
        "any": lambda: True,
        "uuid": lambda: isinstance(value, str) and UUID.match(value),
        "hex32": lambda: isinstance(value, str) and HEX32.match(value),
        "digits": lambda: isinstance(value, str) and value.isdigit(),
        "hex": lambda: isinstance(value, str) and re.match(r"^[0-9a-f]+$", value),
    }.get(want)
    if want in TIMES:
        good = isinstance(value, str) and TIMES[want].match(value)
    elif ok:
        good = ok()
    else:
        good = value == want
    check(good, "%s is %r, which is not %s" % (where, value, want))


ERROR = {"code": "int", "message": "str", "source?": {"pointer": "str"}, "error_chain?": [{"code": "int", "message": "str"}],
         "documentation_url?": "str"}
RESULT_INFO = {"page": "int", "per_page": "int", "count": "int", "total_count": "int", "total_pages": "int"}


class Reply:
    """Status, headers and body of one answer."""

    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        self.headers = {name.lower(): value for name, value in headers}

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def result(self):
        return self.json["result"]

    @property
    def errors(self):
        return self.json["errors"]

    @property
    def codes(self):
        return [e["code"] for e in self.errors]

    def expect(self, status, code=None, pointer=None, message=None):
        check(self.status == status, "status %d, not %d: %s" % (self.status, status, self.body[:600]))
        if code is not None:
            check(code in self.codes, "no error %d: %s" % (code, self.body[:600]))
            error = next(e for e in self.errors if e["code"] == code)
            if pointer is not None:
                equal(error.get("source", {}).get("pointer"), pointer, "pointer")
            if message is not None:
                check(re.search(message, error["message"]), "message %r is not like %r" % (error["message"], message))
        return self


def held_to_the_envelope(reply, head):
    """What is true of every answer of /client/v4."""
    check("x-request-id" in reply.headers, "no request id")
    if reply.status == 204:
        equal(reply.body, b"", "body")
        return
    equal(reply.headers.get("content-type"), "application/json", "content type")
    if int(reply.headers.get("retry-after", "0")) > 60:
        raise harness.Failure("retry-after is " + reply.headers["retry-after"])
    if reply.status == 409:
        equal(reply.headers.get("x-should-retry"), "false", "x-should-retry of a 409")
    if head:
        return
    all_ = reply.json
    good = 200 <= reply.status < 300
    form = {"success": good, "errors": [ERROR], "messages": [{"code": "int", "message": "str"}], "result": "any" if good else "null",
            "result_info?": RESULT_INFO}
    shape(all_, form, "body")
    check(good or all_["errors"], "a failure without errors")
    check(not good or not all_["errors"], "a success with errors")
    check("PRIVATE KEY" not in reply.body.decode(), "an answer shows a private key")


class Gateway:
    """anchord-gateway on a port of its own, before a server."""

    def __init__(self, server, *args):
        self.server, self.args = server, list(args)
        self.log = os.path.join(server.folder, "gateway.log")
        self.process = self.address = None
        self.token = "none"

    def start(self, listen="127.0.0.1:0"):
        with open(self.log, "ab") as log:
            seen = os.path.getsize(self.log)
            self.process = subprocess.Popen(
                [os.path.join(harness.BUILD, "bin", "anchord-gateway"), "--listen", listen, "--socket", self.server.socket]
                + self.args, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        found = None
        end = time.monotonic() + harness.READY_LIMIT
        while not found:
            check(self.process.poll() is None, "the gateway stopped: " + self.read_log())
            check(time.monotonic() < end, "the gateway is not ready: " + self.read_log())
            found = re.search(r"listen\b.*address\"?[=:]\"?([^\s\"]+)", self.read_log(seen))
            time.sleep(0.01)
        host, port = found.group(1).rsplit(":", 1)
        self.address = (host, int(port))
        return self

    def read_log(self, since=0):
        with open(self.log, encoding="utf-8", errors="replace") as text:
            text.seek(since)
            return text.read()

    def stop(self, how=signal.SIGTERM):
        if not self.process:
            return 0
        self.process.send_signal(how)
        try:
            code = self.process.wait(harness.STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise harness.Failure("the gateway did not stop: " + self.read_log()) from None
        self.process = None
        return code

    def connect(self, timeout=60):
        return http.client.HTTPConnection(*self.address, timeout=timeout)

    def socket(self, timeout=60):
        return socket.create_connection(self.address, timeout)

    def call(self, method, path, body=None, headers=None, token="", connection=None, raw=False):
        """One request. body: a value to be sent as JSON, or bytes as they are. token: '' the gateway's own, None: none."""
        send = {} if headers is None else dict(headers)
        if token is not None:
            send.setdefault("Authorization", "Bearer " + (token or self.token))
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            send.setdefault("Content-Type", "application/json")
        conn = connection or self.connect()
        conn.request(method, path, body, send)
        got = conn.getresponse()
        reply = Reply(got.status, got.getheaders(), got.read())
        if not connection:
            conn.close()
        if path.startswith("/client/v4") and not raw:
            held_to_the_envelope(reply, method == "HEAD")
        return reply

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, body, **more)

    def put(self, path, body=None, **more):
        return self.call("PUT", path, body, **more)

    def patch(self, path, body=None, **more):
        return self.call("PATCH", path, body, **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)


class World:
    """A server and a gateway, an account and a zone."""

    def __init__(self, case, *args, config=None):
        self.server = case.server(config=config)
        self.gateway = Gateway(self.server, *args).start()
        self.pki = case.pki()
        self.account = self.server.json("account", "create", "--name", "acme")["id"]
        self.zone = self.server.json("zone", "create", "--account", "acme", "--name", "example.com", "--acm")["id"]
        self.gateway.token = self.token("--permission", "all")
        self.of_account = "/client/v4/accounts/" + self.account
        self.of_zone = "/client/v4/zones/" + self.zone
        self.certs = self.of_account + "/mtls_certificates"

    def token(self, *args, account="acme"):
        return self.server.json("token", "create", "--account", account, *args)["value"]

    def ca(self, name, **more):
        with open(self.pki.ca(name, **more), encoding="ascii") as text:
            return text.read()

    def upload(self, name, **more):
        return self.gateway.post(self.certs, {"ca": True, "certificates": self.ca(name, **more)}).expect(200).result


def world(case, *args, **more):
    """A world that ends with its case, and whose gateway must end well."""
    made = World(case, *args, **more)
    before = case.done

    def done():
        code, log = made.gateway.stop(), made.gateway.read_log()[-2000:]
        before()
        check(code == 0, "the gateway ended with %s: %s" % (code, log))
    case.done = done
    return made
