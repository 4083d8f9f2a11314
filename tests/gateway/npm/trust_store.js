/* Custom origin trust stores, page by page. */
'use strict';
const { all, assert, errors, noting, refused, run } = require('./sdk.js');

run(async ({ client, zone, pems, leaf, other }) => {
  const attempts = [];
  const cf = client({ fetch: noting(attempts) });
  const store = cf.acm.customTrustStore;
  const of = { zone_id: zone };
  assert.deepEqual(await all(store.list(of)), []);
  const made = [];
  for (const certificate of pems) {
    const entry = await store.create({ ...of, certificate });
    assert.deepEqual([entry.certificate, entry.status], [certificate, 'active']);
    assert.deepEqual(await store.get(entry.id, of), entry);
    made.unshift(entry);
  }
  attempts.length = 0;
  assert.deepEqual(await all(store.list({ ...of, per_page: 5 })), made);
  assert.equal(attempts.length, Math.ceil(made.length / 5) + 1, 'pages until an empty one');
  assert.deepEqual(await all(store.list({ ...of, limit: 5, offset: 3 })), made.slice(3));
  const page = await store.list({ ...of, page: 2, per_page: 5 });
  assert.deepEqual(page.result, made.slice(5, 10));
  assert.deepEqual([page.result_info.page, page.result_info.count], [2, page.result.length]);
  await refused(store.create({ ...of, certificate: pems[0] }), errors.BadRequestError, 400, 1220);
  await refused(store.create({ ...of, certificate: leaf }), errors.BadRequestError, 400, 1411, /^Only root CA certificate is allowed\./);
  await refused(store.list({ zone_id: other }), errors.BadRequestError, 400, 1450);
  for (const entry of made) {
    assert.deepEqual(await store.delete(entry.id, of), { id: entry.id });
    await refused(store.get(entry.id, of), errors.NotFoundError, 404, 1472);
  }
  assert.deepEqual(await all(store.list(of)), []);
});
