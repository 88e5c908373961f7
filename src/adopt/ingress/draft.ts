/** What a construct is made with, before it is code: its class, its props, and what of other constructs they name. */
import { OWN_NOTES } from '../written';
import { Call, Expression, literal, type Names, variableName } from '../code';
import { record, text, type Json } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import type { Lifted } from '../lifted';

export interface Draft {
  /** The class, such as `HttpIngressRoute`. */
  readonly construct: string;
  readonly props: Json;
}

/** Why an object stays as it is. */
export class Kept {
  public constructor(public readonly why: string) {}
}

/** What is not there is not written. */
export function given(props: Json): Json | undefined {
  const entries = Object.entries(props).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** Props that all constructs of one object have. Where a manifest names no namespace, the chart's holds. */
export function objectProps({ body, name, labels, annotations }: Manifest): Json {
  const namespace = text(record(record(body).metadata).namespace);
  return { name, namespace: namespace || undefined, metadata: metadataProp(labels, annotations) };
}

function metadataProp(
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
): Json | undefined {
  const own = Object.entries(annotations).filter(([key]) => !OWN_NOTES.has(key));
  return given({
    labels: Object.keys(labels).length > 0 ? labels : undefined,
    annotations: own.length > 0 ? Object.fromEntries(own) : undefined,
  });
}

/** A duration of Gateway API or of Go; undefined if it is none that constructs can say. */
export function duration(value: unknown): Call | undefined {
  const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  const written = text(value);
  const parts = [...written.matchAll(/(\d+)(ms|h|m|s)/g)];
  if (parts.length === 0 || parts.map(([all]) => all).join('') !== written) return undefined;
  const total = parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (units[unit] ?? 0), 0);
  return total % 1000 === 0 ? new Call('Duration.seconds', total / 1000) : new Call('Duration.millis', total);
}

/** Places where names are taken from. */
export interface Places {
  readonly ids: Names;
  readonly variables: Names;
}

/** The properties that hold the object of those constructs that do not call it `resource`. */
const RESOURCE_OF: Readonly<Record<string, string>> = {
  ExternalService: 'serviceEntry',
  AccessLog: 'telemetry',
  ProxyTelemetry: 'telemetry',
  SidecarScope: 'sidecar',
};

/** The construct of one object, which is compared with what it renders field by field. */
export function exactly(manifest: Manifest, { construct, props }: Draft, places: Places, stem: string): Lifted {
  const names = namesIn(props);
  const id = places.ids.free(manifest.name, `${manifest.name}-${stem}`);
  const variable = places.variables.free(variableName(manifest.name), variableName(`${manifest.name}-${stem}`));
  return {
    code: `new ${construct}(this, ${literal(id)}, ${literal(props, 4)})`,
    ids: [id],
    provides: variable,
    uses: names.variables,
    isExact: true,
    resource: RESOURCE_OF[construct] ?? 'resource',
    imports: [construct, ...names.classes].filter((name) => !FROM_CDK8S.has(name)),
    fromCdk8s: names.classes.filter((name) => FROM_CDK8S.has(name)),
    replaces: [manifest],
    carried: [],
  };
}

const FROM_CDK8S = new Set(['Duration']);

/** A variable of another construct. */
export class Reference extends Expression {}

/** What is exported by packages, and which constructs are named, anywhere in a value. */
export function namesIn(value: unknown): {
  readonly classes: readonly string[];
  readonly variables: readonly string[];
} {
  const classes = new Set<string>();
  const variables = new Set<string>();
  const look = (one: unknown): void => {
    if (one instanceof Reference) variables.add(/^\w+/.exec(one.source)?.[0] ?? '');
    else if (one instanceof EnumValue) classes.add(one.source.split('.', 1)[0] ?? '');
    else if (one instanceof Call) {
      classes.add(one.name.split('.', 1)[0] ?? '');
      one.args.forEach(look);
    } else if (typeof one === 'object' && one !== null && !(one instanceof Expression))
      Object.values(one).forEach(look);
  };
  look(value);
  return { classes: [...classes], variables: [...variables] };
}

/** A member of an enumeration of the package. */
export class EnumValue extends Expression {}
