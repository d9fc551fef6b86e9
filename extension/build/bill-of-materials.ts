import * as v from 'valibot';

const lockSchema = v.object({
  version: v.string(),
  packages: v.record(
    v.string(),
    v.object({
      version: v.optional(v.string(), ''),
      license: v.optional(v.string()),
      integrity: v.optional(v.string()),
      dev: v.optional(v.boolean(), false),
      optional: v.optional(v.boolean(), false),
      devOptional: v.optional(v.boolean(), false),
    }),
  ),
});

/**
 * What a release is made of, as CycloneDX 1.5: every package of the lock, with its hash. `bundled` are the packages that
 * the extension holds parts of; what only builds and tests is “excluded”. `npm sbom` knows neither of the two, and
 * refuses a tree in which one package overlooks what another wants of a third.
 */
export function describeMaterials(lock: unknown, bundled: ReadonlySet<string>): object {
  const { version, packages } = v.parse(lockSchema, lock);
  const { '': root, ...others } = packages;
  const ships = new Set([...bundled].map((name) => `node_modules/${name}`));
  const components = Object.entries(others).map(([path, { version: its, license, integrity, ...kind }]) => {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const isBuildOnly = (kind.dev || kind.optional || kind.devOptional) && !ships.has(path);
    return {
      type: 'library',
      'bom-ref': path,
      name,
      version: its,
      purl: `pkg:npm/${name.replace('@', '%40')}@${its}`,
      scope: isBuildOnly ? 'excluded' : 'required',
      ...(license !== undefined && { licenses: [{ expression: license }] }),
      ...(integrity !== undefined && { hashes: [toHash(integrity)] }),
    };
  });
  const licenses = [{ expression: root?.license ?? '' }];
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      component: { type: 'application', 'bom-ref': 'puter-bridge', name: 'puter-bridge', version, licenses },
    },
    components,
  };
}

/** From the form that npm writes: `sha512-` and base64. */
function toHash(integrity: string): { alg: string; content: string } {
  const [, bits = '', base64 = ''] = /^sha(\d+)-(\S+)/.exec(integrity) ?? [];
  return { alg: bits === '1' ? 'SHA-1' : `SHA-${bits}`, content: Buffer.from(base64, 'base64').toString('hex') };
}
