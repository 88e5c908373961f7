/** ServiceEntries that an `ExternalService` says in full. */
import { entry, record, records, text, texts, type Json } from '../model/fields';
import type { Manifest } from '../model/manifest';
import { expression, literal, variableName, type Expression, type Names } from './code';
import type { Lifted } from './lifted';
import { OWN_NOTES } from './written';

export interface Entry {
  readonly manifest: Manifest;
  readonly hosts: readonly string[];
  readonly ports: readonly EntryPort[];
  /** Undefined for every namespace; else those beside its own. */
  readonly audience: readonly string[] | undefined;
  readonly resolution: 'NONE' | 'DNS' | 'DNS_ROUND_ROBIN';
  readonly addresses: readonly string[];
}

export interface EntryPort {
  readonly number: number;
  readonly name: string;
  readonly protocol: string;
  readonly targetPort: number | undefined;
}

const FACTORIES: Readonly<Record<string, string>> = {
  HTTP: 'http',
  HTTPS: 'https',
  TLS: 'tls',
  HTTP2: 'http2',
  GRPC: 'grpc',
  TCP: 'tcp',
};
const FIELDS = new Set(['hosts', 'ports', 'location', 'resolution', 'addresses', 'exportTo']);
/** Ports that proxies keep for themselves. */
const PROXY_PORTS = new Set([15000, 15001, 15004, 15006, 15008, 15020, 15021, 15053, 15090]);

/** Reads an entry; undefined if a construct would say less than it does, or refuses it. */
export function readEntry(manifest: Manifest, uses: ReadonlyMap<string, number>): Entry | undefined {
  const spec = record(record(manifest.body).spec);
  if (Object.keys(spec).some((field) => !FIELDS.has(field))) return undefined;
  const hosts = texts(spec.hosts);
  if (
    hosts.length === 0 ||
    hosts.some((host) => (uses.get(host) ?? 0) !== 1 || !/^(\*\.)?([a-z0-9-]+\.)+[a-z0-9-]+$/.test(host))
  )
    return undefined;
  if (spec.location !== undefined && spec.location !== 'MESH_EXTERNAL') return undefined;
  const resolution = text(spec.resolution) || 'NONE';
  if (resolution !== 'NONE' && resolution !== 'DNS' && resolution !== 'DNS_ROUND_ROBIN') return undefined;
  if (resolution !== 'NONE' && hosts.some((host) => host.startsWith('*'))) return undefined;
  const ports = records(spec.ports).map(readPort);
  const addresses = texts(spec.addresses);
  const isTcp = ports.some((port) => port?.protocol === 'TCP');
  if (
    isTcp !== addresses.length > 0 ||
    (isTcp && (hosts.length > 1 || resolution !== 'NONE' || ports.some((port) => port?.protocol !== 'TCP')))
  )
    return undefined;
  const known = ports.filter((port) => port !== undefined);
  if (known.length === 0 || known.length !== ports.length) return undefined;
  if (
    new Set(known.map(({ number }) => number)).size !== known.length ||
    new Set(known.map(({ name }) => name)).size !== known.length
  )
    return undefined;
  const audience = readAudience(texts(spec.exportTo), manifest.namespace);
  if (audience === 'other') return undefined;
  return { manifest, hosts, ports: known, audience, resolution, addresses };
}

function readPort(port: Json): EntryPort | undefined {
  const protocol = text(port.protocol).toUpperCase();
  const number = Number(port.number);
  const name = text(port.name);
  const targetPort = port.targetPort === undefined ? undefined : Number(port.targetPort);
  if (
    entry(FACTORIES, protocol) === undefined ||
    !Number.isInteger(number) ||
    number < 1 ||
    number > 65535 ||
    PROXY_PORTS.has(number)
  )
    return undefined;
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return undefined;
  if (number === 443 && (protocol === 'HTTP' || protocol === 'HTTP2' || protocol === 'GRPC')) return undefined;
  if (Object.keys(port).some((field) => !['number', 'name', 'protocol', 'targetPort'].includes(field)))
    return undefined;
  return { number, name, protocol, targetPort };
}

export function readAudience(exportTo: readonly string[], namespace: string): readonly string[] | undefined | 'other' {
  if (exportTo.length === 0 || exportTo.includes('*')) return undefined;
  if (exportTo.includes('~')) return 'other';
  const names = exportTo.map((entry) => (entry === '.' ? namespace : entry));
  return names.includes(namespace) ? names.filter((name) => name !== namespace).sort() : 'other';
}

/**
 * @param variable name to keep the construct under; undefined if nothing refers to it
 * @param names where a name is taken from, if one is needed after all
 */
export function liftEntry(entry: Entry, id: string, variable: string | undefined, names: Names): Lifted {
  const { manifest, hosts, ports, audience, resolution, addresses } = entry;
  const imports = ['ExternalPort', 'ExternalService'];
  const isDefault =
    resolution ===
    (hosts.some((host) => host.startsWith('*')) || addresses.some((address) => address.includes('/')) ? 'NONE' : 'DNS');
  if (!isDefault) imports.push('Resolution');
  if (audience === undefined || audience.length > 0) imports.push('Audience');
  const props = {
    hosts,
    ports: ports.map(portExpression),
    resolution: isDefault
      ? undefined
      : expression(`Resolution.${{ NONE: 'none', DNS: 'dns', DNS_ROUND_ROBIN: 'dnsRoundRobin' }[resolution]}()`),
    addresses: addresses.length === 0 ? undefined : addresses,
    audience: audienceExpression(audience),
    namespace: manifest.namespace,
    name: manifest.name,
  };
  const notes = [...metadataCalls(manifest)];
  const kept = variable ?? (notes.length > 0 ? names.free(variableName(manifest.name)) : undefined);
  const keep = kept === undefined ? '' : `const ${kept} = `;
  return {
    code: [
      `    ${keep}new ExternalService(this, ${literal(id)}, ${literal(props, 4)});`,
      ...notes.map((call) => `    ApiObject.of(${kept}).metadata.${call};`),
    ].join('\n'),
    ids: [id],
    imports,
    fromCdk8s: notes.length > 0 ? ['ApiObject'] : [],
    replaces: [manifest],
    carried: [],
  };
}

/** Labels and annotations, as cdk8s adds them to what a construct renders. */
function metadataCalls({ labels, annotations }: Manifest): readonly string[] {
  const calls = (method: string, all: Readonly<Record<string, string>>): readonly string[] =>
    Object.entries(all)
      .filter(([key]) => !OWN_NOTES.has(key))
      .map(([key, value]) => `${method}(${literal(key)}, ${literal(value)})`);
  return [...calls('addLabel', labels), ...calls('addAnnotation', annotations)];
}

function audienceExpression(audience: readonly string[] | undefined): Expression | undefined {
  if (audience === undefined) return expression('Audience.mesh()');
  return audience.length === 0
    ? undefined
    : expression(`Audience.namespaces(${audience.map((name) => literal(name)).join(', ')})`);
}

function portExpression({ number, name, protocol, targetPort }: EntryPort): Expression {
  const factory = entry(FACTORIES, protocol) ?? 'tcp';
  return expression(`ExternalPort.${factory}(${number}, ${literal({ name, targetPort })})`);
}
