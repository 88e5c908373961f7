/** Listeners of Gateways and ListenerSets as `IngressListener`. */
import { Call } from '../code';
import { record, records, strings, text, texts, type Json } from '../../model/fields';
import { given, Kept } from './draft';

/** All listeners; or why one of them is none that constructs make. */
export function listenerCalls(listeners: unknown, namespace: string): readonly Call[] | Kept {
  const calls: Call[] = [];
  for (const listener of records(listeners)) {
    const call = listenerCall(listener, namespace);
    if (call instanceof Kept) return call;
    calls.push(call);
  }
  return calls;
}

function listenerCall(listener: Json, namespace: string): Call | Kept {
  const protocol = text(listener.protocol);
  const name = text(listener.name);
  const port = Number(listener.port);
  if (protocol === 'TCP' || protocol === 'UDP') {
    const usual = `${protocol.toLowerCase()}-${port}`;
    return new Call(`IngressListener.${protocol.toLowerCase()}`, port, name === usual ? undefined : name);
  }
  const tls = record(listener.tls);
  const passes = text(tls.mode) === 'Passthrough';
  const factory = passes ? { TLS: 'tlsPassthrough' }[protocol] : { HTTP: 'http', HTTPS: 'https', TLS: 'tls' }[protocol];
  if (factory === undefined) return new Kept(`no IngressListener is for ${passes ? 'Passthrough of ' : ''}${protocol}`);
  const options = optionsOf(listener, protocol, namespace);
  if (factory === 'http' || factory === 'tlsPassthrough') return new Call(`IngressListener.${factory}`, options);
  const certificate = certificateOf(tls, namespace);
  if (certificate === undefined) return new Kept(`listener ${name} shows no certificate of a Secret`);
  return new Call(`IngressListener.${factory}`, certificate, options);
}

function certificateOf(tls: Json, namespace: string): Call | undefined {
  const [first] = records(tls.certificateRefs);
  if (first === undefined || (first.kind ?? 'Secret') !== 'Secret' || text(first.group) !== '') return undefined;
  const where = text(first.namespace);
  const isElsewhere = where !== '' && where !== namespace;
  return new Call('ListenerCertificate.secret', text(first.name), where || undefined, isElsewhere ? { grantedElsewhere: true } : undefined); // prettier-ignore
}

function optionsOf(listener: Json, protocol: string, namespace: string): Json | undefined {
  const port = Number(listener.port);
  const usualPort = protocol === 'HTTP' ? 80 : 443;
  const stem = protocol.toLowerCase();
  const name = text(listener.name);
  return given({
    name: name === (port === usualPort ? stem : `${stem}-${port}`) ? undefined : name,
    port: port === usualPort ? undefined : port,
    hostname: text(listener.hostname) || undefined,
    ...admitted(record(record(listener.allowedRoutes).namespaces), namespace),
  });
}

function admitted(namespaces: Json, namespace: string): Json {
  if (namespaces.from === 'All') return { routesFromAnywhere: true };
  if (namespaces.from !== 'Selector') return {};
  const { matchLabels, matchExpressions } = record(namespaces.selector);
  const [byName] = records(matchExpressions);
  if (byName !== undefined && byName.key === 'kubernetes.io/metadata.name' && byName.operator === 'In')
    return { routesFrom: texts(byName.values).filter((one) => one !== namespace) };
  return matchLabels === undefined ? {} : { routesFromLabeled: strings(matchLabels) };
}
