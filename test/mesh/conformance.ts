import * as fs from 'node:fs';
import * as path from 'node:path';
import { type AccessLine } from '../lab/lab';
import { type Seen } from './mesh';
import { type Case } from './scenario';

/** The report of what was seen. It names no versions and no times, so that it changes only when behaviour does. */
export const CONFORMANCE = path.resolve(__dirname, '../../docs/conformance.md');

const HEAD = `# What each scenario was seen to do

Every scenario of \`dist/\`, applied as committed to a real control plane and real proxies, and each request as it was then
seen by the client, in both proxies' access logs and in the site's own log. Written by \`npm run test:mesh -- --write\`;
\`npm run test:mesh\` fails where this page is not what it sees.

| scenario | request | client | sidecar | gateway | site |
| --- | --- | --- | --- | --- | --- |
`;

/** Collects what was seen, case by case. */
export class Conformance {
  private readonly rows: string[] = [];

  public add(scenario: string, { title, request }: Case, seen: Seen): void {
    const cells = [
      scenario,
      `${title} (\`${request.url}\`)`,
      client(seen),
      proxy(seen.sidecar),
      proxy(seen.gateway),
      site(seen),
    ];
    this.rows.push(`| ${cells.join(' | ')} |`);
  }

  public text(): string {
    return `${HEAD}${this.rows.join('\n')}\n`;
  }

  public write(): void {
    fs.mkdirSync(path.dirname(CONFORMANCE), { recursive: true });
    fs.writeFileSync(CONFORMANCE, this.text());
  }
}

function client({ status, body }: Seen): string {
  if (status > 0) return `${status}`;
  return body === '' ? 'connection reset' : 'connected';
}

function proxy(line: AccessLine | null): string {
  if (line === null) return '-';
  const cluster = line.upstream_cluster === null ? `refused (${line.response_code})` : code(`${line.upstream_cluster}`);
  return line.requested_server_name === null ? cluster : `${cluster}, SNI ${code(`${line.requested_server_name}`)}`;
}

function site({ site: line }: Seen): string {
  if (line === null) return '-';
  const parts = [line.scheme, line.sni && `SNI ${code(line.sni)}`, line.client && `client ${code(line.client)}`];
  return parts.filter(Boolean).join(', ');
}

/** A cluster's name has the character that ends a table's cell. */
const code = (text: string) => `\`${text.replaceAll('|', '\\|')}\``;
