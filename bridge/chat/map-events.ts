import type { ChatEvent } from '#shared/chat.ts';

/** The same events, each as `change` makes it: an async generator without what one costs for each event. */
export function mapEvents(
  events: AsyncIterable<ChatEvent>,
  change: (event: ChatEvent) => ChatEvent | Promise<ChatEvent>,
): AsyncIterable<ChatEvent> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = events[Symbol.asyncIterator]();
      return {
        async next() {
          const { done, value } = (await iterator.next()) as IteratorResult<ChatEvent, undefined>;
          if (done) return { done, value };
          const changed = change(value);
          return { done: false, value: changed instanceof Promise ? await changed : changed };
        },
        return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
      };
    },
  };
}
