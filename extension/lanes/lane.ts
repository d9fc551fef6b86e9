/** The entry of a lane: a dedicated worker that runs one `puter.ai.chat()` at a time. */

import { runChat } from '../puter/chat.ts';
import { toFailure } from '../puter/failures.ts';
import { createBatch } from './batch.ts';
import type { LaneJob, LaneMessage } from './lane-messages.ts';

const post = (message: LaneMessage) => postMessage(message);

addEventListener('message', ({ data: { chat, token } }: MessageEvent<LaneJob>) => {
  const batch = createBatch((parts) => post({ type: 'parts', parts }));
  void runChat(chat, token, batch.add).then(
    (end) => post({ type: 'end', parts: batch.close(), end }),
    (error: unknown) => {
      batch.flush();
      batch.close();
      post({ type: 'error', error: toFailure(error) });
    },
  );
});
