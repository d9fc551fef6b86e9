import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { describeHops, hopNames, type HopFacts } from '#shared/hops.ts';
import catalogue from '#shared/locales/en/messages.json' with { type: 'json' };
import type { MessageKey } from '#shared/say.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Every source that may ask for a sentence, the manifest included. */
const sources = ['shared', 'bridge', 'extension']
  .flatMap((folder) => readdirSync(root + folder, { recursive: true, encoding: 'utf8' }).map((it) => `${folder}/${it}`))
  .filter((path) => /\.(tsx?|html)$/.test(path))
  .concat('manifest.json')
  .map((path) => readFileSync(root + path, 'utf8'));

/** The keys that a source puts together, as in `fix_${fix}`: what stands around the one hole. */
const patterns = sources
  .flatMap((text) => [...text.matchAll(/`([a-z_]*)\$\{[^}`]+\}([a-z_]*)`/g)])
  .filter(([, before = '', after = '']) => before.endsWith('_') || after.startsWith('_'))
  .map(([, before, after]) => new RegExp(`^${before}[a-z_]+${after}$`));

const isNamed = (key: string): boolean =>
  sources.some((text) => new RegExp(`['"\`]${key}['"\`]|__MSG_${key}__`).test(text)) ||
  patterns.some((pattern) => pattern.test(key));

/** A hop asks for a sentence by the name of its state; a state that is not leaves the hop without a colour. */
function isOfHop(key: string): boolean {
  const name = hopNames.find((hop) => key.startsWith(`${hop}_`));
  if (!name) return false;
  const fact = { since: 0, until: null, detail: 'D' };
  const ready: HopFacts = {
    bridge: { ...fact, state: 'connected' },
    session: { ...fact, state: 'signed_in' },
    puter: { ...fact, state: 'reachable' },
  };
  const state = key.slice(name.length + 1);
  const hop = describeHops({ ...ready, [name]: { ...fact, state } }, 0, (key) => key).hops[name];
  return hop.color !== 'grey' || state === 'unknown';
}

const keys = Object.keys(catalogue) as MessageKey[];

describe('the catalogue', () => {
  it('has no sentence that nobody says, and none for a state that is not', () => {
    expect(keys.filter((key) => !isOfHop(key) && !isNamed(key))).toEqual([]);
  });

  it('would notice one', () => {
    for (const key of ['bridge_burning', 'session_reachable', 'nobody_says_this'])
      expect([isOfHop(key), isNamed(key)]).toEqual([false, false]);
  });

  it.each(keys)('%s is a sentence with at most what is put in for $1 to $9', (key) => {
    const { message } = catalogue[key];
    expect(message.trim()).toBe(message);
    expect(message).not.toBe('');
    expect(message.replaceAll(/\$[1-9](?!\d)/g, '')).not.toContain('$');
  });
});
