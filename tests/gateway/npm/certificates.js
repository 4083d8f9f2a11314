/* mTLS certificates and their hosts: upload, list, look, use, give up, delete; the quota. */
'use strict';
const { all, assert, errors, noting, refused, run } = require('./sdk.js');

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const NOBODY = '00000000-0000-4000-8000-000000000000';

async function certificates(cf, account, pems) {
  const of = { account_id: account };
  const certs = cf.mtlsCertificates;
  assert.deepEqual(await all(certs.list(of)), []);
  const one = await certs.create({ ...of, ca: true, certificates: pems[0], name: 'first' });
  assert.match(one.id, UUID);
  assert.deepEqual([one.name, one.ca, one.certificates], ['first', true, pems[0]]);
  for (const time of [one.uploaded_on, one.updated_at, one.expires_on]) assert.ok(Date.parse(time) > 0, time);
  assert.ok(one.issuer && one.signature && one.serial_number);
  const two = await certs.create({ ...of, ca: true, certificates: pems[1] });
  assert.equal(two.name, '');
  assert.deepEqual(await certs.get(one.id, of), one);
  assert.deepEqual(await all(certs.list(of)), [two, one]);
  assert.deepEqual(await all(certs.list({ ...of, type: ['custom', 'gateway_managed'] })), [two, one]);
  assert.deepEqual(await all(certs.list({ ...of, type: ['access_managed'] })), []);
  await refused(certs.create({ ...of, ca: true, certificates: pems[0] }), errors.BadRequestError, 400, 1471, /already exists/);
  await refused(certs.create({ ...of, ca: true, certificates: 'nonsense' }), errors.BadRequestError, 400, 1413);
  await refused(certs.get(NOBODY, of), errors.NotFoundError, 404, 1472, /^Certificate not found$/);
  return [one, two];
}

async function hosts(cf, account, zone, [one, two]) {
  const of = { account_id: account };
  const list = cf.certificateAuthorities.hostnameAssociations;
  const about = (mtls_certificate_id) => ({ zone_id: zone, mtls_certificate_id });
  const names = ['b.example.com', 'A.example.com', 'example.com'];
  assert.deepEqual((await list.get(about(one.id))).hostnames, []);
  assert.deepEqual((await list.update({ ...about(one.id), hostnames: names })).hostnames, names);
  assert.deepEqual((await list.get(about(one.id))).hostnames, names);
  assert.deepEqual((await list.get(about(two.id))).hostnames, []);
  assert.deepEqual(await all(cf.mtlsCertificates.associations.get(one.id, of)), [{ service: 'api_shield', status: 'active' }]);
  assert.deepEqual(await all(cf.mtlsCertificates.associations.get(two.id, of)), []);
  await refused(cf.mtlsCertificates.delete(one.id, of), errors.BadRequestError, 400, 1473, /^Certificate cannot be deleted while in use\.$/);
  await refused(list.update({ ...about(one.id), hostnames: ['example.net'] }), errors.BadRequestError, 400, 1420);
  await refused(list.update({ ...about(NOBODY), hostnames: [] }), errors.NotFoundError, 404, 1472);
  await refused(list.update(about(one.id)), errors.BadRequestError, 400, 1419);
  assert.deepEqual((await list.update({ ...about(one.id), hostnames: ['c.example.com'] })).hostnames, ['c.example.com']);
  assert.deepEqual((await list.update({ ...about(one.id), hostnames: [] })).hostnames, []);
  assert.deepEqual((await list.get(about(one.id))).hostnames, []);
  const managed = { zone_id: zone, hostnames: ['m.example.com'] };
  assert.deepEqual((await list.get({ zone_id: zone })).hostnames, []);
  assert.deepEqual((await list.update(managed)).hostnames, managed.hostnames);
  assert.deepEqual((await list.get({ zone_id: zone })).hostnames, managed.hostnames);
  assert.deepEqual((await list.get(about(one.id))).hostnames, []);
  assert.deepEqual((await list.update({ zone_id: zone, hostnames: [] })).hostnames, []);
}

/* Five CAs fit, and a refusal is final: it is not sent again. */
async function quota(client, account, pems, made) {
  const attempts = [];
  const cf = client({ fetch: noting(attempts) });
  const of = { account_id: account };
  for (const pem of pems.slice(made.length, 5)) made.push(await cf.mtlsCertificates.create({ ...of, ca: true, certificates: pem }));
  attempts.length = 0;
  const sixth = { ...of, ca: true, certificates: pems[5] };
  await refused(cf.mtlsCertificates.create(sixth), errors.BadRequestError, 400, 1489, /^Hit maximum CA cert allocation\.$/);
  assert.equal(attempts.length, 1);
  const gone = made.pop();
  assert.deepEqual(await cf.mtlsCertificates.delete(gone.id, of), gone);
  made.push(await cf.mtlsCertificates.create(sixth));
}

run(async ({ client, account, zone, pems }) => {
  const cf = client();
  const made = await certificates(cf, account, pems);
  await hosts(cf, account, zone, made);
  await quota(client, account, pems, made);
  for (const cert of made) {
    assert.deepEqual(await cf.mtlsCertificates.delete(cert.id, { account_id: account }), cert);
    await refused(cf.mtlsCertificates.get(cert.id, { account_id: account }), errors.NotFoundError, 404, 1472);
  }
  await refused(cf.mtlsCertificates.delete(made[0].id, { account_id: account }), errors.NotFoundError, 404, 1472);
  assert.deepEqual(await all(cf.mtlsCertificates.list({ account_id: account })), []);
});
