/** What istiod's webhook refuses in a Gateway (pkg/config/validation/validation.go of Istio 1.29). */
import { isSocket } from '../../model/endpoints';
import type { Manifest } from '../../model/manifest';
import { type Server, type ServerTls, specOf } from '../istio';
import { isHttp, isKnownProtocol, isTls } from '../protocol';
import type { FieldPath } from '../../model/manifest';
import { boundIssues, type Issue } from './issue';
import { isDnsLabel, wrongScopedHost } from './names';

const quote = JSON.stringify;

export function* gatewayIssues(manifest: Manifest): Generator<Issue> {
  const { servers = [] } = specOf('Gateway', manifest);
  if (!isDnsLabel(manifest.name)) {
    yield {
      field: ['metadata', 'name'],
      what: `the name ${quote(manifest.name)} of a Gateway is no DNS label`,
      fix: 'Use letters, digits and hyphens; a dot is not allowed.',
    };
  }
  if (servers.length === 0)
    yield { field: ['spec', 'servers'], what: 'there are no servers', fix: 'Write at least one server.' };
  const names = new Set<string>();
  for (const [at, server] of servers.entries()) {
    const field = ['spec', 'servers', at];
    yield* serverIssues(server, field);
    const name = server.port?.name;
    if (name !== undefined && name !== '' && names.has(name)) {
      yield {
        field: [...field, 'port', 'name'],
        what: `two servers have a port named ${quote(name)}`,
        fix: "Give each server's port a name of its own.",
      };
    }
    if (name !== undefined) names.add(name);
  }
}

function* serverIssues(server: Server, field: FieldPath): Generator<Issue> {
  const { hosts = [], port, bind = '', tls } = server;
  if (hosts.length === 0)
    yield {
      field: [...field, 'hosts'],
      what: 'the server has no hosts',
      fix: 'Write at least one host; * is every host.',
    };
  for (const [at, host] of hosts.entries()) {
    const wrong = wrongScopedHost(host, 'Gateway');
    if (wrong)
      yield {
        field: [...field, 'hosts', at],
        what: `the host ${quote(host)} is not allowed: ${wrong}`,
        fix: 'Write a DNS name, *.domain or *, with or without namespace/ before it.',
      };
  }
  if (tls) yield* serverTlsIssues(tls, [...field, 'tls']);
  if (!port) return; // the schema asks for it
  const { protocol = '', number = 0, name = '', targetPort } = port;
  if (!isKnownProtocol(protocol))
    yield {
      field: [...field, 'port', 'protocol'],
      what: `${quote(protocol)} is no protocol that Istio knows`,
      fix: 'Write HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP or TLS.',
    };
  yield* boundIssues(bind, number, field, ', or leave bind out');
  if (isSocket(bind) && number !== 0)
    yield {
      field: [...field, 'port', 'number'],
      what: `the server is bound to a Unix socket, and has port ${number}`,
      fix: 'Write port number 0.',
    };
  if (name === '')
    yield {
      field: [...field, 'port', 'name'],
      what: `port ${number} has no name`,
      fix: 'Name it after its protocol, such as https.',
    };
  if (targetPort)
    yield {
      field: [...field, 'port', 'targetPort'],
      what: 'a server has a targetPort',
      fix: "Remove it: the Service of the gateway's pods maps ports.",
    };
  if (tls?.httpsRedirect && !isHttp(protocol)) {
    yield {
      field: [...field, 'tls', 'httpsRedirect'],
      isWarning: true,
      what: `httpsRedirect is set on a server of protocol ${protocol}`,
      fix: 'Set it on the HTTP server whose requests are to be redirected.',
      why: 'A redirect answers plain HTTP; on any other server it does nothing.',
    };
  }
  if (isTls(protocol) && !tls) {
    yield {
      field: [...field, 'tls'],
      what: `a server of protocol ${protocol} has no tls`,
      fix: 'Write tls with its mode, or protocol: HTTP if the server speaks plain text.',
      why: 'istiod refuses a server that is to speak TLS and does not say how.',
    };
  } else if (tls && isKnownProtocol(protocol) && !isTls(protocol)) {
    const onlyRedirects =
      isHttp(protocol) &&
      [undefined, 'PASSTHROUGH', 'AUTO_PASSTHROUGH'].includes(tls.mode) &&
      !tls.caCertificates &&
      !tls.privateKey &&
      !tls.serverCertificate;
    if (!onlyRedirects)
      yield {
        field: [...field, 'tls'],
        what: `a server of protocol ${protocol}, which is plain text, has tls mode ${tls.mode ?? 'PASSTHROUGH'}`,
        fix: 'Write protocol: HTTPS (to read requests) or TLS (to route by SNI or terminate to TCP).',
        why: 'istiod refuses TLS settings on a port that speaks plain text.',
      };
  }
}

