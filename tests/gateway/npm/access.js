/* Access mTLS CAs and the settings of their hosts, by account and by zone. */
'use strict';
const { all, assert, errors, noting, refused, run } = require('./sdk.js');

async function life(cf, of, [certificate, second], attempts, hostname) {
  const { certificates } = cf.zeroTrust.access;
  assert.deepEqual(await all(certificates.list(of)), []);
  const made = await certificates.create({ ...of, name: 'one', certificate, associated_hostnames: [hostname] });
  assert.deepEqual([made.name, made.associated_hostnames], ['one', [hostname]]);
  assert.match(made.fingerprint, /^MD5 Fingerprint=([0-9A-F]{2}:){15}[0-9A-F]{2}$/);
  assert.deepEqual(await certificates.get(made.id, of), made);
  const other = await certificates.create({ ...of, name: 'two', certificate: second });
  assert.deepEqual(await all(certificates.list({ ...of, per_page: 1 })), [other, made]);
  attempts.length = 0;
  await refused(certificates.create({ ...of, name: 'again', certificate }), errors.ConflictError, 409, 12131, /certificate already exists/);
  await refused(certificates.delete(made.id, of), errors.ConflictError, 409, 12134, /certificate has active associations/);
  assert.equal(attempts.length, 2, 'a conflict that lasts is not sent again');
  const put = await certificates.update(made.id, { ...of, associated_hostnames: [], name: 'renamed' });
  assert.deepEqual([put.name, put.associated_hostnames], ['renamed', []]);
  for (const one of [made, other]) assert.deepEqual(await certificates.delete(one.id, of), { id: one.id });
  await refused(certificates.get(made.id, of), errors.NotFoundError, 404, 12135);
  const settings = [{ hostname, china_network: false, client_certificate_forwarding: true }];
  assert.deepEqual((await certificates.settings.update({ ...of, settings })).result, settings);
  assert.deepEqual(await all(certificates.settings.get(of)), settings);
  assert.deepEqual((await certificates.settings.update({ ...of, settings: [] })).result, []);
}

run(async ({ client, account, zone, pems }) => {
  const attempts = [];
  const cf = client({ fetch: noting(attempts) });
  await life(cf, { account_id: account }, pems, attempts, 'a.example.com');
  await life(cf, { zone_id: zone }, pems, attempts, 'z.example.com');
});
