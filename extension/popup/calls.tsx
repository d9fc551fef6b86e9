import { useEffect, useState } from 'preact/hooks';

import { count, duration } from '../components/format.ts';
import { say } from '../components/say.ts';
import { askStation } from '../messages.ts';
import type { FinishedCall, RunningCall } from '../relay/activity.ts';

/** What runs now, each with its own Stop, and how many wait behind it. */
export function RunningCalls({ calls, queued }: { calls: RunningCall[]; queued: number }) {
  const now = useNow(calls.length > 0);
  if (calls.length === 0 && queued === 0) return null;
  return (
    <section id="running" class="card calls" aria-labelledby="running-title">
      <div class="row">
        <h2 id="running-title" class="grow">
          {say('running')}
        </h2>
        <span id="queued" class="muted small">
          {queued > 0 && say('queued', String(queued))}
        </span>
      </div>
      <ul>
        {calls.map((call) => (
          <li key={call.requestId} class="row">
            <div class="grow">
              <p>{modelOf(call)}</p>
              <p class="muted small">{call.caller ?? say('caller_unknown')}</p>
            </div>
            <span class="muted small elapsed">{duration(Math.max(0, now - call.startedAt))}</span>
            <button
              type="button"
              class="stop"
              aria-label={say('stop_call', modelOf(call))}
              onClick={() => void askStation('stopCall', call.requestId)}
            >
              {say('stop')}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The last ones: what became of them, never what was asked. */
export function FinishedCalls({ calls }: { calls: FinishedCall[] }) {
  if (calls.length === 0) return null;
  return (
    <section id="finished" class="card calls" aria-labelledby="finished-title">
      <h2 id="finished-title">{say('finished')}</h2>
      <ul tabIndex={0} aria-labelledby="finished-title">
        {calls.map((call) => (
          <li key={call.requestId} class="row">
            <span class={outcomes[outcomeOf(call)].color} aria-hidden="true">
              {outcomes[outcomeOf(call)].mark}
            </span>
            <div class="grow">
              <p>{modelOf(call)}</p>
              {call.failure && <p class={`small ${outcomes[outcomeOf(call)].color}`}>{call.failure.message}</p>}
            </div>
            <span class="muted small elapsed">
              {call.tokens !== null && `${say('tokens', count(call.tokens))} · `}
              {duration(call.finishedAt - call.startedAt)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

const outcomes = {
  answered: { mark: '✓', color: 'good' },
  failed: { mark: '✗', color: 'problem' },
  stopped: { mark: '■', color: 'muted' },
};

function outcomeOf({ failure }: FinishedCall): keyof typeof outcomes {
  if (!failure) return 'answered';
  return failure.code === 'cancelled' ? 'stopped' : 'failed';
}

const modelOf = (call: RunningCall): string => call.model ?? say('model_default');

/** The time, ticking while it matters. */
function useNow(isTicking: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!isTicking) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isTicking]);
  return now;
}
