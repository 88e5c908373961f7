/**
 * What an object says that the one rendered in its place does not: field by field. What is written differently and means the same (a
 * default that is written out, the name of a port, the order of servers) is nothing left over. Who sees an object (`exportTo`) and what
 * TLS is made are judged by requests, in the diff.
 */
import { canonical } from '../model/canonical';
import { record, records, text, texts, type Json } from '../model/fields';
import type { Manifest } from '../model/manifest';
import { OWN_NOTES } from './written';

/** A field that is missing, where it goes in the rendered object, and what was in it. */
export interface LeftOver {
  readonly field: string;
  /** JSON pointer in the rendered object; undefined if there is no place for it. */
  readonly pointer: string | undefined;
  readonly value: unknown;
}

export function leftOver(manifest: Manifest, rendered: Json): readonly LeftOver[] {
  const spec = record(record(manifest.body).spec);
  const other = record(rendered.spec);
  return [...metadataLeft(manifest, rendered), ...(entryOf(manifest.kind)?.(spec, other) ?? fieldsLeft(spec, other))];
}

function entryOf(kind: string): ((spec: Json, other: Json) => readonly LeftOver[]) | undefined {
  switch (kind) {
    case 'ServiceEntry':
      return (spec, other) => fieldsLeft(withDefaults(spec), withDefaults(other));
    case 'VirtualService':
      return routeLeft;
    case 'DestinationRule':
      return ruleLeft;
    default:
      return undefined;
  }
}

function metadataLeft(manifest: Manifest, rendered: Json): readonly LeftOver[] {
  const metadata = record(record(manifest.body).metadata);
  const other = record(rendered.metadata);
  return ['labels', 'annotations'].flatMap((field) => {
    const has = record(other[field]);
    const missing = Object.entries(record(metadata[field])).filter(
      ([key, value]) => !OWN_NOTES.has(key) && has[key] !== value,
    );
    if (missing.length === 0) return [];
    const value: Json = Object.fromEntries([...Object.entries(has), ...missing]);
    return [{ field: `metadata.${field}`, pointer: `/metadata/${field}`, value }];
  });
}

function withDefaults({ location, resolution, exportTo: _audience, ...rest }: Json): Json {
  return { location: location ?? 'MESH_EXTERNAL', resolution: resolution ?? 'NONE', ...rest };
}

function fieldsLeft(spec: Json, other: Json): readonly LeftOver[] {
  return Object.entries(spec)
    .filter(([field, value]) => !isNothing(value) && canonical(value) !== canonical(other[field]))
    .map(([field, value]) => ({ field: `spec.${field}`, pointer: undefined, value }));
}

function isNothing(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    (Array.isArray(value) ? value.length === 0 : typeof value === 'object' && Object.keys(value).length === 0)
  );
}

/** The Gateways of one selector against those rendered for it: each port and host with the same protocol and TLS. */
export function serversLeft(manifests: readonly Manifest[], rendered: readonly Json[]): ReadonlyMap<Manifest, string> {
  const has = new Map(
    rendered.flatMap((one) => servers(record(one.spec)).map(({ key, says }) => [key, canonical(says)] as const)),
  );
  const left = new Map<Manifest, string>();
  for (const manifest of manifests) {
    const { selector: _selector, servers: _servers, ...rest } = record(record(manifest.body).spec);
    const missing = servers(record(record(manifest.body).spec)).find(
      ({ key, says }) => has.get(key) !== canonical(says),
    );
    const [other] = Object.keys(rest);
    if (missing !== undefined) left.set(manifest, `its server ${missing.words} is not what a forward renders`);
    else if (other !== undefined) left.set(manifest, `spec.${other} is not what a forward renders`);
  }
  return left;
}

function servers(spec: Json): readonly { readonly key: string; readonly says: unknown; readonly words: string }[] {
  return records(spec.servers).flatMap((server) => {
    const { port, hosts, tls, name: _name, ...rest } = server;
    const { number, protocol, name: _portName, targetPort: _targetPort, ...extras } = record(port);
    const { mode, httpsRedirect, ...secured } = record(tls);
    const says = {
      protocol: text(protocol).toUpperCase(),
      ...(mode === undefined ? {} : { mode }),
      ...(httpsRedirect === true ? { httpsRedirect } : {}),
      ...secured,
      ...extras,
      ...rest,
    };
    const odd = Object.keys({ ...secured, ...rest });
    return texts(hosts).map((host) => ({
      key: `${String(number)} ${host}`,
      says,
      words: `${host} on port ${String(number)} (${[text(protocol), text(mode), ...odd].filter((word) => word !== '').join(' ')})`,
    }));
  });
}