/** TLS of a Gateway's server, or of a Sidecar's ingress. */
export function* serverTlsIssues(tls: ServerTls, field: FieldPath): Generator<Issue> {
  const { mode = 'PASSTHROUGH', credentialName = '', credentialNames = [], tlsCertificates = [] } = tls;
  const files = Boolean(tls.serverCertificate) && Boolean(tls.privateKey);
  if (mode === 'ISTIO_MUTUAL') {
    const set = (['serverCertificate', 'privateKey', 'caCertificates', 'credentialName'] as const).filter(
      (name) => tls[name],
    );
    const lists = [
      ...(tlsCertificates.length > 0 ? ['tlsCertificates'] : []),
      ...(credentialNames.length > 0 ? ['credentialNames'] : []),
    ];
    for (const name of [...set, ...lists]) {
      yield {
        field: [...field, name],
        what: `mode is ISTIO_MUTUAL, and ${name} is set`,
        fix: `Remove ${name}: the mesh's own certificates are used. For certificates of your own write mode: MUTUAL.`,
      };
    }
    return;
  }
  if (mode === 'PASSTHROUGH' || mode === 'AUTO_PASSTHROUGH') {
    if (
      tls.serverCertificate ||
      tls.privateKey ||
      tls.caCertificates ||
      tls.caCrl ||
      credentialName ||
      credentialNames.length > 0 ||
      tlsCertificates.length > 0
    ) {
      yield {
        field,
        isWarning: true,
        what: `mode is ${mode}${tls.mode ? '' : ' (as none is written)'}, and certificates are set`,
        fix: 'Write mode: SIMPLE to terminate TLS here, or remove the certificates.',
        why: 'A server that passes TLS through shows no certificate, so they are ignored.',
      };
    }
  }
  const sources = [files, credentialName !== '', credentialNames.length > 0, tlsCertificates.length > 0].filter(
    Boolean,
  ).length;
  if (sources > 1)
    yield {
      field,
      what: 'certificates come from more than one of credentialName, credentialNames, files and tlsCertificates',
      fix: 'Keep one of them.',
    };
  if (tls.caCrl && credentialName)
    yield {
      field: [...field, 'caCrl'],
      what: 'caCrl and credentialName are both set',
      fix: 'Put the list into the Secret, under ca.crl.',
    };
  if (tls.caCrl && mode === 'SIMPLE')
    yield {
      field: [...field, 'caCrl'],
      what: 'caCrl is set, and mode SIMPLE reads no client certificate',
      fix: 'Remove caCrl, or write mode: MUTUAL.',
    };
  const terminates = ['SIMPLE', 'MUTUAL', 'OPTIONAL_MUTUAL'].includes(mode);
  if (!terminates || credentialName || credentialNames.length > 0) return;
  if (mode !== 'SIMPLE' && !tls.caCertificates)
    yield {
      field,
      what: `mode is ${mode}, and there is no CA to verify clients with`,
      fix: 'Write credentialName of a Secret that holds ca.crt, or caCertificates.',
    };
  const pairs = tlsCertificates.length > 0 ? tlsCertificates : [tls];
  if (pairs.some((pair) => !pair.serverCertificate || !pair.privateKey)) {
    yield {
      field,
      what: `mode is ${mode}, and there is no certificate to show`,
      fix: "Write credentialName with the name of a TLS Secret in the namespace of the gateway's pods.",
    };
  }
}
