import { afterEach, expect, it, vi } from 'vitest';

import { say } from '../../../extension/components/say.ts';

afterEach(() => void vi.unstubAllGlobals());

const browserSays = (getMessage: (key: string, substitutions: string[]) => string) =>
  vi.stubGlobal('chrome', { i18n: { getMessage } });

it('says what the browser has in its language', () => {
  browserSays((key, [who]) => `${key}: ${who}`);
  expect(say('session_signed_in', 'ada')).toBe('session_signed_in: ada');
});

it('says it in English where the browser has no sentences yet', () => {
  browserSays(() => '');
  expect(say('session_signed_in', 'ada')).toBe('Signed in as ada.');
});
