import type { ChatRequest } from './chat.ts';

/** Claude is the one family whose provider takes its own shapes. */
export const isClaude = ({ model = '' }: ChatRequest): boolean => /(^|[/:])claude/i.test(model);
