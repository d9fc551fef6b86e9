import { describe, expect, it } from 'vitest';

import { say } from '../../bridge/say.ts';

describe('a sentence', () => {
  it('stands as it is in the catalogue', () => {
    expect(say('light_ready')).toBe('Ready.');
  });

  it('has what is put in in its places', () => {
    expect(say('page_extension', 'Chrome 156', '1.2.3', '1', '3')).toBe('Chrome 156, version 1.2.3: 1 of 3 lanes busy');
    expect(say('puter_rate_limited', '', '12:00:00')).toMatch(/again at 12:00:00\.$/);
  });

  it('shows what is put in as it is, whatever looks like a place in it', () => {
    expect(say('page_extension', '$2', '$1', '$&', '$$')).toBe('$2, version $1: $& of $$ lanes busy');
  });

  it('leaves nothing in the place of what is missing', () => {
    expect(say('page_queue', '1')).toBe('1 running,  waiting');
  });
});
