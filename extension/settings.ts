import * as v from 'valibot';

/** What the person can set. Every value is checked here, on the options page and when read from storage alike. */
export const settingsSchema = v.object({
  /** The bridge listens on this port of 127.0.0.1. */
  bridgePort: v.pipe(
    v.number('A port is a whole number from 1 to 65535.'),
    v.integer('A port is a whole number from 1 to 65535.'),
    v.minValue(1, 'A port is a whole number from 1 to 65535.'),
    v.maxValue(65_535, 'A port is a whole number from 1 to 65535.'),
  ),
  /** Used for requests that name no model; empty leaves the choice to Puter. */
  defaultModel: v.pipe(v.string(), v.trim(), v.maxLength(200, 'A model name has at most 200 characters.')),
  /** How many calls run at once. */
  lanes: v.pipe(
    v.number('Choose from 1 to 20 calls at once.'),
    v.integer('Choose from 1 to 20 calls at once.'),
    v.minValue(1, 'Choose from 1 to 20 calls at once.'),
    v.maxValue(20, 'Choose from 1 to 20 calls at once.'),
  ),
  /** Where Puter's API answers, and where its pages are; both change for a self-hosted Puter. */
  apiOrigin: origin(),
  guiOrigin: origin(),
});

export type Settings = v.InferOutput<typeof settingsSchema>;

export const defaultSettings: Settings = {
  bridgePort: 5001,
  defaultModel: '',
  lanes: 3,
  apiOrigin: 'https://api.puter.com',
  guiOrigin: 'https://puter.com',
};

/** Reads what was stored, value by value: one that is no longer valid falls back to its default alone. */
export function readSettings(stored: unknown): Settings {
  const given = typeof stored === 'object' && stored !== null ? (stored as Record<string, unknown>) : {};
  const valid = Object.entries(settingsSchema.entries).flatMap(([name, schema]) => {
    const result = v.safeParse(schema, given[name]);
    return result.success ? [[name, result.output]] : [];
  });
  return { ...defaultSettings, ...(Object.fromEntries(valid) as Partial<Settings>) };
}

function origin() {
  return v.pipe(
    v.string(),
    v.trim(),
    v.check(isSafeOrigin, 'Give an https:// address without a path (http:// only for this machine).'),
    v.transform((text) => new URL(text).origin),
  );
}

/** The token travels to this origin: in the clear only where it does not leave the machine. */
function isSafeOrigin(text: string): boolean {
  const url = URL.parse(text);
  if (!url || url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '') return false;
  const isLocal = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLocal);
}
