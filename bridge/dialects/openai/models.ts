import { BridgeError } from '#shared/errors.ts';
import { findHindrance } from '#shared/hindrance.ts';
import type { Model } from '#shared/models.ts';

import type { Catalogue } from '../../catalogue/catalogue.ts';
import { withSuggestions } from '../../catalogue/with-suggestions.ts';
import type { Exchange, Reply, Route } from '../../http/route.ts';
import { reportError } from './errors.ts';

/** `GET /v1/models` and `GET /v1/models/{id}`: what Puter lists, also while no extension is connected. */
export function createModelRoutes(options: { catalogue: Catalogue; hasExtension: () => boolean }): Route[] {
  const { catalogue, hasExtension } = options;

  async function models(): Promise<readonly Model[]> {
    // Right after the start, what the last run knew may still be on its way from the disk.
    if (!catalogue.list()) await catalogue.loaded;
    const list = catalogue.list();
    if (list) return list;
    if (!hasExtension()) throw BridgeError.from(findHindrance([]));
    throw new BridgeError('upstream_failed', 'Puter’s list of models cannot be had just now. Try again.');
  }

  const list = async (): Promise<Reply> => ({
    status: 200,
    body: { object: 'list', data: (await models()).map(describe) },
  });

  async function find(exchange: Exchange): Promise<Reply> {
    await models();
    const name = exchange.param('id');
    const model = catalogue.find(name);
    if (model) return { status: 200, body: describe(model) };
    const message = 'Puter has no model of that name. GET /v1/models lists them all.';
    throw BridgeError.from(withSuggestions({ code: 'model_not_found', message, param: 'model' }, catalogue, name));
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
