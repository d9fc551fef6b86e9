import { BridgeError } from '#shared/errors.ts';
import { findHindrance } from '#shared/hindrance.ts';
import { namesOf, type Model } from '#shared/models.ts';

import type { Exchange, Reply, Route } from '../../http/route.ts';
import { reportError } from './errors.ts';

/** `GET /v1/models` and `GET /v1/models/{id}`: what Puter lists, as the connected extensions told it. */
export function createModelRoutes(options: {
  /** Null for an extension that has no list yet; empty where none is connected. */
  catalogues: () => (readonly Model[] | null)[];
}): Route[] {
  const { catalogues } = options;

  function models(): readonly Model[] {
    const all = catalogues();
    if (all.length === 0) throw BridgeError.from(findHindrance([]));
    const list = all.find((it) => it !== null);
    if (!list) throw new BridgeError('upstream_failed', 'Puter’s list of models cannot be had just now. Try again.');
    return list;
  }

  const list = (): Reply => ({ status: 200, body: { object: 'list', data: models().map(describe) } });

  function find({ params }: Exchange): Reply {
    const wanted = (params['id'] ?? '').toLowerCase();
    const model = models().find((it) => namesOf(it).some((name) => name.toLowerCase() === wanted));
    if (model) return { status: 200, body: describe(model) };
    throw new BridgeError('model_not_found', 'Puter has no model of that name. GET /v1/models lists them all.', {
      param: 'model',
    });
  }

  return ['/v1/models', '/models'].flatMap((path): Route[] => [
    { method: 'GET', path, handle: list, reportError },
    { method: 'GET', path: `${path}/*id`, handle: find, reportError },
  ]);
}

/** OpenAI's four fields, and what else programs ask for. */
function describe(model: Model): object {
  const { id, aliases, provider, contextTokens, maxOutputTokens, inputPrice, outputPrice, tools } = model;
  const vision = model.inputs?.includes('image') ?? null;
  return {
    id,
    object: 'model',
    created: Math.floor((model.releasedAt ?? 0) / 1000),
    owned_by: provider ?? 'puter',
    aliases,
    context_length: contextTokens,
    max_output_tokens: maxOutputTokens,
    /** Dollars per million tokens. */
    pricing: { input: inputPrice, output: outputPrice },
    capabilities: { tools, vision, reasoning: model.reasoning },
    // For clients that ask for these instead.
    supports_tools: tools,
    supports_vision: vision,
  };
}
