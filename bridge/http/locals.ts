import type { ServerResponse } from 'node:http';

import type { BridgeError } from '#shared/errors.ts';

import type { Pass } from '../keys/key-check.ts';
import type { Reply } from './route.ts';

/** What is known of an exchange on its way through the application, and afterwards. */
export interface Locals {
  /** The path as the route table has it. */
  route?: string;
  pass?: Pass;
  /** What it was refused for. */
  error?: BridgeError;
  report?: (error: BridgeError) => Reply;
}

/** Where express keeps them. */
export const localsOf = (response: ServerResponse & { locals?: Locals }): Locals => response.locals ?? {};
