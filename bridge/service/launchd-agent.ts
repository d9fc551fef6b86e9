import { mark, serviceName, type Service } from './service.ts';

type Value = string | number | boolean | readonly string[] | { readonly [key: string]: Value };

/** An agent of launchd: `man launchd.plist`. */
export function renderAgent({ command, folder, environment, stopSeconds }: Service): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- ${mark} -->
<plist version="1.0">
${render({
  Label: serviceName,
  ProgramArguments: command,
  WorkingDirectory: folder,
  EnvironmentVariables: environment,
  RunAtLoad: true,
  KeepAlive: { SuccessfulExit: false },
  // Running calls may finish first.
  ExitTimeOut: stopSeconds,
  Umask: 0o077,
  SoftResourceLimits: { Core: 0 },
  HardResourceLimits: { Core: 0 },
})}
</plist>
`;
}

function render(value: Value): string {
  if (typeof value === 'boolean') return `<${value}/>`;
  if (typeof value === 'number') return `<integer>${value}</integer>`;
  if (typeof value === 'string') return `<string>${escape(value)}</string>`;
  if (isList(value)) return `<array>\n${value.map(render).join('\n')}\n</array>`;
  const entries = Object.entries(value).map(([key, it]) => `<key>${escape(key)}</key>\n${render(it)}`);
  return `<dict>\n${entries.join('\n')}\n</dict>`;
}

const isList = (value: Value): value is readonly string[] => Array.isArray(value);

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
