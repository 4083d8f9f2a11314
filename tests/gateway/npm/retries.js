/* The client goes on through a server that is away: what it gets then is what it asked for. */
'use strict';
const { assert, noting, run } = require('./sdk.js');

run(async ({ client, account }) => {
  const attempts = [];
  const noted = noting(attempts);
  const told = async (url, init) => {
    const reply = await noted(url, init);
    if (reply.status === 503) process.stdout.write('away\n');
    return reply;
  };
  const cf = client({ fetch: told, maxRetries: 20 });
  const found = await cf.accounts.get({ account_id: account });
  assert.equal(found.id, account);
  assert.equal(attempts[0].status, 503);
  assert.equal(attempts[0].headers.get('retry-after'), '1');
  assert.equal(attempts.at(-1).status, 200);
});
