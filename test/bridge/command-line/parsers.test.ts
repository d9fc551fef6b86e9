import { InvalidArgumentError } from 'commander';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { blockedPorts } from '#shared/blocked-ports.ts';

import { parsePort } from '../../../bridge/command-line/parsers.ts';

describe('a port', () => {
  it('is any whole number that TCP knows and browsers go to', () => {
    fc.assert(
      fc.property(fc.nat({ max: 65_535 }), (port) => {
        fc.pre(!blockedPorts.has(port));
        expect(parsePort(String(port))).toBe(port);
      }),
    );
  });

  it('is nothing else', () => {
    for (const text of ['', ' ', '65536', '1e3', '0x10', '5001.0', '+1', '-1', ' 5001', '5001 ', '١', '100000'])
      expect(() => parsePort(text)).toThrow(InvalidArgumentError);
  });
});
