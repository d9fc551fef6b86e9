/** An entry of `GET /puterai/chat/models/details`. */
interface ListedModel {
  id: string;
  name: string;
  provider: string;
  puterId?: string;
  aliases?: string[];
  context?: number;
  max_tokens: number;
  costs_currency: 'usd-cents';
  /** In cents per `tokens` tokens, under the provider's own keys. */
  costs: { tokens: number; [key: string]: number };
  modalities?: { input: string[]; output: string[] };
  tool_call?: boolean;
  /** Not typed in Puter's source, which lets any field through. */
  reasoning?: boolean;
  release_date?: string;
  subscriberOnly?: boolean;
}

/** An entry as Puter makes it for a local model: the fields in wire/models-details.txt and no more. */
const local = (id: string): ListedModel => ({
  id,
  name: `${id} (Ollama)`,
  max_tokens: 8192,
  costs_currency: 'usd-cents',
  costs: { tokens: 1_000_000, input_token: 0, output_token: 0 },
  provider: 'ollama',
});

/**
 * What the stand-in lists, sorted by provider and id as Puter does. Not listed yet callable: `fake` and `blocked` (Puter
 * hides its fake models), `fail:<code>` and `busy:<n>`. The longer entries carry fields read in Puter's source.
 */
export const listedModels: readonly ListedModel[] = [
  {
    id: 'anthropic',
    name: 'Echo in the Anthropic shape',
    provider: 'claude',
    puterId: 'anthropic:anthropic/echo',
    aliases: ['claude-echo', 'anthropic/echo'],
    context: 200_000,
    max_tokens: 64_000,
    costs_currency: 'usd-cents',
    costs: { tokens: 1_000_000, input_tokens: 300, output_tokens: 1500 },
    modalities: { input: ['text', 'image'], output: ['text'] },
    tool_call: true,
    release_date: '2026-02-17',
  },
  { ...local('all-ears'), modalities: { input: ['text', 'image', 'audio', 'pdf'], output: ['text'] } },
  local('big'),
  local('drop'),
  { ...local('echo'), aliases: ['echo-latest'], context: 8192 },
  local('fail-mid'),
  local('hang'),
  local('hang-mid'),
  local('huge'),
  local('no-usage'),
  { ...local('reasoning'), reasoning: true },
  local('slow-stream'),
  local('utf8'),
  {
    id: 'fail:permission_denied',
    name: 'For subscribers only',
    provider: 'openai-completion',
    aliases: ['subscribers-only'],
    context: 400_000,
    max_tokens: 128_000,
    costs_currency: 'usd-cents',
    costs: { tokens: 1_000_000, prompt_tokens: 1500, completion_tokens: 12_000 },
    subscriberOnly: true,
  },
  {
    ...local('long-stream'),
    name: 'Two thousand chunks',
    provider: 'openai-completion',
    costs: { tokens: 1_000_000, prompt_tokens: 5, completion_tokens: 40 },
  },
  { ...local('parallel-tools'), provider: 'openai-completion', tool_call: true },
  { ...local('tools'), provider: 'openai-completion', tool_call: true },
  {
    id: 'whole-only',
    name: 'Echo without streaming',
    provider: 'openai-completion',
    puterId: 'openai:openai/whole-only',
    aliases: ['openai/whole-only'],
    context: 128_000,
    max_tokens: 16_384,
    costs_currency: 'usd-cents',
    costs: { tokens: 1_000_000, prompt_tokens: 250, completion_tokens: 1000 },
    modalities: { input: ['text'], output: ['text'] },
    tool_call: false,
    reasoning: false,
    release_date: '2025-08-07',
  },
];
