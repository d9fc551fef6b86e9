/**
 * The id that the `key` in manifest.json gives the extension in every Chromium, unpacked or from a store.
 * The bridge accepts this origin as it is, and every other extension's once it is paired; a test holds the two together.
 */
export const extensionId = 'iklcdnhalpoojggnomchbmcmhieopleh';
export const extensionOrigin = `chrome-extension://${extensionId}`;

const pattern = /^(chrome-extension:\/\/[a-p]{32}|moz-extension:\/\/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12})$/;

/** Whether an extension of some browser has this origin, exactly as the browser sends it. */
export const isExtensionOrigin = (origin: string): boolean => pattern.test(origin);
