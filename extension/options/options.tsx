/** What the person can set. Every field saves itself; a wrong value is named at its field and saved nowhere. */

import { useState } from 'preact/hooks';

import type { Hop } from '#shared/hops.ts';

import type { View } from '../components/follow.tsx';
import { say } from '../components/say.ts';
import { SignIn } from '../components/sign-in.tsx';
import { askBackground } from '../messages.ts';
import { isLoopback, lanesByPlan, type Settings } from '../settings.ts';
import { Diagnostics } from './diagnostics.tsx';
import { Field } from './field.tsx';
import { ModelField } from './model-field.tsx';
import { PuterTest } from './puter-test.tsx';
import { Reset } from './reset.tsx';

export function Options(view: View) {
  const { state, status } = view;
  // A reset gives every field a new life: what was typed there and not saved goes, too.
  const [resets, setResets] = useState(0);
  const { settings, hasSession } = state;
  return (
    <main>
      <div key={resets} class="fields">
        <h1>{say('options_title')}</h1>

        <section class="card" aria-labelledby="bridge-title">
          <h2 id="bridge-title">{say('hop_bridge')}</h2>
          <Field
            name="bridgeAddress"
            settings={settings}
            label={say('bridge_address')}
            hint={say('bridge_address_hint')}
          >
            {isLoopback(settings.bridgeAddress) ? null : (
              <p class="warning small" role="note">
                {say('bridge_address_warning')}
              </p>
            )}
          </Field>
          <Cause id="bridge-state" hop={status.hops.bridge} />
        </section>

        <section class="card" aria-labelledby="account-title">
          <h2 id="account-title">{say('hop_session')}</h2>
          <Cause id="account-state" hop={status.hops.session} />
          <p class="muted small">{say('sign_out_hint')}</p>
          {hasSession && (
            <button id="sign-out" type="button" onClick={() => void askBackground('signOut')}>
              {say('sign_out')}
            </button>
          )}
          {status.hops.session.fix === 'sign_in' && (
            <SignIn label={say('fix_sign_in')} awaitsTab={state.awaitsSignIn} />
          )}
        </section>

        <section class="card" aria-labelledby="calls-title">
          <h2 id="calls-title">{say('calls')}</h2>
          <ModelField settings={settings} />
          <Field
            name="lanes"
            settings={settings}
            label={say('lanes')}
            hint={say('lanes_hint')}
            choices={laneChoices(settings, state.lanes)}
          />
        </section>

        <section class="card" aria-labelledby="puter-title">
          <h2 id="puter-title">{say('hop_puter')}</h2>
          <p class="muted small">{say('puter_addresses_hint')}</p>
          <Field name="apiOrigin" settings={settings} label={say('api_origin')} />
          <Field name="guiOrigin" settings={settings} label={say('gui_origin')} />
          <PuterTest settings={settings} />
        </section>

        <Diagnostics {...view} />
      </div>
      <Reset onDone={() => setResets(resets + 1)} />
    </main>
  );
}

const Cause = ({ id, hop }: { id: string; hop: Hop }) => (
  <p class="small" id={id} data-color={hop.color}>
    <span class="dot" aria-hidden="true" /> {hop.cause}
  </p>
);

/** By plan, or a number of one's own. */
function laneChoices({ lanes }: Settings, now: number): { value: string; label: string }[] {
  const automatic = lanes === 'auto' ? say('lanes_auto_now', String(now)) : say('lanes_auto');
  const numbers = Array.from({ length: lanesByPlan.paid }, (_, index) => String(index + 1));
  return [{ value: 'auto', label: automatic }, ...numbers.map((value) => ({ value, label: value }))];
}
