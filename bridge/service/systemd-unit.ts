import { mark, type Service } from './service.ts';

/** A user unit of systemd: https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html */
export function renderUnit({ command, folder, environment, writable, stopSeconds }: Service): string {
  return `# ${mark}
[Unit]
Description=Puter Bridge

[Service]
Type=exec
ExecStart=${command.map((part) => quote(part).replaceAll('$', '$$$$')).join(' ')}
WorkingDirectory=${escapePercent(folder)}
${Object.entries(environment)
  .map(([name, value]) => `Environment=${quote(`${name}=${value}`)}\n`)
  .join('')}Restart=on-failure
RestartSec=5
# A mistake in the options does not mend itself.
RestartPreventExitStatus=2
# Running calls may finish first.
TimeoutStopSec=${stopSeconds}
KillMode=mixed
UMask=0077
LimitCORE=0
NoNewPrivileges=yes
# Both need user namespaces. Where the kernel keeps those to root and the unit fails with 217 or 226, take these lines out.
PrivateUsers=yes
ProtectSystem=strict
ReadWritePaths=${writable.map(quote).join(' ')}

[Install]
WantedBy=default.target
`;
}

const escapePercent = (text: string): string => text.replaceAll('%', '%%');
const quote = (text: string): string => `"${escapePercent(text).replace(/[\\"]/g, String.raw`\$&`)}"`;
