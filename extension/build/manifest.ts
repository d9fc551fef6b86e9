import * as v from 'valibot';

export const browserNames = ['chrome', 'firefox'] as const;
export type BrowserName = (typeof browserNames)[number];

const manifestSchema = v.looseObject({
  background: v.strictObject({ service_worker: v.string(), scripts: v.array(v.string()), type: v.string() }),
  permissions: v.array(v.string()),
});

/** What is the other browser's: each warns of it. */
const foreign: Record<BrowserName, readonly string[]> = {
  chrome: ['browser_specific_settings'],
  firefox: ['key', 'minimum_chrome_version'],
};

/** The manifest of one browser, with the version of the package. */
export function stampManifest(source: string, browser: BrowserName, version: string): string {
  const { background, permissions, ...rest } = v.parse(manifestSchema, JSON.parse(source));
  const { service_worker, scripts, type } = background;
  const manifest = {
    ...Object.fromEntries(Object.entries(rest).filter(([key]) => !foreign[browser].includes(key))),
    version,
    background: browser === 'chrome' ? { service_worker, type } : { scripts, type },
    permissions: permissions.filter((name) => browser === 'chrome' || name !== 'offscreen'),
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** For the Chrome Web Store, which gives an extension its id itself and takes no manifest that does. */
export function forStore(manifest: string): string {
  const { key: _, ...rest } = v.parse(v.looseObject({ key: v.string() }), JSON.parse(manifest));
  return `${JSON.stringify(rest, null, 2)}\n`;
}
