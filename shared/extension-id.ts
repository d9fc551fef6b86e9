/**
 * The id that the `key` in manifest.json gives the extension in every Chromium, unpacked or from a store.
 * The bridge accepts this origin and no other; a test holds the two together.
 */
export const extensionId = 'iklcdnhalpoojggnomchbmcmhieopleh';
export const extensionOrigin = `chrome-extension://${extensionId}`;
