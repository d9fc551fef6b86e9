import type { ChatMessage, ChatRequest, ResponseFormat } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

/**
 * The request as it is put to Puter: its driver carries no `response_format`, and most providers behind it ignore
 * `tool_choice`, so the model is told in words, too. Throws where the choice names no tool that is offered.
 */
export function prepare(request: ChatRequest): ChatRequest {
  const { toolChoice = 'auto', tools = [], responseFormat, messages, ...rest } = request;
  const offered = tools.filter(({ name }) => typeof toolChoice !== 'object' || toolChoice.name === name);
  if (offered.length === 0 && toolChoice !== 'auto' && toolChoice !== 'none') {
    throw new BridgeError('invalid_request', '“tool_choice” asks for a tool that is not among “tools”.', {
      param: 'tool_choice',
    });
  }
  const isForced = toolChoice !== 'auto' && toolChoice !== 'none';
  const instructions = [
    ...(isForced ? [forceTool(offered.map(({ name }) => name))] : []),
    ...(responseFormat ? [askForJson(responseFormat)] : []),
  ];
  return {
    ...rest,
    messages: instruct(messages, instructions),
    // A model that may not call a tool is not shown any. One that must call a certain one is shown that one.
    ...(offered.length > 0 && toolChoice !== 'none' && { tools: offered }),
    ...(isForced && { toolChoice: 'required' as const }),
    ...(responseFormat && { responseFormat }),
  };
}

export const mustCallTool = ({ toolChoice = 'auto' }: ChatRequest): boolean =>
  toolChoice === 'required' || typeof toolChoice === 'object';

const forceTool = (names: readonly string[]): string =>
  names.length === 1
    ? `Answer with a call of the tool “${names[0]}”, and with nothing else.`
    : 'Answer with a call of at least one of the tools, and with nothing else.';

function askForJson(format: ResponseFormat): string {
  const refusal = 'If you cannot or will not answer, say why in plain words instead.';
  if (format.type === 'json_object') {
    return `Answer with one JSON object and nothing else: no prose around it, no Markdown. ${refusal}`;
  }
  const { name, description, schema } = format;
  return [
    `Answer with one JSON value and nothing else: no prose around it, no Markdown. ${refusal}`,
    `It is called “${name}”${description === undefined ? '' : ` (${description})`} and must fit this JSON Schema:`,
    JSON.stringify(schema),
  ].join('\n');
}

/** Into the first message of the system: of those further down, Puter hands none on to Claude. */
function instruct(messages: ChatMessage[], instructions: readonly string[]): ChatMessage[] {
  if (instructions.length === 0) return messages;
  const text = instructions.join('\n\n');
  const [first, ...others] = messages;
  if (first?.role !== 'system') return [{ role: 'system', content: text }, ...messages];
  const { content } = first;
  const whole = typeof content === 'string' ? `${content}\n\n${text}` : [...content, { type: 'text' as const, text }];
  return [{ role: 'system', content: whole }, ...others];
}
