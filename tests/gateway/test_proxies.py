#!/usr/bin/env python3
"""The configurations of tools/ops in Debian's own nginx and HAProxy: TLS clients of every kind against a site behind them."""
import http.client
import http.server
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time

import harness
import hook
from harness import check, equal

OPS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "ops")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


class Site(http.server.ThreadingHTTPServer):
    """What stands behind the proxy: tells what it was asked, as JSON."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = json.dumps({"path": self.path, "headers": {n.lower(): v for n, v in self.headers.items()}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return "127.0.0.1:%d" % self.server_address[1]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def fill(source, target, words):
    """A configuration with its words in capitals replaced."""
    with open(os.path.join(OPS, source), encoding="utf-8") as text:
        out = []
        for line in text:
            if not line.lstrip().startswith("#"):
                for word, value in words.items():
                    line = line.replace(word, value)
            out.append(line)
    with open(target, "w", encoding="utf-8") as text:
        text.write("".join(out))
    return target


class Proxy:
    """A TLS front before a site, whose clients the gateway judges."""

    def __init__(self, w, folder):
        self.w, self.folder, self.port = w, folder, free_port()
        os.makedirs(folder)
        self.site = Site()
        self.log = os.path.join(folder, "proxy.log")
        w.pki.ca("front")
        w.pki.issue("site", "/CN=" + hook.HOST, ["basicConstraints=CA:FALSE", "subjectAltName=DNS:*.example.com"], "front")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder,
                                            env=dict(os.environ, PATH=PATH))

    def until_ready(self):
        end = time.monotonic() + harness.READY_LIMIT
        while True:
            check(self.process.poll() is None, "the proxy stopped: " + self.read_log())
            check(time.monotonic() < end, "the proxy is not ready: " + self.read_log())
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)

    def read_log(self):
        with open(self.log, encoding="utf-8", errors="replace") as text:
            return text.read()[-3000:]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(harness.STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.site.shutdown()
        self.site.server_close()

    def connect(self, name=None, sni=hook.HOST):
        context = ssl.create_default_context(cafile=self.w.pki.path("front"))
        if name:
            context.load_cert_chain(self.w.pki.path(name), self.w.pki.path(name.split("+")[0], "key"))
        conn = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=context)
        raw = socket.create_connection(("127.0.0.1", self.port), 60)
        conn.sock = context.wrap_socket(raw, server_hostname=sni)
        return conn

    def get(self, name=None, path="/", headers=None, host=hook.HOST, method="GET", connection=None):
        """(status, headers, body) of one request of a client with this certificate."""
        conn = connection or self.connect(name)
        conn.request(method, path, headers=dict({"Host": host}, **(headers or {})))
        got = conn.getresponse()
        out = got.status, {n.lower(): v for n, v in got.getheaders()}, got.read()
        if not connection:
            conn.close()
        return out


class Nginx(Proxy):
    def command(self):
        check(shutil.which("nginx", path=PATH), "nginx is not installed: tools/dev/deps proxy")
        words = {"GATEWAY": "unix:" + self.w.gateway.address, "BACKEND": self.site.address, "LISTEN": "127.0.0.1:%d" % self.port,
                 "SERVER_NAMES": "*.example.com", "SERVER_CERTIFICATE": self.w.pki.path("site"), "SERVER_KEY": self.w.pki.path("site", "key")}
        site = fill("nginx/anchord.conf", os.path.join(self.folder, "anchord.conf"), words)
        temp = "".join("%s_temp_path %s/%s;\n" % (n, self.folder, n) for n in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
        main = os.path.join(self.folder, "nginx.conf")
        with open(main, "w", encoding="utf-8") as text:
            text.write("daemon off; master_process off; pid nginx.pid; error_log stderr;\nevents { }\nhttp {\naccess_log off;\n%sinclude %s;\n}\n"
                       % (temp, site))
        return ["nginx", "-p", self.folder, "-c", main]


class Haproxy(Proxy):
    def command(self):
        check(shutil.which("haproxy", path=PATH), "haproxy is not installed: tools/dev/deps proxy")
        pem = os.path.join(self.folder, "site.pem")
        with open(pem, "w", encoding="ascii") as out:
            for path in (self.w.pki.path("site"), self.w.pki.path("site", "key")):
                with open(path, encoding="ascii") as text:
                    out.write(text.read())
        words = {"GATEWAY GATEWAY": "GATEWAY unix@" + self.w.gateway.address, "BACKEND": self.site.address,
                 "LISTEN": "127.0.0.1:%d" % self.port, "SERVER_PEM": pem, "ANY_CA": self.w.pki.path("front"),
                 "LUA_FILE": os.path.join(OPS, "haproxy", "anchord.lua")}
        return ["haproxy", "-db", "-f", fill("haproxy/anchord.cfg", os.path.join(self.folder, "haproxy.cfg"), words)]


def front(case, kind):
    """A world whose gateway is on a unix socket, behind a proxy of this kind."""
    w = hook.hook_world(case)
    token = w.gateway.token
    equal(w.gateway.stop(), 0, "end of the gateway")
    w.gateway = hook.UnixGateway(w.server, "--auth-peer", "unix").start()
    w.gateway.token = token
    proxy = kind(w, os.path.join(case.folder, "proxy"))
    before = case.done

    def done():
        proxy.stop()
        before()
    case.done = done
    proxy.until_ready()
    return w, proxy


def clients_are_told_apart(w, proxy):
    status, _, body = proxy.get("friend", "/a?b=c")
    equal(status, 200, "status of a good certificate")
    seen = json.loads(body)
    equal(seen["path"], "/a?b=c", "path at the site")
    equal(seen["headers"]["x-anchord-verdict"], "verified", "verdict at the site")
    equal(seen["headers"]["x-anchord-ca"], w.good, "CA at the site")
    for name in ["stranger", "late", None]:
        status, headers, _ = proxy.get(name)
        equal(status, 403, "status of %s" % name)
        equal(headers["x-anchord-verdict"], "not-verified" if name else "no-certificate", "verdict of %s" % name)
    equal(proxy.get("friend", host="other.example.com")[0], 403, "status for a host that the CA may not vouch for")


def revoked_clients_are_refused(w, proxy):
    w.pki.client("gone", "good")
    for name in ["gone", "friend"]:
        equal(proxy.get(name)[0], 200, "status of %s before it is revoked" % name)
    held = proxy.connect("gone")
    equal(proxy.get(path="/", connection=held)[0], 200, "status on a connection that stays")
    w.server.json("crl", "add", "--ca", w.good, w.pki.crl("list", "good", [(w.pki.serial("gone"), "keyCompromise")]))
    for name, connection in [("gone", None), (None, held)]:
        status, headers, _ = proxy.get(name, connection=connection)
        equal((status, headers["x-anchord-verdict"]), (403, "revoked"), "status and verdict of a revoked certificate")
    held.close()
    equal(proxy.get("friend")[0], 200, "status of another certificate of that CA")


def forged_headers_change_nothing(w, proxy):
    w.rules(('http.request.uri.path eq "/closed" or http.request.method eq "POST"', 404), ("not ip.src in {127.0.0.1}", 451))
    good = w.forged("friend")
    for name in ["stranger", None]:
        equal(proxy.get(name, headers=good)[0], 403, "status of %s with the headers of a friend" % name)
        for header, value in good.items():
            equal(proxy.get(name, headers={header: value})[0], 403, "status of %s with %s" % (name, header))
    status, _, body = proxy.get("friend", headers=dict(w.forged("stranger"), **{"X-Anchord-Rule": "mine", "X-Forwarded-For": "203.0.113.1"}))
    equal(status, 200, "status of a friend with the headers of a stranger")
    seen = json.loads(body)["headers"]
    equal(seen["x-anchord-verdict"], "verified", "verdict at the site")
    check("x-anchord-rule" not in seen, "a forged rule arrives: %r" % seen)
    check(w.sequence("stranger") not in seen.values(), "a forged certificate arrives")
    said = {"X-Original-URI": "/", "X-Original-Method": "GET"}
    equal(proxy.get("friend", "/closed", said)[0], 404, "status of a closed path under another name")
    equal(proxy.get("friend", "/", said, method="POST")[0], 404, "status of a closed method under another name")


def without_gateway_or_server_nobody_is_let_in(w, proxy):
    equal(proxy.get("friend")[0], 200, "status before")
    w.server.stop()
    equal(proxy.get("friend")[0], 503, "status without a server")
    w.server.start()
    equal(proxy.get("friend")[0], 200, "status with it again")
    equal(w.gateway.stop(), 0, "end of the gateway")
    equal(proxy.get("friend")[0], 503, "status without a gateway")
    w.gateway.start(w.gateway.address)
    w.server.until(lambda: proxy.get("friend")[0] == 200, "the gateway is asked again")


def many_on_one_connection(w, proxy):
    w.rules(('http.request.uri.path contains "/odd"', 404))
    conn = proxy.connect("friend")
    for n in range(100):
        status = proxy.get(path="/odd" if n % 2 else "/even", connection=conn)[0]
        equal(status, 404 if n % 2 else 200, "status of request %d" % n)
    conn.close()


def test_nginx_tells_clients_apart(case):
    clients_are_told_apart(*front(case, Nginx))


def test_nginx_refuses_revoked_clients(case):
    revoked_clients_are_refused(*front(case, Nginx))


def test_nginx_overwrites_what_is_forged(case):
    forged_headers_change_nothing(*front(case, Nginx))


def test_nginx_fails_closed(case):
    without_gateway_or_server_nobody_is_let_in(*front(case, Nginx))


def test_nginx_keeps_connections(case):
    many_on_one_connection(*front(case, Nginx))


def test_haproxy_tells_clients_apart(case):
    w, proxy = front(case, Haproxy)
    clients_are_told_apart(w, proxy)
    w.pki.join("below+middle", "below", "middle")
    equal(proxy.get("below+middle")[0], 200, "status of a certificate with its intermediate")
    equal(proxy.get("below")[0], 403, "status without it")


def test_haproxy_refuses_revoked_clients(case):
    revoked_clients_are_refused(*front(case, Haproxy))


def test_haproxy_overwrites_what_is_forged(case):
    forged_headers_change_nothing(*front(case, Haproxy))


def test_haproxy_shows_the_answer_of_a_rule(case):
    w, proxy = front(case, Haproxy)
    w.rules(('http.request.uri.path eq "/law"', 451))
    status, headers, body = proxy.get("friend", "/law")
    equal((status, body, headers["content-type"]), (451, b"by rule\n", "text/plain"), "what the rule answers")


def test_haproxy_fails_closed(case):
    without_gateway_or_server_nobody_is_let_in(*front(case, Haproxy))


def test_haproxy_keeps_connections(case):
    many_on_one_connection(*front(case, Haproxy))


if __name__ == "__main__":
    harness.main(globals())
