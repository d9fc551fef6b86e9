import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';

const UNPACKED = 4;
// Chromium marks what Extensions.loadUnpacked brought and drops it at the next start.
const DROP_AT_NEXT_START = 1 << 15;

/** What we read and write of Chromium's own file; everything else in it passes through. */
const preferencesSchema = v.looseObject({
  extensions: v.optional(
    v.looseObject({
      ui: v.optional(v.looseObject({})),
      settings: v.optional(
        v.record(
          v.string(),
          v.looseObject({
            location: v.optional(v.number()),
            path: v.optional(v.string()),
            creation_flags: v.optional(v.number()),
          }),
        ),
      ),
    }),
    {},
  ),
});

/**
 * Makes a profile what it is for a person who loads an unpacked extension: developer mode is on (without it
 * `chrome.runtime.reload()` leaves an unpacked extension disabled), and what was loaded stays loaded, so that the
 * next start is a restart (`onStartup`) and not a new installation. Call it while no browser uses the profile.
 * Windows and macOS sign these preferences and undo the edit.
 *
 * @returns the folders of the extensions that should be there after the start
 */
export async function prepareProfile(profileDir: string): Promise<string[]> {
  const file = path.join(profileDir, 'Default', 'Preferences');
  await mkdir(path.dirname(file), { recursive: true });
  const preferences = v.parse(preferencesSchema, JSON.parse((await readIfThere(file)) ?? '{}'));
  const { extensions } = preferences;
  extensions.ui = { ...extensions.ui, developer_mode: true };
  const unpacked = Object.values(extensions.settings ?? {}).filter(({ location }) => location === UNPACKED);
  for (const extension of unpacked) extension.creation_flags = (extension.creation_flags ?? 0) & ~DROP_AT_NEXT_START;
  await writeFile(file, JSON.stringify(preferences));
  return unpacked.flatMap((extension) => extension.path ?? []);
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
