#!/usr/bin/env python3
"""Writes the seeds of fuzz_inspect, fuzz_verify and fuzz_crl from chosen questions of the matrix.

usage: make_corpus.py RUN_MATRIX MATRIX tests/fuzz/corpus
"""

import base64
import json
import pathlib
import subprocess
import sys

RUN_MATRIX, MATRIX, OUT = sys.argv[1:4]
VERIFY = {
    "chain": "depth/7", "expired-twin": "expired-twin/1", "name-constraints": "nc-dns/1", "wildcard": "nc-dns/7",
    "mailbox": "nc-mail/1", "uri": "nc-uri-dn-other/1", "same-name": "complete-graph/1", "pss": "digests/10",
    "rsa": "keys/1", "aia": "extensions/4", "self-issued": "pathlen-self-issued/1", "broken-san": "san-syntax/14",
}
CRL = {"none": "crl/1", "revoked": "crl/2", "scope": "crl-scope/1", "delta": "crl-delta/5", "twice": "crl/28",
       "unknown": "crl/26", "stale": "crl/12"}
INSPECT = {"ca": ("depth/1", 0), "leaf": ("depth/1", 1), "root": ("validity/1", 2), "chain": ("depth/7", 3),
           "odd": ("root-oddities/16", 0), "constraints": ("nc-ip/1", 0)}


def der(pem):
    return base64.b64decode("".join(line for line in pem.splitlines() if not line.startswith("-----")))


def put(kind, name, data):
    folder = pathlib.Path(OUT) / kind
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def sized(data):
    return len(data).to_bytes(2, "big") + data


def main():
    out = subprocess.run([RUN_MATRIX, "--requests", MATRIX], capture_output=True, text=True, check=True)
    asks = {req["id"]: req for req in map(json.loads, out.stdout.splitlines())}
    for name, case in VERIFY.items():
        req = asks[case]
        flags = (req["profile"] == "compat") | (2 if req["purpose"] == "client" else 0)
        certs = [req["leaf"], *req["untrusted"], req["trust"][-1]]
        put("verify", name, bytes([flags]) + b"".join(sized(der(c)) for c in certs))
    for name, case in CRL.items():
        req = asks[case]
        put("crl", name, sized(der(req["trust"][0])) + sized(der(req["leaf"])) + der(req["crls"][0]))
    for name, (case, role) in INSPECT.items():
        req = asks[case]
        text = "".join(req["trust"]) if role != 1 else req["leaf"] + "".join(req["untrusted"])
        put("inspect", name, bytes([role]) + text.encode())
        put("inspect", name + "-der", bytes([role]) + der(req["trust"][0]))
    put("inspect", "key", bytes([4]) + b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    put("inspect", "headers", bytes([0]) + b"-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n")
    put("inspect", "empty", bytes([0]))


main()
