/** What must be on disk at once, and what is there from before. */
export interface DispatchJournal {
  dispatched(requestId: string, holder: { instance: string; profile: string }): void;
  requeued(requestId: string): void;
  /** An extension still holds a request that nobody here knows: is it wanted, it is restored. */
  recall(requestId: string): void;
}
