import { type KubeObject } from '../../lab/api';

/** One scenario with one field changed. */
export interface Mutant {
  /** The kind of field, as the score counts it. */
  readonly field: string;
  readonly where: string;
  readonly objects: readonly KubeObject[];
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Path = readonly (string | number)[];

/** The fields that decide where a request goes, each with a wrong value in its place; undefined leaves it out. */
function wrong(path: Path, value: Json): readonly { field: string; value: Json | undefined }[] {
  const names = path.filter((step) => typeof step === 'string');
  const [key, parent] = [names.at(-1), names.at(-2)];
  if (typeof value === 'number') {
    const isPort = (key === 'number' && (parent === 'port' || parent === 'ports')) || key === 'port';
    return isPort ? [{ field: 'port', value: value + 1000 }] : [];
  }
  if (typeof value !== 'string') return [];
  switch (key) {
    case 'subset':
      return [
        { field: 'subset', value: `${value}-wrong` },
        { field: 'subset', value: undefined },
      ];
    case 'name':
      return parent === 'subsets' ? [{ field: 'subset', value: `${value}-wrong` }] : [];
    case 'sni':
    case 'sniHosts':
      return [{ field: 'SNI', value: 'wrong.example.net' }];
    case 'credentialName':
      return [{ field: 'credential', value: `${value}-wrong` }];
    case 'gateways':
      return value === 'mesh'
        ? [{ field: 'mesh gateway', value: 'default/wrong' }]
        : [{ field: 'gateway name', value: `${value}-wrong` }];
    case 'istio':
      return parent === 'selector' ? [{ field: 'gateway selector', value: `${value}-wrong` }] : [];
    case 'mode':
      return parent === 'tls' ? [{ field: 'TLS mode', value: otherMode(value) }] : [];
    case 'host':
      return [{ field: 'host', value: `wrong.${value}` }];
    default:
      return [];
  }
}

function otherMode(mode: string): string {
  const others: Readonly<Record<string, string>> = { ISTIO_MUTUAL: 'DISABLE', SIMPLE: 'DISABLE', MUTUAL: 'SIMPLE' };
  return others[mode] ?? 'AUTO_PASSTHROUGH';
}

function* leaves(value: Json, path: Path = []): Generator<readonly [Path, Json]> {
  if (Array.isArray(value)) {
    for (const [index, item] of (value as readonly Json[]).entries()) yield* leaves(item, [...path, index]);
  } else if (value !== null && typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) yield* leaves(item, [...path, key]);
  } else {
    yield [path, value];
  }
}

function replaced(value: Json, [step, ...rest]: Path, by: Json | undefined): Json | undefined {
  if (step === undefined) return by;
  if (Array.isArray(value)) {
    return (value as readonly Json[]).map((item, index) => (index === step ? replaced(item, rest, by)! : item));
  }
  const entries = Object.entries(value as Readonly<Record<string, Json>>).map(
    ([key, item]): [string, Json | undefined] => [key, key === step ? replaced(item, rest, by) : item],
  );
  return Object.fromEntries(entries.filter((entry): entry is [string, Json] => entry[1] !== undefined));
}

/** Every wrong value of every field that matters in a scenario's Istio objects, one at a time. */
export function mutantsOf(objects: readonly KubeObject[]): readonly Mutant[] {
  return objects.flatMap((object, index) => {
    if (!object.apiVersion.startsWith('networking.istio.io/')) return [];
    return [...leaves(object.spec as Json, ['spec'])].flatMap(([path, value]) =>
      wrong(path, value).map(({ field, value: by }): Mutant => {
        const mutated = replaced(object as unknown as Json, path, by) as unknown as KubeObject;
        return {
          field,
          where: `${object.kind} ${object.metadata.name} ${path.join('.')}: ${value} -> ${by ?? '(left out)'}`,
          objects: objects.map((other, at) => (at === index ? mutated : other)),
        };
      }),
    );
  });
}
