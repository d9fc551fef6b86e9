import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fetchModelNames, nearestNames } from '../../../extension/puter/models.ts';

const names = ['openai/gpt-5', 'openai/gpt-5-mini', 'openai/gpt-4o-mini', 'gpt-4o-mini', 'claude-sonnet-4', 'o3'];

describe('the nearest names', () => {
  it.each([
    ['a letter too few', 'gpt-4o-mni', 'gpt-4o-mini'],
    ['other capitals', 'Claude-Sonnet-4', 'claude-sonnet-4'],
    ['a provider left out', 'gpt-5', 'openai/gpt-5'],
    ['the beginning only', 'claude', 'claude-sonnet-4'],
    ['a version that does not exist', 'claude-sonnet-5', 'claude-sonnet-4'],
  ])('begin with the right one after %s', (_, wanted, meant) => {
    expect(nearestNames(wanted, names)[0]).toBe(meant);
  });

  it('begin with the right one after a letter too few behind a provider', () => {
    expect(nearestNames('openai/gpt-4o-mni', names)[0]).toBe('openai/gpt-4o-mini');
  });

  it('are none where nothing is near', () => {
    expect(nearestNames('llama-3.3-70b', names)).toEqual([]);
    expect(nearestNames('gpt-5', [])).toEqual([]);
  });

  it('put the shortest first among equals', () => {
    expect(nearestNames('gpt-5', names)).toEqual(['openai/gpt-5', 'openai/gpt-5-mini']);
  });

  it('are at most three, all different, all of the list, and the exact one first', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '/', ':', '-'), maxLength: 6 });
    fc.assert(
      fc.property(name, fc.array(name), (wanted, list) => {
        const nearest = nearestNames(wanted, [...list, wanted]);
        expect(nearest.length).toBeLessThanOrEqual(3);
        expect(new Set(nearest).size).toBe(nearest.length);
        for (const found of nearest) expect([...list, wanted]).toContain(found);
        expect(nearest[0]).toBe(wanted);
      }),
    );
  });
});

describe('Puter’s list', () => {
  async function listFrom(status: number, body: string): Promise<string[]> {
    const server = createServer((_, response) => response.writeHead(status).end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      return await fetchModelNames(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  }

  it('holds every name that a model answers to', async () => {
    const models = [{ id: 'a', aliases: ['b', 'c'], puterId: 'd', name: 'A' }, { id: 'e' }];
    expect(await listFrom(200, JSON.stringify({ models }))).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it.each(['', 'null', '[]', '{"models":["a"]}', '{"models":[{"id":5}]}'])('is empty where it is %j', async (body) => {
    expect(await listFrom(200, body)).toEqual([]);
  });

  it('is empty where Puter cannot be reached', async () => {
    expect(await fetchModelNames('http://127.0.0.1:1')).toEqual([]);
  });
});
