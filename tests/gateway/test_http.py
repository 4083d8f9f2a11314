#!/usr/bin/env python3
"""HTTP as hostile, slow and hasty clients speak it; limits, TLS, restarts."""
import gzip
import http.client
import json
import os
import random
import re
import resource
import select
import signal
import socket
import ssl
import subprocess
import threading

import gateway
import harness
from harness import check, equal

PHASE = "http_request_firewall_custom"
BLOCK = {"expression": "true", "action": "log"}
MANY = 1000


def raise_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = MANY * 2 + 200
    if soft < want:
        if hard != resource.RLIM_INFINITY and hard < want:
            raise harness.Skip("only %d files may be open" % hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (want, hard))


def head(w, path="/livez", extra=""):
    return ("GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s" % (path, w.gateway.token, extra)).encode()


def read_all(sock):
    """What comes until the other end closes."""
    got = b""
    try:
        while True:
            part = sock.recv(65536)
            if not part:
                return got
            got += part
    except ConnectionError:
        return got


def metric(w, name):
    text = w.gateway.get("/metrics").body.decode()
    return float(re.search(r"^anchord_gateway_%s (\S+)$" % name, text, re.MULTILINE).group(1))


def test_a_thousand_slow_ones(case):
    """They have sent half a head, half a body, or do not take their answer; one more is answered all the same."""
    raise_files()
    w = gateway.world(case, "--max-per-address", "0", "--timeout", "600")
    halves = [head(w), head(w)[:9], b"", head(w, w.certs).replace(b"GET", b"POST") + b"Content-Length: 1000\r\n\r\n{"]
    slow = [w.gateway.socket() for _ in range(MANY)]
    for n, sock in enumerate(slow):
        sock.sendall(halves[n % len(halves)])
    w.server.until(lambda: metric(w, "connections") > MANY, "all connections are there")
    for _ in range(20):
        w.gateway.get("/client/v4/zones").expect(200)
    check(metric(w, "connections") > MANY, "slow connections were given up for a fast one")
    slow[0].sendall(b"\r\n")
    check(slow[0].recv(100).startswith(b"HTTP/1.1 200"), "a slow one is answered in the end")
    for sock in slow:
        sock.close()


