import { expect, it, onTestFinished } from 'vitest';

import { createSchemas } from '../../../bridge/chat/schemas.ts';

function open(options?: Parameters<typeof createSchemas>[0]) {
  const schemas = createSchemas(options);
  onTestFinished(() => schemas.close());
  return schemas;
}

/** Each letter more doubles what the pattern takes. */
const endless = { type: 'string', pattern: '^(a+)+$' };
const unlucky = `${'a'.repeat(64)}!`;

it('gives up on a pattern that takes forever, and goes on with the others', async () => {
  const schemas = open({ limitMs: 2000 });
  const schema = await schemas.open(endless);
  const hopeless = schema.problemOf(unlucky);
  const other = schemas.open({ type: 'number' });
  await expect(hopeless).rejects.toMatchObject({
    code: 'unusable_answer',
    message: expect.stringContaining('patterns of the schema'),
  });
  expect(await (await other).problemOf(7)).toBeNull();
  expect(await schema.problemOf('aaa')).toBeNull();
});

it('holds nothing else up meanwhile', async () => {
  const schemas = open();
  const schema = await schemas.open(endless);
  const hopeless = schema.problemOf(unlucky).catch(() => 'given up');
  const first = await Promise.race([hopeless, new Promise((resolve) => setTimeout(resolve, 0, 'everything else'))]);
  expect(first).toBe('everything else');
});

it('keeps apart what differs only in the order that it was asked in', async () => {
  const schemas = open();
  const kinds = ['string', 'number', 'boolean', 'null', 'array', 'object'];
  const opened = await Promise.all(kinds.map((type) => schemas.open({ type })));
  const values = ['a', 1, true, null, [], {}];
  const fits = await Promise.all(opened.flatMap((schema) => values.map((value) => schema.problemOf(value))));
  fits.forEach((problem, at) => expect(problem === null).toBe(Math.floor(at / 6) === at % 6));
});
