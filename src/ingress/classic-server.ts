import * as networking from '../../imports/networking.istio.io';
import { hostProblems } from '../core/hostname';
import { portProblems } from '../core/names';
import { Problem, quote } from '../core/problem';
import { TlsCredential } from '../mesh/tls-credential';
import { TlsVersion } from '../mesh/tls-version';
import { IngressBackend } from './ingress-backend';

/** Which certificates clients have to show to Istio's own gateway. */
export interface ClassicClientCertificates {
  /**
   * Whether clients without a certificate pass too. The workload then sees who showed one in `x-forwarded-client-cert`.
   *
   * @default false
   */
  readonly optional?: boolean;

  /**
   * The Secret with the authorities that sign them (`ca.crt` or `cacert`), beside the gateway. Needs Istio 1.27 or newer.
   *
   * @default `ca.crt` in the Secret of the server's own certificate, else a Secret of its name and "-cacert"
   */
  readonly ca?: TlsCredential;
}

/** What Istio's own gateway listens for. */
export interface ClassicIngressServer {
  /** The hosts that it is for. */
  readonly hosts: string[];

  /**
   * The Secret with the certificate, in the namespace of the ingress gateway's Pods. With it, the gateway listens for HTTPS on 443.
   *
   * @default plain HTTP on 80
   */
  readonly credential?: TlsCredential;

  /**
   * Whether plain HTTP on port 80 is answered with a redirect (301) to HTTPS.
   *
   * @default true with a credential on port 443: then port 80 is open for the redirect, and for nothing else
   */
  readonly redirectHttp?: boolean;

  /**
   * Which certificates clients have to show.
   *
   * @default none
   */
  readonly clientCertificates?: ClassicClientCertificates;

  /**
   * The oldest version of TLS that clients may speak.
   *
   * @default Istio's own, 1.2
   */
  readonly minTlsVersion?: TlsVersion;

  /**
   * The newest version of TLS that clients may speak.
   *
   * @default 1.3
   */
  readonly maxTlsVersion?: TlsVersion;

  /**
   * The backend that TLS is passed on to unread, by its SNI, in place of `paths`. The backend has the certificate.
   *
   * @default TLS ends at the gateway
   */
  readonly passthrough?: IngressBackend;

  /**
   * The port that clients dial.
   *
   * @default 443 with a credential or `passthrough`, else 80
   */
  readonly port?: number;
}

/** The port of a server. */
export function serverPort({ port, credential, passthrough }: ClassicIngressServer): number {
  return port ?? (credential || passthrough ? 443 : 80);
}

function redirects(server: ClassicIngressServer): boolean {
  return server.redirectHttp ?? (server.credential !== undefined && serverPort(server) === 443);
}

/** The servers of a Gateway, with those that redirect. Port names have to differ within it. */
export function classicServers(servers: readonly ClassicIngressServer[]): networking.GatewaySpecServers[] {
  const named = new Map<string, number>();
  const nameOf = (stem: string) => {
    const count = (named.get(stem) ?? 0) + 1;
    named.set(stem, count);
    return count === 1 ? stem : `${stem}-${count}`;
  };
  const own = servers.map((server) => serverSpec(server, nameOf));
  const redirected = servers.filter(redirects).flatMap(({ hosts }) => hosts);
  if (!redirected.length) return own;
  return [
    ...own,
    {
      port: { number: 80, name: nameOf('http'), protocol: 'HTTP' },
      tls: { httpsRedirect: true },
      hosts: [...new Set(redirected)],
    },
  ];
}

function serverSpec(server: ClassicIngressServer, nameOf: (stem: string) => string): networking.GatewaySpecServers {
  const { hosts, credential, passthrough, clientCertificates: clients } = server;
  const number = serverPort(server);
  const mode = networking.GatewaySpecServersTlsMode;
  if (passthrough)
    return {
      port: { number, name: nameOf('tls'), protocol: 'TLS' },
      tls: { mode: mode.PASSTHROUGH },
      hosts: [...hosts],
    };
  if (!credential) return { port: { number, name: nameOf('http'), protocol: 'HTTP' }, hosts: [...hosts] };
  return {
    port: { number, name: nameOf('https'), protocol: 'HTTPS' },
    tls: {
      mode: clients ? (clients.optional ? mode.OPTIONAL_UNDERSCORE_MUTUAL : mode.MUTUAL) : mode.SIMPLE,
      credentialName: credential.name,
      caCertCredentialName: clients?.ca?.name,
      minProtocolVersion: server.minTlsVersion && minVersion(server.minTlsVersion),
      maxProtocolVersion: server.maxTlsVersion && maxVersion(server.maxTlsVersion),
    },
    hosts: [...hosts],
  };
}

