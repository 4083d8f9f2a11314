#!/usr/bin/env python3
"""The offline x509 commands, run as a user runs them: the whole matrix as a batch, bad lines in between, and the
commands for single files with their exit codes. Prints TAP. Standard library only.

usage: test_cli.py RUN_MATRIX X509_CLI MATRIX
"""

import json
import pathlib
import subprocess
import sys
import tempfile

RUN_MATRIX, CLI, MATRIX = sys.argv[1:4]
results = []


def check(name, good, note=""):
    results.append(good)
    print(f"{'ok' if good else 'not ok'} {len(results)} - {name}")
    if not good:
        print(f"# {note}")


def cli(*args, stdin=None):
    return subprocess.run([CLI, *args], input=stdin, capture_output=True, text=True, timeout=120, check=False)


def load():
    out = subprocess.run([RUN_MATRIX, "--requests", MATRIX], capture_output=True, text=True, timeout=120, check=True)
    return [json.loads(line) for line in out.stdout.splitlines()]


def test_batch(requests):
    lines, expected = [], []
    for i, req in enumerate(requests):
        req = dict(req)
        expect = req.pop("expect")
        lines.append(json.dumps(req))
        expected.append((req["id"], None if expect == "ok" else expect))
        if i % 50 == 0:
            lines.append('{"id": "broken", ')
            expected.append((None, "ACD_V_ERR_BAD_JSON"))
    done = cli("verify", "--batch", stdin="\n".join(lines) + "\n")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    check("batch: one answer a line", len(answers) == len(expected), f"{len(answers)} of {len(expected)}")
    check("batch: exit 0", done.returncode == 0, done.stderr)
    for answer, (wanted_id, error) in zip(answers, expected):
        good = answer == {"id": wanted_id, "verified": error is None, "error": error}
        check(f"batch {wanted_id}", good, f"wanted {error}, got {answer}")


def test_bad_requests(sample):
    def variant(**changes):
        return json.dumps({**sample, **changes})

    cases = [
        ("[]", None, "ACD_V_ERR_BAD_REQUEST"),
        ("nonsense", None, "ACD_V_ERR_BAD_JSON"),
        ('{"id":7}', 7, "ACD_V_ERR_BAD_REQUEST"),
        (variant(purpose="mail"), sample["id"], "ACD_V_ERR_BAD_REQUEST"),
        (variant(time="yesterday"), sample["id"], "ACD_V_ERR_BAD_REQUEST"),
        (variant(time="2026-01-01T02:00:00+02:00"), sample["id"], None),
        (variant(host="a.test", ip="192.0.2.1"), sample["id"], "ACD_V_ERR_BAD_REQUEST"),
        (variant(host="a.test\0.evil.test"), sample["id"], "ACD_V_ERR_HOST_SYNTAX"),
        (variant(max_depth=-1), sample["id"], "ACD_V_ERR_BAD_REQUEST"),
        (variant(max_depth=None, crls=None, untrusted=None, time=None), sample["id"], None),
        (variant(leaf="no certificate"), sample["id"], "ACD_V_ERR_CERT_UNREADABLE"),
        (variant(leaf=None), sample["id"], "ACD_V_ERR_BAD_REQUEST"),
        (variant(trust=["nothing in here"]), sample["id"], "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY"),
        (variant(trust="not a list"), sample["id"], "ACD_V_ERR_BAD_REQUEST"),
        (variant(crls=["no list"]), sample["id"], "ACD_V_ERR_CRL_UNREADABLE"),
        (variant(trust=[]), sample["id"], "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY"),
    ]
    done = cli("verify", "--batch", stdin="\n\n".join(line for line, _, _ in cases))
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    check("bad requests: one answer each", len(answers) == len(cases), done.stdout + done.stderr)
    for answer, (line, wanted_id, error) in zip(answers, cases):
        good = answer == {"id": wanted_id, "verified": error is None, "error": error}
        check(f"bad request {line[:40]}", good, f"wanted {error}, got {answer}")


def test_files(requests, tmp):
    by_id = {req["id"]: req for req in requests}
    req = by_id["depth/3"]

    def put(name, text):
        path = tmp / name
        path.write_text(text, encoding="ascii")
        return str(path)

    leaf, trust = put("leaf.pem", req["leaf"]), put("trust.pem", "".join(req["trust"]))
    via, chain = put("via.pem", "".join(req["untrusted"])), put("chain.pem", req["leaf"] + "".join(req["untrusted"]))
    revoked = by_id["crl/2"]
    r_leaf, r_trust = put("r-leaf.pem", revoked["leaf"]), put("r-trust.pem", revoked["trust"][0])
    crl, junk = put("crl.pem", revoked["crls"][0]), put("junk", "junk")
    base = ("verify", "--purpose", "server", "--time", "2026-01-01T00:00:00Z")
    for name, args, code, word in [
        ("verified", (*base, "--host", "a.test", "--trust", trust, "--untrusted", via, leaf), 0, "verified"),
        ("chain in one file", (*base, "--trust", trust, chain), 0, "verified"),
        ("wrong host", (*base, "--host", "b.test", "--trust", trust, "--untrusted", via, leaf), 1, "HOSTNAME_MISMATCH"),
        ("no intermediate", (*base, "--trust", trust, leaf), 1, "UNABLE_TO_GET_ISSUER"),
        ("too deep", (*base, "--max-depth", "0", "--trust", trust, chain), 1, "CHAIN_TOO_LONG"),
        ("later", ("verify", "--purpose", "client", "--time", "2050-01-01T00:00:00Z", "--trust", trust, chain), 1, "EXPIRED"),
        ("revoked", (*base, "--crl", crl, "--trust", r_trust, r_leaf), 1, "CERT_REVOKED"),
        ("explained", (*base, "--explain", "--trust", trust, chain), 0, "signature"),
        ("unreadable leaf", (*base, "--trust", trust, junk), 2, ""),
        ("unreadable trust", (*base, "--trust", junk, leaf), 2, ""),
        ("missing file", (*base, "--trust", trust, str(tmp / "none")), 2, ""),
        ("no purpose", ("verify", "--trust", trust, leaf), 2, ""),
        ("two names", (*base, "--host", "a", "--ip", "::1", "--trust", trust, leaf), 2, ""),
        ("no verb", (), 2, ""),
        ("inspect a CA", ("inspect", trust), 0, '"acceptable": true'),
        ("inspect a leaf", ("inspect", leaf), 1, "ca.not_ca"),
        ("inspect a leaf as leaf", ("inspect", "--role", "leaf", leaf), 0, '"acceptable": true'),
        ("inspect junk", ("inspect", junk), 2, "upload.not_pem"),
        ("inspect nothing", ("inspect", str(tmp / "none")), 2, ""),
    ]:
        done = cli(*args)
        good = done.returncode == code and word in done.stdout
        check(name, good, f"exit {done.returncode}: {done.stdout}{done.stderr}")
    done = cli(*base, "-o", "json", "--explain", "--trust", trust, chain)
    verdict = json.loads(done.stdout)
    check("json verdict", verdict["verified"] and verdict["error"] is None and verdict["anchor"] == 0, done.stdout)
    check("json steps", any(s["check"] == "signature" and s["ok"] for s in verdict["steps"]), done.stdout)


def main():
    requests = load()
    test_batch(requests)
    sample = {k: v for k, v in requests[0].items() if k != "expect"}
    test_bad_requests(sample)
    with tempfile.TemporaryDirectory() as tmp:
        test_files(requests, pathlib.Path(tmp))
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


sys.exit(main())