/** Rules are found again by their conditions' port and gateway: a construct writes the sidecars' rule first. */
function routeLeft(spec: Json, other: Json): readonly LeftOver[] {
  return ['http', 'tls', 'tcp'].flatMap((list) =>
    records(spec[list]).flatMap((rule, index) => {
      const place = records(other[list]).findIndex((one) => isSameRule(rule, one));
      const { match: _match, route: _route, ...rest } = rule;
      const has = record(records(other[list])[place]);
      return Object.entries(rest)
        .filter(([field, value]) => !isNothing(value) && canonical(value) !== canonical(has[field]))
        .map(([field, value]) => ({
          field: `spec.${list}[${index}].${field}`,
          pointer: place < 0 ? undefined : `/spec/${list}/${place}/${field}`,
          value,
        }));
    }),
  );
}

function isSameRule(a: Json, b: Json): boolean {
  const portOf = (rule: Json): unknown => record(records(rule.match)[0]).port;
  const toMesh = (rule: Json): boolean => texts(record(records(rule.match)[0]).gateways).includes('mesh');
  return portOf(a) === portOf(b) && toMesh(a) === toMesh(b);
}

/** What a port's own settings leave out is Istio's default there, not what stands above them: so each port is compared in full. */
function ruleLeft(spec: Json, other: Json): readonly LeftOver[] {
  const { host: _host, exportTo: _exportTo, trafficPolicy, subsets, ...rest } = spec;
  return [
    ...fieldsLeft(rest, other),
    ...policyLeft(record(trafficPolicy), record(other.trafficPolicy), 'spec.trafficPolicy', '/spec', other),
    ...records(subsets).flatMap((subset, index) => {
      const place = records(other.subsets).findIndex(({ name }) => name === subset.name);
      const has = record(records(other.subsets)[place]);
      const { name: _name, trafficPolicy: own, ...others } = subset;
      const field = `spec.subsets[${index}]`;
      if (place < 0) return [{ field, pointer: '/spec/subsets/-', value: subset }];
      const pointer = `/spec/subsets/${place}`;
      return [
        ...Object.entries(others)
          .filter(([key, value]) => canonical(value) !== canonical(has[key]))
          .map(([key, value]) => ({ field: `${field}.${key}`, pointer: `${pointer}/${key}`, value })),
        ...policyLeft(record(own), record(has.trafficPolicy), `${field}.trafficPolicy`, pointer, has),
      ];
    }),
  ];
}

function policyLeft(policy: Json, other: Json, field: string, parent: string, holder: Json): readonly LeftOver[] {
  const { tls: _tls, portLevelSettings, ...own } = policy;
  const { tls: _made, portLevelSettings: ports, ...has } = other;
  const missing = Object.entries(own).filter(([key, value]) => canonical(value) !== canonical(has[key]));
  const left: LeftOver[] = [];
  if (missing.length > 0 && record(holder).trafficPolicy === undefined)
    left.push({ field, pointer: `${parent}/trafficPolicy`, value: Object.fromEntries(missing) });
  else
    for (const [key, value] of missing)
      left.push({ field: `${field}.${key}`, pointer: `${parent}/trafficPolicy/${key}`, value });
  const numberOf = (level: Json): number => Number(record(level.port).number);
  records(ports).forEach((level, index) => {
    const was = records(portLevelSettings).find((one) => numberOf(one) === numberOf(level));
    const { tls: _ownTls, port: _port, ...wanted } = was ?? { ...own };
    for (const [key, value] of Object.entries(wanted))
      if (canonical(value) !== canonical(level[key]))
        left.push({
          field: `${field}${was === undefined ? '' : `.portLevelSettings[${records(portLevelSettings).indexOf(was)}]`}.${key}`,
          pointer: `${parent}/trafficPolicy/portLevelSettings/${index}/${key}`,
          value,
        });
  });
  records(portLevelSettings).forEach((level, index) => {
    if (records(ports).some((one) => numberOf(one) === numberOf(level))) return;
    // TLS alone is judged by requests; anything else has no place in what is rendered.
    const { tls: _ownTls, port: _port, ...wanted } = level;
    for (const [key, value] of Object.entries(wanted))
      left.push({ field: `${field}.portLevelSettings[${index}].${key}`, pointer: undefined, value });
  });
  return left;
}
