import { describe, expect, it } from 'vitest';

import { findStateDir } from '../../../bridge/command-line/paths.ts';

describe('the state folder', () => {
  it.each([
    ['linux', {}, '/home/ada', '/home/ada/.local/state/puter-bridge'],
    ['linux', { XDG_STATE_HOME: '/var/ada' }, '/home/ada', '/var/ada/puter-bridge'],
    ['linux', { XDG_STATE_HOME: 'relative' }, '/home/ada', '/home/ada/.local/state/puter-bridge'],
    ['linux', { XDG_STATE_HOME: '' }, '/home/ada', '/home/ada/.local/state/puter-bridge'],
    ['freebsd', {}, '/home/ada', '/home/ada/.local/state/puter-bridge'],
    ['darwin', { XDG_STATE_HOME: '/x' }, '/Users/ada', '/Users/ada/Library/Application Support/puter-bridge'],
    ['win32', { LOCALAPPDATA: String.raw`D:\ada` }, String.raw`C:\Users\ada`, String.raw`D:\ada\puter-bridge`],
    ['win32', {}, String.raw`C:\Users\ada`, String.raw`C:\Users\ada\AppData\Local\puter-bridge`],
  ] as const)('lies on %s with %j and the home %s at %s', (platform, env, home, folder) => {
    expect(findStateDir(platform, env, home)).toBe(folder);
  });
});
