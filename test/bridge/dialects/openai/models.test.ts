import { describe, expect, it } from 'vitest';

import { findModel, type Model } from '#shared/models.ts';

import { createModelRoutes } from '../../../../bridge/dialects/openai/models.ts';
import type { Exchange } from '../../../../bridge/http/route.ts';
import { modelNamed } from '../../../shared/model-named.ts';

function routes(options: { models?: Model[]; hasExtension?: boolean; onDisk?: Promise<Model[]> }) {
  const { hasExtension = false, onDisk } = options;
  let { models } = options;
  const [list, find] = createModelRoutes({
    catalogue: {
      loaded: Promise.resolve(onDisk).then((list) => void (models ??= list)),
      list: () => models ?? null,
      find: (name) => findModel(models ?? [], name),
      nearest: () => ['gpt-5', 'o3'],
      learn: () => {},
      close: () => Promise.resolve(),
    },
    hasExtension: () => hasExtension,
  });
  const ask = async (route: typeof list, params: Record<string, string>): Promise<unknown> =>
    route?.handle({ param: (name) => params[name] ?? '' } as Partial<Exchange> as Exchange);
  return { list: () => ask(list, {}), find: (id: string) => ask(find, { id }) };
}

describe('a list of models', () => {
  it('tells of abilities what Puter told, in the words of several clients', async () => {
    const known = { ...modelNamed('knows'), inputs: ['text', 'image'], tools: true, reasoning: false };
    const deaf = { ...modelNamed('deaf'), inputs: ['text'] };
    expect(await routes({ models: [known, deaf, modelNamed('m', 'other')] }).list()).toMatchObject({
      status: 200,
      body: {
        object: 'list',
        data: [
          {
            id: 'knows',
            capabilities: { tools: true, vision: true, reasoning: false },
            supports_tools: true,
            supports_vision: true,
          },
          { id: 'deaf', capabilities: { tools: null, vision: false, reasoning: null }, supports_vision: false },
          {
            id: 'm',
            aliases: ['other'],
            owned_by: 'puter',
            created: 0,
            capabilities: { tools: null, vision: null, reasoning: null },
            supports_tools: null,
            supports_vision: null,
          },
        ],
      },
    });
  });

  it('waits for the disk right after the start', async () => {
    const disk = Promise.withResolvers<Model[]>();
    const answer = routes({ onDisk: disk.promise }).find('late');
    disk.resolve([modelNamed('late')]);
    expect(await answer).toMatchObject({ status: 200, body: { id: 'late' } });
  });

  it('does not wait for a disk that hangs where an extension told', async () => {
    const models = [modelNamed('m')];
    expect(await routes({ models, onDisk: new Promise(() => {}) }).find('m')).toMatchObject({ status: 200 });
  });

  it.each([
    [false, 'extension_not_connected'],
    [true, 'upstream_failed'],
  ])('that nobody ever told is missed, with an extension: %s', async (hasExtension, code) => {
    const { list, find } = routes({ hasExtension });
    await expect(list()).rejects.toMatchObject({ code });
    await expect(find('m')).rejects.toMatchObject({ code });
  });

  it('says which name may have been meant', async () => {
    await expect(routes({ models: [modelNamed('gpt-5')] }).find('gtp-5')).rejects.toMatchObject({
      code: 'model_not_found',
      message: expect.stringContaining('Did you mean gpt-5, o3?') as string,
    });
  });
});