def test_slow_ones_are_cut(case):
    """A byte now and then does not keep a connection."""
    w = gateway.world(case, "--timeout", "1")
    socks = [w.gateway.socket() for _ in range(4)]
    feeds = [head(w) + b"X: " + b"y" * 10000, head(w, w.certs).replace(b"GET", b"POST") + b"Content-Length: 10000\r\n\r\n" + b"x" * 9999,
             b"", b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"]
    done = [threading.Event() for _ in socks]

    def feed(sock, data, over):
        try:
            for n in range(len(data)):
                sock.sendall(data[n:n + 1])
                if over.wait(0.05):
                    return
        except OSError:
            pass
    threads = [threading.Thread(target=feed, args=(s, d, o)) for s, d, o in zip(socks, feeds, done)]
    for thread in threads:
        thread.start()
    answers = [read_all(sock) for sock in socks]
    for over, thread in zip(done, threads):
        over.set()
        thread.join()
    check(not any(b"200 OK" in a for a in answers[:3]), "an answer to half a request: %r" % answers)
    check(metric(w, "connections_cut_total") >= 3, "cut connections are counted")
    w.gateway.get("/livez").expect(200)


def test_connections_of_one_address(case):
    w = gateway.world(case, "--max-per-address", "4")
    open_ = [w.gateway.socket() for _ in range(4)]
    for sock in open_:
        sock.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        check(sock.recv(100).startswith(b"HTTP/1.1 200"), "within the limit")
    equal(read_all(w.gateway.socket()), b"", "answer to one too many")
    open_.pop().close()

    def again():
        sock = w.gateway.socket()
        try:
            sock.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return b"200 OK" in read_all(sock)
        except ConnectionError:
            return False
    w.server.until(again, "a place that became free is given again")


def test_body_limit(case):
    w = gateway.world(case)
    for size in [1 << 20, (1 << 20) - 1]:
        w.gateway.post(w.certs, b" " * size).expect(400, 1400)
    sock = w.gateway.socket()
    sock.sendall(head(w, w.certs).replace(b"GET", b"POST") + b"Content-Length: %d\r\n\r\n" % ((1 << 20) + 1))
    answer = read_all(sock)
    check(answer.startswith(b"HTTP/1.1 413") and b'"code":1424' in answer, "too long: %r" % answer)
    for length in [b"99999999999999999999999", b"-1", b"x", b"1, 2"]:
        sock = w.gateway.socket()
        sock.sendall(head(w, w.certs).replace(b"GET", b"POST") + b"Content-Length: " + length + b"\r\n\r\n")
        check(re.match(rb"HTTP/1.[01] 4\d\d", read_all(sock)), "length %r" % length)
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    sock = w.gateway.socket()
    sock.sendall(head(w, w.certs).replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunk * 17 + b"0\r\n\r\n")
    check(read_all(sock).startswith(b"HTTP/1.1 413"), "too long in chunks")
    sock = w.gateway.socket()
    sock.sendall(head(w, w.certs).replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunk * 16 + b"0\r\n\r\n")
    check(b'"code":1400' in read_all(sock), "as long as it may be, in chunks")


def test_expect_continue(case):
    w = gateway.world(case)
    body = json.dumps({"ca": True, "certificates": w.ca("one")}).encode()
    sock = w.gateway.socket()
    sock.sendall(head(w, w.certs, "Expect: 100-continue\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)).replace(b"GET", b"POST"))
    check(sock.recv(1000).startswith(b"HTTP/1.1 100"), "go on")
    sock.sendall(body)
    check(b'"success":true' in read_all(sock), "the answer")


def test_one_connection_many_requests(case):
    w = gateway.world(case)
    conn = w.gateway.connect()
    for _ in range(50):
        w.gateway.get("/client/v4/zones", connection=conn).expect(200)
        w.gateway.post(w.certs, b"{", connection=conn).expect(400, 1400)
        w.gateway.get("/client/v4/nothing", connection=conn).expect(404, 7000)
    conn.close()
    sock = w.gateway.socket()
    sock.sendall((head(w, "/client/v4/zones") + b"\r\n") * 20 + head(w, "/livez", "Connection: close\r\n\r\n"))
    answers = read_all(sock)
    equal((answers.count(b"HTTP/1.1 200"), answers.count(b'"success":true')), (21, 20), "answers of a pipeline")


def test_gzip(case):
    w = gateway.world(case)
    w.upload("one")
    plain = w.gateway.get(w.certs)
    check("content-encoding" not in plain.headers, "compressed unasked")
    equal(plain.headers["vary"], "Accept-Encoding", "vary")
    for accept, packed in [("gzip", True), ("deflate, gzip;q=0.5", True), ("*", True), ("gzip;q=0", False), ("*;q=0", False), ("gzip;q=0.000, *", False),
                           ("identity", False), ("x-gzip2", False), ("GZIP", True), ("br,gzip", True)]:
        reply = w.gateway.get(w.certs, headers={"Accept-Encoding": accept}, raw=True).expect(200)
        equal(reply.headers.get("content-encoding"), "gzip" if packed else None, "encoding for " + accept)
        equal(gzip.decompress(reply.body) if packed else reply.body, plain.body, "body for " + accept)
    check("content-encoding" not in w.gateway.get("/livez", headers={"Accept-Encoding": "gzip"}).headers, "a short reply is compressed")


def test_rate(case):
    w = gateway.world(case, "--rate-limit", "5")
    for n in range(5):
        reply = w.gateway.get("/client/v4/zones").expect(200)
        check(re.match(r'^"default";r=%d;t=\d+$' % (4 - n), reply.headers["ratelimit"]), reply.headers["ratelimit"])
        equal(reply.headers["ratelimit-policy"], '"default";q=5;w=300', "policy")
    reply = w.gateway.get("/client/v4/zones").expect(429, 971, message="^Please wait and consider throttling your request speed$")
    check(1 <= int(reply.headers["retry-after"]) <= 60, "retry-after")
    w.gateway.get("/client/v4/zones", token="y" * 44).expect(401, 10000)
    w.gateway.get("/livez").expect(200)


def test_ids_and_log(case):
    w = gateway.world(case, "--log-format", "json")
    equal(w.gateway.get("/livez", headers={"X-Request-Id": "mine-1.2_3"}).headers["x-request-id"], "mine-1.2_3", "id")
    for odd in ["a b", "x" * 65, "<script>", ""]:
        check(gateway.UUID.match(w.gateway.get("/livez", headers={"X-Request-Id": odd}).headers["x-request-id"]), "id for " + odd)
    w.gateway.get("/client/v4/zones?secret=in-the-query")
    w.gateway.get(w.certs, token="z" * 44).expect(401)
    w.gateway.stop()
    log = w.gateway.read_log()
    check(w.gateway.token not in log and "z" * 44 not in log, "a token in the log")
    check("in-the-query" not in log, "a query in the log")
    lines = [json.loads(line) for line in log.splitlines()]
    seen = [line for line in lines if line.get("event") == "http.request" and line["path"] == "/client/v4/zones"]
    equal([(s["method"], s["status"]) for s in seen], [("GET", 200)], "log of a request")


def test_what_is_not_http(case):
    """Mutations of requests, and bytes: the gateway answers or hangs up, and goes on."""
    # libmicrohttpd may miss the end of a request that was cut short; the time-out ends the connection then.
    w = gateway.world(case, "--timeout", "2")
    seed = int.from_bytes(random.SystemRandom().randbytes(4), "big")
    print("# seed %d" % seed, flush=True)
    rng = random.Random(seed)
    body = json.dumps({"ca": True, "certificates": "x"})
    good = [head(w, w.certs, "Content-Length: %d\r\n\r\n" % len(body)).replace(b"GET", b"POST") + body.encode(), head(w, "/client/v4/zones?page=2", "\r\n"),
            head(w, w.of_zone + "/rulesets", "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n2\r\n1}\r\n0\r\n\r\n").replace(b"GET", b"PUT")]
    for _ in range(300):
        data = bytearray(rng.choice(good))
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(data))
            how = rng.randrange(4)
            if how == 0:
                data[at] = rng.randrange(256)
            elif how == 1:
                del data[at:at + rng.randrange(1, 20)]
            elif how == 2:
                data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 20)))
            else:
                data[at:at] = data[at // 2:at]
            data = data or bytearray(b"x")
        sock = w.gateway.socket()
        try:
            sock.sendall(bytes(data))
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        status = re.match(rb"HTTP/1\.[01] (\d\d\d)", read_all(sock))
        check(not status or status.group(1)[:1] in b"24" or status.group(1) == b"505", "%r gets %r" % (bytes(data), status))
        sock.close()
    sock = w.gateway.socket()
    sock.sendall(head(w, w.certs, "Content-Length: 2\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\nGET /livez HTTP/1.1\r\n\r\n"))
    check(b" 200 " not in read_all(sock), "a request inside of another")
    for framing in ["Transfer-Encoding: gzip\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 0\r\nContent-Length: 5\r\n"]:
        sock = w.gateway.socket()
        sock.sendall(head(w, "/client/v4/zones", framing + "\r\n"))
        answer = read_all(sock)
        check(answer.startswith(b"HTTP/1.1 400") and b'"code":6003' in answer, "%s gets %r" % (framing, answer))
    sock = w.gateway.socket()
    try:
        sock.sendall(head(w, "/livez", "X: " + "y" * 100000 + "\r\n\r\n"))
    except ConnectionError:
        pass
    check(b" 200 " not in read_all(sock), "a head without end is taken")
    w.gateway.get("/client/v4/zones").expect(200)


def test_overload(case):
    """A server that stands still fills the queue; who finds it full is sent away at once, the others are answered."""
    raise_files()
    w = gateway.world(case, "--max-per-address", "0", "--workers", "1")
    w.gateway.get("/client/v4/zones").expect(200)
    w.server.process.send_signal(signal.SIGSTOP)
    try:
        socks = [w.gateway.socket() for _ in range(1100)]
        for sock in socks:
            sock.sendall(head(w, "/client/v4/zones/" + w.zone, "Connection: close\r\n\r\n"))
        w.server.until(lambda: any_ready(socks), "somebody is sent away")
    finally:
        w.server.process.send_signal(signal.SIGCONT)
    answers = [read_all(sock) for sock in socks]
    refused = [a for a in answers if a.startswith(b"HTTP/1.1 503")]
    check(refused and all(b"Retry-After: 1" in a for a in refused), "refusals: %d" % len(refused))
    equal(len([a for a in answers if a.startswith(b"HTTP/1.1 200")]), 1100 - len(refused), "answers")


def any_ready(socks):
    poll = select.poll()
    for sock in socks:
        poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def test_stop_finishes_what_was_accepted(case):
    w = gateway.world(case)
    body = json.dumps({"ca": True, "certificates": w.ca("one")}).encode()
    sock = w.gateway.socket()
    sock.sendall(head(w, w.certs, "Content-Length: %d\r\n\r\n" % len(body)).replace(b"GET", b"POST") + body[:10])
    w.server.until(lambda: metric(w, "requests_active") >= 2, "the head is there")
    w.gateway.process.send_signal(signal.SIGTERM)
    w.server.until(lambda: refuses(w.gateway.address), "it takes no more connections")
    sock.sendall(body[10:])
    answer = read_all(sock)
    check(b'"success":true' in answer and b"Connection: close" in answer, "the answer: %r" % answer)
    equal(w.gateway.process.wait(harness.STOP_LIMIT), 0, "exit code")
    w.gateway.process = None
    equal(len(w.server.json("ca", "list", "--account", "acme")), 1, "certificates")


def refuses(address):
    try:
        socket.create_connection(address, 10).close()
        return False
    except ConnectionRefusedError:
        return True
    except ConnectionResetError: # it was in the queue of a socket that was closed
        return False


def test_restarts_lose_nothing(case):
    """Four clients add rules while the gateway is stopped, killed and started again: what was answered is there."""
    w = gateway.world(case)
    entry = w.of_zone + "/rulesets/phases/%s/entrypoint" % PHASE
    made = w.gateway.put(entry, {"rules": []}).expect(200).result
    path = w.of_zone + "/rulesets/%s/rules" % made["id"]
    acknowledged, over, lock = [], threading.Event(), threading.Lock()

    def client(number):
        n = 0
        while not over.is_set() and len(acknowledged) < 900:
            name = "%d.%d" % (number, n)
            n += 1
            try:
                reply = w.gateway.post(path, dict(BLOCK, description=name))
            except (OSError, http.client.HTTPException):
                continue
            if reply.status == 200:
                with lock:
                    acknowledged.append(name)
    threads = [threading.Thread(target=client, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    listen = "%s:%d" % w.gateway.address
    for round_ in range(6):
        want = len(acknowledged) + 5
        w.server.until(lambda: len(acknowledged) >= want or not any(t.is_alive() for t in threads), "changes go on")
        code = w.gateway.stop(signal.SIGKILL if round_ % 3 == 2 else signal.SIGTERM)
        equal(code, -signal.SIGKILL if round_ % 3 == 2 else 0, "exit code")
        w.gateway.start(listen)
    over.set()
    for thread in threads:
        thread.join()
    there = [r["description"] for r in w.gateway.get(entry).result["rules"]]
    check(len(acknowledged) >= 30, "only %d changes" % len(acknowledged))
    equal([name for name in acknowledged if there.count(name) != 1], [], "acknowledged and not there once")


def test_tls(case):
    server = case.server()
    pki = case.pki()

    def pair(name):
        cert = pki.issue(name, "/CN=" + name, ["subjectAltName=DNS:localhost", "basicConstraints=critical,CA:TRUE"])
        for end, path in [("crt", cert), ("pkey", pki.path(name, "key"))]:
            with open(path, encoding="ascii") as source, open(pki.path("live", end), "w", encoding="ascii") as out:
                out.write(source.read())

    def connect():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        sock = context.wrap_socket(g.socket(), server_hostname="localhost")
        return sock, pki.openssl("x509", "-inform", "DER", "-noout", "-subject", stdin=sock.getpeercert(True)).decode()

    def ask(sock):
        sock.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        got = b""
        while not got.endswith(b"ok\n"):
            part = sock.recv(1000)
            check(part, "hung up after %r" % got)
            got += part
        return got

    pair("first")
    g = gateway.Gateway(server, "--tls-cert", pki.path("live", "crt"), "--tls-key", pki.path("live", "pkey")).start()
    try:
        old, subject = connect()
        harness.contains(subject, "first")
        check(ask(old).startswith(b"HTTP/1.1 200"), "an answer over TLS")
        pair("second")
        g.process.send_signal(signal.SIGHUP)
        server.until(lambda: "second" in connect()[1], "the new certificate is shown")
        check(ask(old).startswith(b"HTTP/1.1 200"), "the old connection goes on")
        with open(pki.path("live", "pkey"), "w", encoding="ascii") as out, open(pki.path("first", "key"), encoding="ascii") as key:
            out.write(key.read())
        g.process.send_signal(signal.SIGHUP)
        server.until(lambda: "reload.failed" in g.read_log(), "a key that does not fit is refused")
        harness.contains(connect()[1], "second")
        plain = g.socket()
        plain.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        check(b"200 OK" not in read_all(plain), "plain HTTP is answered on the TLS port")
    finally:
        equal(g.stop(), 0, "exit code")


def test_command_line(case):
    program = os.path.join(harness.BUILD, "bin", "anchord-gateway")
    for args, code, text in [(["--help"], 0, "--listen"), (["--version"], 0, "anchord-gateway "), (["--nothing"], 2, "--help"), (["x"], 2, "unexpected"),
                             (["--listen", "nowhere"], 1, "nowhere"), (["--listen", "example.com:80"], 1, "number"), (["--listen", "127.0.0.1:70000"], 1, "ADDR:PORT"),
                             (["--workers", "0"], 2, "--workers"), (["--tls-cert", "x"], 2, "belong together"), (["--log-level", "loud"], 2, "loud"),
                             (["--tls-cert", "/nothing", "--tls-key", "/nothing"], 1, "/nothing"), (["--socket", "nonsense"], 1, "nonsense")]:
        done = subprocess.run([program] + args, capture_output=True, text=True, timeout=60, check=False)
        equal(done.returncode, code, "exit code of %s: %s%s" % (args, done.stdout, done.stderr))
        harness.contains(done.stdout + done.stderr, text)
    described = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
    manual = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "manual", "anchord-gateway.8")
    with open(manual, encoding="utf-8") as text:
        page = text.read().replace("\\-", "-")
    for option in re.findall(r"--[a-z-]+", described):
        check(option in page, "the manual page lacks %s" % option)
    check(case.servers == [], "a server")


if __name__ == "__main__":
    harness.main(globals())
