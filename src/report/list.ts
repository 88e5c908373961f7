/** The register of what may cross the edge, in the formats of `mesh-edge list`. */
import { textOf, type Register, type RegisterEntry, type RegisterHop } from '../list/register';
import { printable } from '../model/printable';
import { escape } from './diagram/svg';

export type ListFormat = 'text' | 'json' | 'csv' | 'html';

export function formatRegister(register: Register, format: ListFormat): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(register, null, 2)}\n`;
    case 'csv':
      return csv(register);
    case 'html':
      return html(register);
    case 'text':
      return text(register);
  }
}

const COLUMNS = ['from', 'to', 'port', 'protocol', 'requests', 'path', 'by', 'outcome'] as const;

function cells(one: RegisterEntry): Record<(typeof COLUMNS)[number], string> {
  const { host, destination } = one.to;
  const asked = host === '*' ? 'any other host' : host;
  const isElsewhere = destination !== null && host !== '*' && (destination.host !== host || destination.port !== one.port); // prettier-ignore
  return {
    from: one.from.join(', '),
    to: isElsewhere ? `${asked} (arrives at ${destination.host}:${destination.port})` : asked,
    port: String(one.port),
    protocol: one.protocol,
    requests: one.requests,
    path: [one.path.map(hopText).join(' > '), ...one.also].join('; '),
    by: one.by.map(textOf).join(', '),
    outcome: one.outcome,
  };
}

function hopText({ proxy, tls, sni, identity }: RegisterHop): string {
  const name =
    proxy.namespace === null ? `caller's ${proxy.kind}` : `${proxy.kind} ${proxy.namespace}/${proxy.workload ?? '*'}`;
  const said = [
    ...(tls === null ? [] : [`TLS ${tls}`]),
    ...(sni === null ? [] : [sni === '*' ? 'any SNI' : `SNI ${sni}`]),
    ...(identity === null ? [] : [identity === 'caller' ? 'as the caller' : `as ${identity}`]),
  ];
  return said.length === 0 ? name : `${name} (${said.join(', ')})`;
}

/** What is said of the object that was asked about. */
function objectText({ object }: Register): string | undefined {
  if (object === undefined) return undefined;
  const name = textOf(object);
  switch (object.use) {
    case 'lets through':
      return `${name} has a say in the entries of this register.`;
    case 'only refuses':
      return `No entry cites ${name}: the requests that it is seen to decide are refused.`;
    case 'none':
      return `No request is seen to be decided by ${name}. That is no proof that nothing needs it: scopes, peers and workloads have a say without being cited.`;
    case 'undecided':
      return `No request is known to use ${name}, but not every request was decided.`;
  }
}

function summary({ entries, complete }: Register): string {
  const count = `${entries.length} ${entries.length === 1 ? 'entry' : 'entries'}`;
  return complete ? `${count}; every request was decided.` : `${count}; not every request was decided.`;
}

function undecidedText({ from, to, what, why }: Register['undecided'][number]): string {
  return `${from.join(', ')} to ${to}, ${what}: ${why}`;
}

function text(register: Register): string {
  const object = objectText(register);
  const lines = [
    ...(object === undefined ? [] : [object, '']),
    ...register.entries.flatMap((one) => {
      const { from, to, port, protocol, requests, path, by, outcome } = cells(one);
      return [
        `${from} -> ${protocol}://${to} port ${port}${outcome === 'delivered' ? '' : ` [${outcome}]`}`,
        `    requests: ${requests}`,
        `    path: ${path === '' ? 'by no proxy' : path}`,
        `    by: ${by === '' ? 'no object' : by}`,
        '',
      ];
    }),
    summary(register),
    ...(register.undecided.length === 0 ? [] : ['', 'Undecided:', ...register.undecided.map((one) => `  - ${undecidedText(one)}`)]), // prettier-ignore
    '',
    'Assumed:',
    ...register.assumptions.map((one) => `  - ${one}`),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

/** RFC 4180. A spreadsheet takes a cell that begins with one of these for a formula. */
function csv({ entries, undecided }: Register): string {
  const cell = (value: string): string => {
    const shown = printable(value);
    const safe = /^\s*[=+\-@]/.test(shown) ? `'${shown}` : shown;
    return /[",]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
  };
  const rows = [
    ...entries.map((one) => COLUMNS.map((column) => cells(one)[column])),
    ...undecided.map(({ from, to, what, why }) => [from.join(', '), to, '', '', what, why, '', 'undecided']),
  ];
  return [COLUMNS, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function html(register: Register): string {
  const safe = (value: string): string => escape(printable(value));
  const object = objectText(register);
  const list = (items: readonly string[]): string => `<ul>${items.map((one) => `<li>${safe(one)}</li>`).join('')}</ul>`;
  const rows = register.entries.map((one) => {
    const row = cells(one);
    return `<tr>${COLUMNS.map((column) => `<td>${safe(row[column])}</td>`).join('')}</tr>`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>What may cross the edge</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem}table{border-collapse:collapse}th,td{border:1px solid #bbb;padding:.3rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}th{background:#eee}@media print{body{margin:0}}</style>
</head><body>
<h1>What may cross the edge</h1>
${object === undefined ? '' : `<p>${safe(object)}</p>\n`}<p>${safe(summary(register))} What is refused is left out.</p>
<table><thead><tr>${COLUMNS.map((column) => `<th scope="col">${column}</th>`).join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table>
<h2>What is undecided</h2>
${register.undecided.length === 0 ? '<p>Nothing.</p>' : list(register.undecided.map(undecidedText))}
<h2>What was assumed</h2>
${list(register.assumptions)}
</body></html>
`;
}
