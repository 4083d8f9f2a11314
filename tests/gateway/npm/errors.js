/* Every class of error that the client has a name for, and bodies that it must be able to read. */
'use strict';
const { assert, errors, noting, refused, run } = require('./sdk.js');

run(async ({ client, account, zone }) => {
  const cf = client();
  await refused(cf.get('/accounts/acme/mtls_certificates'), errors.BadRequestError, 400, 7003, /^Could not route to/);
  await refused(cf.mtlsCertificates.get('a b/c', { account_id: account }), errors.BadRequestError, 400, 7003);
  await refused(cf.get('/nothing'), errors.NotFoundError, 404, 7000, /^No route for that URI$/);
  await refused(cf.patch(`/zones/${zone}/rulesets`, { body: {} }), errors.APIError, 405, 10405);
  await refused(cf.post(`/accounts/${account}/mtls_certificates`, { body: [] }), errors.BadRequestError, 400, 1400);
  await refused(cf.post(`/accounts/${account}/mtls_certificates`, { body: {} }), errors.BadRequestError, 400, 1419);
  await refused(client({ apiToken: 'x'.repeat(44) }).zones.list(), errors.AuthenticationError, 401, 10000, /^Authentication error$/);
  const key = { apiToken: null, apiEmail: 'a@b.example', apiKey: 'k'.repeat(40) };
  await refused(client(key).zones.list(), errors.PermissionDeniedError, 403, 9103);

  /* Over the limit. A wait that the reply asks for is the client's to keep; here it is cut short. */
  const attempts = [];
  const noted = noting(attempts);
  const hasty = async (url, init) => {
    const reply = await noted(url, init);
    if (!reply.headers.has('retry-after')) return reply;
    const headers = new Headers(reply.headers);
    headers.set('retry-after-ms', '1');
    return new Response(reply.body, { status: reply.status, headers });
  };
  const limited = client({ fetch: hasty });
  const most = 200;
  const over = async () => {
    for (let n = 0; n < most; n++) await limited.user.tokens.verify();
  };
  await refused(over(), errors.RateLimitError, 429, 971, /throttling your request speed/);
  const last = attempts.slice(-3);
  assert.deepEqual(last.map((a) => a.status), [429, 429, 429], 'one attempt and two retries');
  for (const a of last) {
    const wait = Number(a.headers.get('retry-after'));
    assert.ok(wait >= 1 && wait <= 60, `retry-after ${wait}`);
  }
});
