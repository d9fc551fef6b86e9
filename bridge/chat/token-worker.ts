/** The entry of the thread that counts tokens, with the tables of OpenAI's newer models. */

import { parentPort } from 'node:worker_threads';

import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';

import type { CountJob, CountResult } from './token-counter.ts';

// Finding the tokens of one long word (a language without spaces, base64) takes quadratic time: so they are cut.
const piece = /[^]{1,400}(?=\s)|[^]{1,400}/g;
// What looks like a special token is text here.
const asText = { disallowedSpecial: new Set<string>() };

function count(text: string): number {
  let tokens = 0;
  for (const [part] of text.matchAll(piece)) tokens += countTokens(part, asText);
  return tokens;
}

parentPort?.on('message', (texts: CountJob) => {
  parentPort?.postMessage(texts.map(count) satisfies CountResult);
});