function minVersion(version: TlsVersion): networking.GatewaySpecServersTlsMinProtocolVersion {
  const versions = networking.GatewaySpecServersTlsMinProtocolVersion;
  return version === TlsVersion.V1_2 ? versions.TLSV1_UNDERSCORE_2 : versions.TLSV1_UNDERSCORE_3;
}

function maxVersion(version: TlsVersion): networking.GatewaySpecServersTlsMaxProtocolVersion {
  const versions = networking.GatewaySpecServersTlsMaxProtocolVersion;
  return version === TlsVersion.V1_2 ? versions.TLSV1_UNDERSCORE_2 : versions.TLSV1_UNDERSCORE_3;
}

/** What is wrong with the servers of one Gateway. */
export function serverProblems(servers: readonly ClassicIngressServer[], proxyNamespace: string): Problem[] {
  return [
    ...servers.flatMap((server) => oneServer(server, proxyNamespace)),
    ...hostsTwice(servers),
    ...portMixed(servers),
  ];
}

function oneServer(server: ClassicIngressServer, proxyNamespace: string): Problem[] {
  const { hosts, credential, passthrough, clientCertificates, minTlsVersion, maxTlsVersion } = server;
  const problems = [
    ...hosts.flatMap(hostProblems),
    ...(server.port === undefined ? [] : portProblems('port', server.port)),
    ...(credential?._problemsIn(proxyNamespace) ?? []),
    ...(clientCertificates?.ca?._problemsIn(proxyNamespace) ?? []),
    ...(passthrough?._problems() ?? []),
  ];
  if (!hosts.length)
    problems.push({ what: 'names no host', why: 'the API server refuses it', fix: 'give `hosts` at least one' });
  if (credential && passthrough)
    problems.push({
      what: `a certificate and \`passthrough\` for ${hosts.map(quote).join(', ')}`,
      why: 'TLS that is passed on unread ends at the backend, which has the certificate',
      fix: 'leave one of the two out',
    });
  if (!credential)
    for (const [field, value] of Object.entries({ clientCertificates, minTlsVersion, maxTlsVersion }))
      if (value !== undefined)
        problems.push({
          what: `\`${field}\` where the gateway ends no TLS`,
          why: passthrough ? 'TLS passes on unread' : 'clients speak plain HTTP there',
          fix: 'give `credential`, or leave it out',
        });
  if (minTlsVersion === TlsVersion.V1_3 && maxTlsVersion === TlsVersion.V1_2)
    problems.push({
      what: 'minTlsVersion is above maxTlsVersion',
      why: 'no client could connect',
      fix: 'swap them, or leave one out',
    });
  if (server.redirectHttp && !(credential && serverPort(server) === 443))
    problems.push({
      what: `redirectHttp for ${hosts.map(quote).join(', ')} on port ${serverPort(server)}`,
      why: credential ? 'the redirect goes to port 443' : 'there is no HTTPS to be sent to',
      fix: 'give `credential` and leave out `port`, or leave out `redirectHttp`',
    });
  return problems;
}

function hostsTwice(servers: readonly ClassicIngressServer[]): Problem[] {
  const seen = new Set<string>();
  const claims = [
    ...servers.flatMap((server) => server.hosts.map((host) => ({ host, port: serverPort(server), redirect: false }))),
    ...servers.filter(redirects).flatMap(({ hosts }) => hosts.map((host) => ({ host, port: 80, redirect: true }))),
  ];
  return claims.flatMap(({ host, port, redirect }) => {
    const key = `${port} ${host}`;
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [
      {
        what: `host ${quote(host)} on port ${port} is in two servers${redirect ? ', one of which redirects to HTTPS' : ''}`,
        why: 'istiod keeps the first, and leaves the other out',
        fix: redirect ? 'say `redirectHttp: false`, or leave the plain server out' : 'name it in one of them',
      },
    ];
  });
}

/** A listener reads a port as plain text or as TLS. */
function portMixed(servers: readonly ClassicIngressServer[]): Problem[] {
  const ofPort = new Map<number, boolean>();
  return servers.flatMap((server) => {
    const port = serverPort(server);
    const isTls = Boolean(server.credential ?? server.passthrough);
    const was = ofPort.get(port) ?? (port === 80 && servers.some(redirects) ? false : isTls);
    ofPort.set(port, was);
    if (was === isTls) return [];
    return [
      {
        what: `port ${port} is plain HTTP and TLS`,
        why: 'a gateway reads a port in one way, and the other server would be left out',
        fix: 'give one of the servers another `port`',
      },
    ];
  });
}
