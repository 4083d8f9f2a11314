/* Rulesets, their rules, and the entry point of the phase. */
'use strict';
const { all, assert, errors, refused, run } = require('./sdk.js');

const phase = 'http_request_firewall_custom';
const EXPRESSION = '(http.host in {"a.example.com"} and not cf.tls_client_auth.cert_verified)';
const block = (description, more) => ({ action: 'block', expression: EXPRESSION, description, ...more });
const order = (ruleset) => ruleset.rules.map((rule) => rule.description);

async function rulesets(cf, of) {
  const list = cf.rulesets;
  assert.deepEqual(await all(list.list(of)), []);
  await refused(list.phases.get(phase, of), errors.NotFoundError, 404, 10003, /could not find entrypoint ruleset/);
  const fresh = { ...of, name: 'mine', kind: 'zone', phase, description: 'all of it', rules: [block('a', { ref: 'one' })] };
  assert.equal(await list.create({ ...fresh, dry_run: true }), null);
  assert.deepEqual(await all(list.list(of)), []);
  const made = await list.create(fresh);
  assert.deepEqual([made.name, made.version, made.description, made.rules[0].ref], ['mine', '1', 'all of it', 'one']);
  await refused(list.create(fresh), errors.BadRequestError, 400, 20217, /exceeded maximum number of zone rulesets/);
  const { rules, ...listed } = made;
  assert.deepEqual(await all(list.list(of)), [listed]);
  assert.deepEqual(await list.get(made.id, of), made);
  assert.deepEqual(await list.phases.get(phase, of), made);
  const put = await list.update(made.id, { ...of, kind: 'zone', phase, rules: [block('b'), { ...block('a'), id: rules[0].id }] });
  assert.deepEqual([order(put), put.version, put.rules[1].id], [['b', 'a'], '2', rules[0].id]);
  return put;
}

async function rules(cf, of, ruleset) {
  const one = cf.rulesets.rules;
  const [b, a] = ruleset.rules.map((rule) => rule.id);
  assert.deepEqual(order(await one.create(ruleset.id, { ...of, ...block('c') })), ['b', 'a', 'c']);
  assert.deepEqual(order(await one.create(ruleset.id, { ...of, ...block('d'), position: { index: 1 } })), ['d', 'b', 'a', 'c']);
  assert.deepEqual(order(await one.create(ruleset.id, { ...of, ...block('e'), position: { after: b } })), ['d', 'b', 'e', 'a', 'c']);
  const at = { ...of, ruleset_id: ruleset.id };
  assert.deepEqual(order(await one.edit(a, { ...at, position: { before: '' } })), ['a', 'd', 'b', 'e', 'c']);
  const edited = await one.edit(a, { ...at, ...block('A', { action: 'log', enabled: false }) });
  assert.deepEqual([order(edited)[0], edited.rules[0].action, edited.rules[0].enabled], ['A', 'log', false]);
  assert.equal(await one.delete(a, { ...at, dry_run: true }), null);
  assert.deepEqual(order(await one.delete(a, at)), ['d', 'b', 'e', 'c']);
  await refused(one.delete(a, at), errors.NotFoundError, 404, 10002);
  await refused(one.edit(b, { ...at, enabled: false }), errors.BadRequestError, 400, 20125, /the expression cannot be blank/);
  const bad = await refused(one.create(ruleset.id, { ...of, ...block('x', { expression: 'http.host eq' }) }), errors.BadRequestError, 400, 20127);
  assert.equal(bad.errors[0].source.pointer, '/expression');
}

async function entrypoint(cf, of, ruleset) {
  const { phases } = cf.rulesets;
  const response = { status_code: 403, content: 'no', content_type: 'text/plain' };
  const wanted = [block('blocked', { action_parameters: { response } }),
    { action: 'skip', action_parameters: { products: ['waf'] }, expression: 'true', logging: { enabled: false } }];
  const put = await phases.update(phase, { ...of, description: 'by phase', rules: wanted });
  assert.deepEqual([put.id, put.description, put.rules.length], [ruleset.id, 'by phase', 2]);
  assert.deepEqual(put.rules[0].action_parameters, { response });
  assert.deepEqual([put.rules[1].action_parameters, put.rules[1].logging], [{ products: ['waf'] }, { enabled: false }]);
  assert.deepEqual(await phases.get(phase, of), put);
  assert.equal(await cf.rulesets.delete(ruleset.id, of), null);
  await refused(cf.rulesets.get(ruleset.id, of), errors.NotFoundError, 404, 10001, /could not find ruleset/);
  await refused(cf.rulesets.delete(ruleset.id, of), errors.NotFoundError, 404, 10001);
  const made = await phases.update(phase, { ...of, rules: wanted });
  assert.deepEqual([made.name, made.version], ['default', '1']);
  await refused(phases.get('http_ratelimit', of), errors.NotFoundError, 404, 10003);
}

run(async ({ client, zone }) => {
  const cf = client();
  const of = { zone_id: zone };
  const ruleset = await rulesets(cf, of);
  await rules(cf, of, ruleset);
  await entrypoint(cf, of, ruleset);
});
