/**
 * Calls back after `ms`, unless the function that it returns is called before. What arrived in time is read first: when a
 * machine wakes up, or a process that was stopped goes on, the time is over and the answer lies unread in the socket.
 */
export function after(ms: number, callback: () => void): () => void {
  let turn: NodeJS.Immediate | undefined;
  // Between the timers of a turn and its immediates, Node reads its sockets.
  const timer = setTimeout(() => void (turn = setImmediate(callback)), ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(turn);
  };
}
