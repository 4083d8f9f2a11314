/* What a token can see: itself, accounts, zones; lists of no, one and many pages end. */
'use strict';
const { all, assert, errors, noting, refused, run } = require('./sdk.js');

run(async ({ client, account, zone, zones, narrow }) => {
  const attempts = [];
  const cf = client({ fetch: noting(attempts) });
  const verified = await cf.user.tokens.verify();
  assert.match(verified.id, /^[0-9a-f]{32}$/);
  assert.equal(verified.status, 'active');
  assert.deepEqual(await cf.accounts.tokens.verify({ account_id: account }), verified);
  await refused(client({ apiToken: 'x'.repeat(44) }).user.tokens.verify(), errors.AuthenticationError, 401, 1000, /^Invalid API Token$/);

  assert.deepEqual((await all(cf.accounts.list())).map((a) => [a.id, a.name]), [[account, 'acme']]);
  assert.equal((await cf.accounts.get({ account_id: account })).name, 'acme');
  await refused(cf.accounts.get({ account_id: '0'.repeat(32) }), errors.PermissionDeniedError, 403, 9109);

  assert.equal((await cf.zones.get({ zone_id: zone })).account.id, account);
  attempts.length = 0;
  const names = (await all(cf.zones.list())).map((z) => z.name);
  assert.deepEqual(names.sort(), zones);
  assert.equal(attempts.length, Math.ceil(zones.length / 20) + 1, 'pages until an empty one');
  assert.equal((await all(cf.zones.list({ per_page: 50 }))).length, zones.length);
  assert.deepEqual((await all(cf.zones.list({ name: 'example.com' }))).map((z) => z.id), [zone]);
  assert.equal((await all(cf.zones.list({ account: { id: account }, per_page: 50 }))).length, zones.length);
  assert.deepEqual(await all(cf.zones.list({ account: { name: 'nobody' } })), []);
  await refused(cf.zones.get({ zone_id: '0'.repeat(32) }), errors.PermissionDeniedError, 403, 9109);

  const reader = client({ apiToken: narrow });
  assert.deepEqual((await all(reader.zones.list())).map((z) => z.name), ['example.com']);
  await refused(reader.mtlsCertificates.list({ account_id: account }), errors.PermissionDeniedError, 403, 10000);
});
