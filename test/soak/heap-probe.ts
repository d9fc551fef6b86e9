/** Loaded before the bridge: tells the parent, whenever it asks, what is left of the heap after a collection. */

process.on('message', () => {
  for (let times = 0; times < 3; times += 1) globalThis.gc?.();
  process.send?.(process.memoryUsage().heapUsed);
});
// The bridge ends when it wants to, whoever may still ask.
process.channel?.unref();
