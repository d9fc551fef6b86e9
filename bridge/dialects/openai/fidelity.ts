import { BridgeError } from '#shared/errors.ts';

export type Treatment = 'native' | 'emulated' | 'ignored';

/**
 * How each parameter that was set was treated, for the header `x-puter-bridge-fidelity`: carried by Puter, done here, or
 * left out without harm to the answer.
 */
export function describeFidelity(
  body: Readonly<Record<string, unknown>>,
  treatmentOf: (param: string) => Treatment,
  alsoIgnored: readonly string[] = [],
): string {
  const names: Record<Treatment, string[]> = { native: [], emulated: [], ignored: [] };
  for (const [name, value] of Object.entries(body)) {
    // What is no name of a parameter has no place in a header.
    if (value !== null && value !== undefined && /^[\w.-]{1,64}$/.test(name)) names[treatmentOf(name)].push(name);
  }
  const { native, emulated, ignored } = names;
  ignored.push(...alsoIgnored);
  return `native=${native.join(',')}; emulated=${emulated.join(',')}; ignored=${ignored.slice(0, 32).join(',')}`;
}

/**
 * Throws where one of `params` is set, since without it the answer would be another; `none`, `{}`, `[]`, `false` and the
 * defaults ask for nothing.
 */
export function refuseUncarried(body: Readonly<Record<string, unknown>>, params: ReadonlySet<string>): void {
  for (const [param, value] of Object.entries(body)) {
    if (!params.has(param) || asksNothing(param, value)) continue;
    const message = `“${param}” is not carried by Puter, and the answer would be another without it. Leave it out.`;
    throw new BridgeError('invalid_request', message, { param });
  }
}

const asksNothing = (param: string, value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === 'none' ||
  (param === 'top_logprobs' && value === 0) ||
  (param === 'modalities' && JSON.stringify(value) === '["text"]') ||
  // A search is asked for by saying nothing of how.
  (param !== 'web_search_options' && typeof value === 'object' && Object.keys(value).length === 0);
