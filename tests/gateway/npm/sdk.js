/*
 * What the lives of this folder share: the client under test, its errors, and how a refusal is looked at.
 *
 * run(life) gets { client(options), errors, ...what the test passes on standard input }. The process ends with
 * 0 when the life is over, and with 1 and the reason on standard error when something is not as it should be.
 */
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');

const Cloudflare = createRequire(path.join(process.env.ANCHORD_NPM, 'package.json'))('cloudflare');

const errors = Cloudflare;

/* The promise is refused with this class, status and code; a message may be asked for as well. */
async function refused(promise, Class, status, code, message) {
  let got;
  try {
    got = await promise;
  } catch (why) {
    assert.ok(why instanceof Class, `${why.constructor.name} instead of ${Class.name}: ${why.message}`);
    assert.equal(why.status, status, why.message);
    assert.ok(Array.isArray(why.errors) && why.errors.length > 0, `no errors: ${why.message}`);
    const codes = why.errors.map((e) => e.code);
    assert.ok(codes.includes(code), `code ${codes} instead of ${code}: ${why.message}`);
    if (message) assert.match(why.errors.find((e) => e.code === code).message, message);
    return why;
  }
  assert.fail(`${status}/${code} was expected, not ${JSON.stringify(got)}`);
}

/* Everything that an iterator yields; one that does not end is stopped. */
async function all(list, limit = 1000) {
  const rows = [];
  for await (const row of list) {
    rows.push(row);
    assert.ok(rows.length <= limit, 'the list does not end');
  }
  return rows;
}

/* A fetch that notes method, path and status of each attempt. */
function noting(attempts) {
  return async (url, init) => {
    const attempt = { method: (init.method || 'get').toUpperCase(), path: new URL(url).pathname };
    attempts.push(attempt);
    const reply = await fetch(url, init);
    attempt.status = reply.status;
    attempt.headers = reply.headers;
    return reply;
  };
}

function run(life) {
  const given = JSON.parse(fs.readFileSync(0, 'utf8'));
  const client = (options = {}) => new Cloudflare({ apiToken: given.token, baseURL: given.base, ...options });
  life({ ...given, client }).catch((why) => {
    process.stderr.write(`${why.stack}\n`);
    process.exitCode = 1;
  });
}

module.exports = { all, assert, errors, noting, refused, run };
