import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { run, temporaryStateDir } from '../../catalogue/bridge-process.ts';

/** What a bridge says that does not start with these options. */
async function refusal(...args: string[]): Promise<string> {
  const { ended, stdout, stderr } = run(['--port', '0', '--state-dir', await temporaryStateDir(), ...args]);
  expect([await ended, stdout()]).toEqual([[2, null], '']);
  return stderr();
}

async function makeFolder(mode: number): Promise<string> {
  const folder = join(await temporaryStateDir(), 'folder');
  mkdirSync(folder);
  chmodSync(folder, mode);
  return folder;
}

describe('whoever names a place that is not private is told of another, and to close none that others need', () => {
  it.each([
    ['that is everybody’s', 0o1777],
    ['that others can read', 0o755],
  ])('for a socket in a folder %s', async (_, mode) => {
    const folder = await makeFolder(mode);
    expect(await refusal('--socket', join(folder, 'x.sock'))).toBe(
      `Other users can open ${folder}. Give the socket a folder of its own: --socket '${folder}/puter-bridge/bridge.sock'\n`,
    );
  });

  it('for a socket below a link, as /tmp is one on some systems', async () => {
    const folder = await makeFolder(0o700);
    const link = `${folder}-link`;
    symlinkSync(folder, link);
    const words = await refusal('--socket', join(link, 'x.sock'));
    expect(words).toContain(`--socket '${link}/puter-bridge/bridge.sock'`);
    expect(words).not.toContain('Move');
  });

  it('for a socket in a folder of another user', async () => {
    // Root's own is another user's to everybody but root, who alone can give one away.
    let folder = '/';
    if (process.getuid?.() === 0) chownSync((folder = await makeFolder(0o700)), 1, 1);
    const words = await refusal('--socket', join(folder, 'x.sock'));
    expect(words).toContain(`${folder} belongs to another user. Give the socket a folder of its own`);
    expect(words).not.toContain('--state-dir');
  });

  it('for a state folder that is everybody’s', async () => {
    const folder = await makeFolder(0o1777);
    expect(await refusal('--state-dir', folder)).toBe(
      `Other users can open ${folder}. Choose another folder with --state-dir.\n`,
    );
  });

  it('for a state folder that may be more than the bridge’s', async () => {
    const folder = await makeFolder(0o755);
    expect(await refusal('--state-dir', folder)).toBe(
      `Other users can open ${folder}. Choose another folder with --state-dir. Or, if nothing but the bridge uses this one, close it to them: chmod 700 '${folder}'\n`,
    );
  });

  it('for a log file that is a device, or none of the bridge’s', async () => {
    expect(await refusal('--log-file', '/dev/null')).toBe(
      '/dev/null must be a regular file itself, not a link, a device or anything else. Choose another file with --log-file.\n',
    );
    const file = join(await makeFolder(0o700), 'system.log');
    writeFileSync(file, '');
    chmodSync(file, 0o644);
    expect(await refusal('--log-file', file)).toContain(
      'Choose another file with --log-file. Or, if nothing but the bridge',
    );
  });
});
