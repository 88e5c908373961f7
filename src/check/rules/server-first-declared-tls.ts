import { serviceEntries } from '../edge';
import { isTls } from '../protocol';
import type { Hit, Rule } from '../rule';

const SERVER_FIRST = new Map([[3306, 'MySQL'], [5432, 'PostgreSQL'], [1433, 'SQL Server'], [25, 'SMTP'], [587, 'SMTP'], [143, 'IMAP'], [110, 'POP3'], [21, 'FTP'], [389, 'LDAP'], [5222, 'XMPP']]); // prettier-ignore

/** Then the sidecar needs no SNI to know whom a connection is for. */
const BY_ADDRESS: Pick<Hit, 'severity' | 'why'> = {
  severity: 'info',
  why: 'The sidecar tells these connections by their address and lets them through, so it works; TCP is what they are.',
};

export const rule: Rule = {
  id: 'EDGE116',
  name: 'server-first-declared-tls',
  severity: 'warning',
  title: 'A protocol that begins in plain text is declared TLS',
  why: 'The client does not begin with a TLS handshake: it waits for the server, or asks for TLS later (STARTTLS). The sidecar waits for an SNI that never comes.',
  fix: 'Declare the port TCP, with addresses; the TLS that begins later passes through.',
  see: 'https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/',
  reads: ['ServiceEntry'],
  footguns: ['S12'],
  *check(context) {
    for (const { manifest, spec } of context.index(serviceEntries)) {
      for (const [at, { number = 0, protocol }] of (spec.ports ?? []).entries()) {
        const name = SERVER_FIRST.get(number);
        if (name === undefined || !isTls(protocol)) continue;
        const isToldByAddress = (spec.addresses ?? []).length > 0;
        yield {
          manifest,
          field: ['spec', 'ports', at, 'protocol'],
          ...(isToldByAddress ? BY_ADDRESS : {}),
          what: `port ${number}, which is usually ${name}, is declared ${protocol}`,
        };
      }
    }
  },
};
