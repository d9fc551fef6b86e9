import { CopyButton } from '../components/copyable.tsx';
import type { View } from '../components/follow.tsx';
import { say } from '../components/say.ts';

/** What helps whoever is asked for help, without anything that is the person's own. */
export function Diagnostics(view: View) {
  const text = JSON.stringify(diagnose(view), null, 2);
  return (
    <section class="card" aria-labelledby="diagnostics-title">
      <div class="row">
        <h2 id="diagnostics-title" class="grow">
          {say('diagnostics')}
        </h2>
        <CopyButton text={text} about={say('diagnostics')} />
      </div>
      <p class="muted small">{say('diagnostics_hint')}</p>
      <details>
        <summary>{say('diagnostics_show')}</summary>
        <pre id="diagnostics" tabIndex={0}>
          {text}
        </pre>
      </details>
    </section>
  );
}

/** No token, no account name, no prompt, and no words of Puter, which may repeat any of them. */
function diagnose({ state }: View): object {
  const { version, settings, paused, hops, running, queued, durability, finished, plan, lanes } = state;
  const { bridge, session, puter } = hops;
  return {
    version,
    browser: navigator.userAgent,
    settings,
    paused,
    hops: {
      bridge: { state: bridge.state, since: time(bridge.since), detail: bridge.detail },
      session: { state: session.state, since: time(session.since) },
      puter: { state: puter.state, since: time(puter.since), until: puter.until && time(puter.until) },
    },
    plan,
    lanes,
    running: running.length,
    queued,
    durability,
    finished: finished.map(({ model, startedAt, finishedAt, tokens, failure }) => ({
      model,
      ended: time(finishedAt),
      duration_ms: finishedAt - startedAt,
      tokens,
      outcome: failure?.code ?? 'ok',
    })),
  };
}

const time = (value: number): string => new Date(value).toISOString();
