import { IncomingMessage, ServerResponse } from 'node:http';

import express from 'express';

import type { Locals } from './locals.ts';

/**
 * What express adds to each request and response as it comes, by giving them another prototype, these have from the
 * start: an object that changes its prototype is slow from then on.
 */
export class BridgeRequest extends IncomingMessage {}
export class BridgeResponse<R extends IncomingMessage = IncomingMessage> extends ServerResponse<R> {
  locals: Locals = {};
}

Object.setPrototypeOf(BridgeRequest.prototype, express.request);
Object.setPrototypeOf(BridgeResponse.prototype, express.response);
