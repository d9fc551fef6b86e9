import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import * as v from 'valibot';
import { describe, expect, it } from 'vitest';

import catalogue from '#shared/locales/en/messages.json' with { type: 'json' };

/** Every sentence that is asked for is there, with as many places as are filled. That none is idle: test/shared/. */

const root = fileURLToPath(new URL('../..', import.meta.url));
const sentences = new Map(Object.entries(catalogue).map(([key, { message }]) => [key, message]));

interface Ask {
  /** As it stands in the source: a literal, a choice between two, or a template. */
  key: string;
  substitutions: number;
  where: string;
}

/** The calls of `say(…)` in a source, with their arguments taken apart at the commas of the outermost level. */
function asksIn(source: string, where: string): Ask[] {
  return [...source.matchAll(/(?<![.\w])say\(/g)].map(({ index, 0: { length } }) => {
    const [key = '', ...substitutions] = argumentsAt(source, index + length);
    return { key, substitutions: substitutions.length, where: `${where}: say(${key}, …)` };
  });
}

function argumentsAt(source: string, start: number): string[] {
  const found = [''];
  let depth = 0;
  let quote = '';
  for (const character of source.slice(start)) {
    if (quote !== '') quote = character === quote ? '' : quote;
    else if (/['"`]/.test(character)) quote = character;
    else if (/[([{]/.test(character)) depth += 1;
    else if (/[)\]}]/.test(character)) depth -= 1;
    if (depth < 0) break;
    if (depth === 0 && quote === '' && character === ',') found.push('');
    else found[found.length - 1] += character;
  }
  return found.map((it) => it.trim()).filter((it) => it !== '');
}

/** The keys that an argument can be; none where only the running code knows. */
function keysOf(argument: string): string[] {
  const template = /^`(\w*)\$\{[^}]+\}(\w*)`$/.exec(argument);
  if (template) {
    const [, before = '', after = ''] = template;
    return [...sentences.keys()].filter((key) => key.startsWith(before) && key.endsWith(after));
  }
  const choice = /^(?:[^'"`]+\?\s*)?'(\w+)'(?:\s*:\s*'(\w+)')?$/.exec(argument);
  return choice ? [choice[1], choice[2]].filter((key) => key !== undefined) : [];
}

const asks = ['extension', 'bridge', 'shared'].flatMap((folder) =>
  readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path))
    .flatMap((path) => asksIn(readFileSync(`${root}${folder}/${path}`, 'utf8'), `${folder}/${path}`)),
);

const placesIn = (message: string): number =>
  Math.max(0, ...[...message.matchAll(/\$(\d)/g)].map(([, place]) => Number(place)));

describe('a sentence that is asked for', () => {
  it('is there', () => {
    expect(asks.length).toBeGreaterThan(100);
    const missing = asks.flatMap(({ key, where }) =>
      keysOf(key)
        .filter((it) => !sentences.has(it))
        .map((it) => `${where} wants ${it}`),
    );
    expect(missing).toEqual([]);
  });

  it('has as many places as are filled', () => {
    const wrong = asks.flatMap(({ key, substitutions, where }) =>
      keysOf(key)
        .filter((it) => placesIn(sentences.get(it) ?? '') !== substitutions)
        .map((it) => `${where} fills ${substitutions} places of “${sentences.get(it)}”`),
    );
    expect(wrong).toEqual([]);
  });

  it('is named where it is asked for, but for a few', () => {
    const unnamed = asks.filter(({ key }) => keysOf(key).length === 0);
    expect(unnamed.length).toBeLessThan(8);
  });

  it('by a key that travels has no places: nobody could fill them', () => {
    const travelling = [...sentences].filter(([key]) => /^(sign_in_(?!use)|invalid_|no_answer$)/.test(key));
    expect(travelling.length).toBeGreaterThan(10);
    expect(travelling.filter(([, message]) => placesIn(message) > 0)).toEqual([]);
  });

  it('would be missed', () => {
    const source = "a(say(isOn ? 'stop' : 'nonsense')); say('price', f(1, 2), `a, ${b}`); say(`plan_${x}`); say(other)";
    const found = asksIn(source, 'x');
    expect(found.map(({ key, substitutions }) => [keysOf(key), substitutions])).toEqual([
      [['stop', 'nonsense'], 0],
      [['price'], 2],
      [['plan_temporary', 'plan_free', 'plan_paid'], 0],
      [[], 0],
    ]);
  });
});

describe('the manifest', () => {
  const manifest = v.parse(v.looseObject({}), JSON.parse(readFileSync(`${root}manifest.json`, 'utf8')));

  it('has its words from the catalogue', () => {
    const keys = [...JSON.stringify(manifest).matchAll(/__MSG_(\w+)__/g)].map(([, key = '']) => key);
    expect(new Set(keys)).toEqual(new Set(['name', 'description']));
    expect(keys.filter((key) => !sentences.has(key))).toEqual([]);
    expect(manifest['default_locale']).toBe('en');
  });

  it('has a name of at most 45 characters and a description of at most 132, as the store wants', () => {
    expect(catalogue.name.message.length).toBeLessThanOrEqual(45);
    expect(catalogue.description.message.length).toBeLessThanOrEqual(132);
  });
});
