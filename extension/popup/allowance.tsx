import { utcDay } from '#shared/hops.ts';

import { count, dollars } from '../components/format.ts';
import { say } from '../components/say.ts';
import type { Allowance } from '../puter/allowance.ts';
import type { Plan } from '../puter/standing.ts';

/** What is left of this month, as a bar and in words; empty until Puter told, so that nothing jumps when it does. */
export function AllowanceBar(props: { allowance: Allowance | null; plan: Plan | null; lanes: number }) {
  const { allowance, plan, lanes } = props;
  const share = allowance && allowance.total > 0 ? Math.min(1, allowance.left / allowance.total) : 0;
  const amount = (value: number) => (allowance?.unit === 'credits' ? count(value) : dollars(value));
  const left = allowance ? say('allowance_left', amount(allowance.left), amount(allowance.total)) : '…';
  return (
    <section id="allowance" class="card" tabIndex={-1} aria-labelledby="allowance-title">
      <div class="row">
        <h2 id="allowance-title" class="grow">
          {say('allowance')}
        </h2>
        <span class="muted small">{plan && say('plan', say(`plan_${plan}`), String(lanes))}</span>
      </div>
      <meter min={0} max={1} low={0.1} value={share} aria-label={say('allowance')} aria-valuetext={left} />
      <p class="row small">
        <span class="grow" id="allowance-left">
          {left}
        </span>
        <span class="muted">{allowance && say('allowance_resets', utcDay(allowance.resetsAt))}</span>
      </p>
    </section>
  );
}
