import type { ChatRequest } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

/** What the model of that name takes, in Puter's words (text, image, audio, pdf); null where nobody knows. */
export type InputsOf = (model: string) => readonly string[] | null;

const needs = { audio: ['audio'], file: ['pdf', 'file'] } as const;

/** Throws where a part would be dropped on the way: what a model does not take, its provider leaves out in silence. */
export function refuseForeignParts({ messages, model }: ChatRequest, inputsOf: InputsOf): void {
  for (const [i, { content }] of messages.entries()) {
    if (typeof content === 'string') continue;
    for (const [j, { type }] of content.entries()) {
      if (type !== 'audio' && type !== 'file') continue;
      const inputs = model === undefined ? null : inputsOf(model);
      if (needs[type].some((input) => inputs?.includes(input))) continue;
      const kind = type === 'audio' ? 'audio' : 'files';
      const known = inputs ? `it takes ${inputs.join(', ') || 'none'}` : 'Puter does not list what it takes';
      throw new BridgeError('invalid_request', `This model is not known to take ${kind}: ${known}.`, {
        param: `messages.${i}.content.${j}`,
      });
    }
  }
}
