import { useState } from 'preact/hooks';

import { hopNames, type Fix, type Hop, type HopStatus, type Light } from '#shared/hops.ts';

import { askBackground, askStation } from '../messages.ts';
import type { ExtensionState } from '../state.ts';
import { Copyable } from './copyable.tsx';
import { clock } from './format.ts';
import { Pairing } from './pairing.tsx';
import { say } from './say.ts';
import { SignIn } from './sign-in.tsx';

/** The one light, spoken by screen readers whenever it changes. */
export function LightLine({ light }: { light: Light }) {
  return (
    <p id="light" class="light" role="status" data-color={light.color}>
      <span class="dot" aria-hidden="true" />
      <span id="sentence">{light.sentence}</span>
    </p>
  );
}

/** The three hops. Only the first broken one offers its remedy: what lies behind it can wait. */
export function Hops({ state, status }: { state: ExtensionState; status: HopStatus }) {
  const broken = hopNames.find((name) => status.hops[name].color === 'red');
  return (
    <section class="card hops" aria-labelledby="hops-title">
      <h2 id="hops-title" class="visually-hidden">
        {say('hops')}
      </h2>
      {hopNames.map((name) => (
        <HopRow key={name} name={name} hop={status.hops[name]} state={state} isFirstBroken={name === broken} />
      ))}
    </section>
  );
}

function HopRow(props: { name: (typeof hopNames)[number]; hop: Hop; state: ExtensionState; isFirstBroken: boolean }) {
  const { name, hop, state, isFirstBroken } = props;
  const remedy = isFirstBroken && hop.fix && <Remedy fix={hop.fix} state={state} />;
  return (
    <div class="hop" id={`hop-${name}`} data-color={hop.color}>
      <span class="dot" aria-hidden="true" />
      <h3>{say(`hop_${name}`)}</h3>
      {/* Beside its remedy the cause would stand twice: the light above has it in larger letters. */}
      <p class="grow">{remedy ? <span class="visually-hidden">{hop.cause}</span> : hop.cause}</p>
      <time class="muted small" dateTime={hop.since}>
        <span class="visually-hidden">{say('since')}</span> {clock(hop.since)}
      </time>
      {remedy && <div class="remedy">{remedy}</div>}
    </div>
  );
}

/** The one thing that mends a hop. */
export function Remedy({ fix, state }: { fix: Fix; state: ExtensionState }) {
  const { bridgeAddress, guiOrigin } = state.settings;
  switch (fix) {
    case 'start_bridge':
      return <Command label={say('fix_start_bridge')} command={startCommand(bridgeAddress)} />;
    case 'update':
      return (
        <>
          <Command label={say('fix_update')} command="git pull && npm install && npm start" />
          <Press label={say('fix_reload')} act={() => chrome.runtime.reload()} />
        </>
      );
    case 'change_address':
      return <Visit label={say('fix_change_address')} url="options.html" />;
    case 'pair':
      return <Pairing bridgeAddress={bridgeAddress} />;
    case 'retry':
      return <Press label={say('fix_retry')} act={() => void askStation('retry')} />;
    case 'resume':
      return <Press label={say('fix_resume')} act={() => void askBackground('pause', false)} />;
    case 'sign_in':
      return <SignIn label={say('fix_sign_in')} awaitsTab={state.awaitsSignIn} />;
    case 'open_puter':
      return <Visit label={say('fix_open_puter')} url={guiOrigin} />;
    case 'see_allowance':
      return <Press label={say('fix_see_allowance')} act={showAllowance} />;
    case 'load_extension':
      // The bridge's page shows it: whoever reads this has the extension.
      return null;
  }
}

const Press = ({ label, act }: { label: string; act: () => void }) => (
  <button type="button" class="primary fix" onClick={act}>
    {label}
  </button>
);

const Visit = ({ label, url }: { label: string; url: string }) => (
  <a class="button primary fix" href={url} target="_blank" rel="noreferrer">
    {label}
  </a>
);

/** A button that shows what to type into a terminal. */
function Command({ label, command }: { label: string; command: string }) {
  const [isOpen, setOpen] = useState(false);
  return isOpen ? (
    <Copyable text={command} label={label} hasFocus />
  ) : (
    <Press label={label} act={() => setOpen(true)} />
  );
}

export function startCommand(bridgeAddress: string): string {
  const { port } = new URL(bridgeAddress);
  return port === '5001' ? 'npm start' : `npm start -- --port ${port || '80'}`;
}

function showAllowance(): void {
  const section = document.getElementById('allowance');
  section?.scrollIntoView({ block: 'center' });
  section?.focus();
}
