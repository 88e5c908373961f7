/** What each release added to the schemas of the one before, by a walk over both: versions of kinds, fields, values and wider bounds. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { releasesServing, schemaIn } from '../../src/check/schema/store';
import type { Schema } from '../../src/check/schema/structural';
import { COMPONENTS, type Component, EXPERIMENTAL, componentOf } from '../../src/model/releases';

export interface Addition {
  readonly component: Component;
  readonly from: string;
  readonly to: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly what: 'kind' | 'field' | 'value' | 'bound';
  /** As findings write it. */
  readonly field: string;
  readonly object: Readonly<Record<string, unknown>>;
}

const INDEX = join(__dirname, '../../src/check/schemas/index.json');

/** Each release with the one before it, of the Gateway API in either channel and from the standard one to the other. */
export function steps(component: Component): readonly (readonly [string, string])[] {
  const names = COMPONENTS[component].releases.map(({ name }) => name).reverse();
  const consecutive = names.slice(1).map((name, at) => [names[at] ?? '', name] as const);
  if (component !== 'gatewayApi') return consecutive;
  return [
    ...consecutive,
    ...consecutive.map(([from, to]) => [from + EXPERIMENTAL, to + EXPERIMENTAL] as const),
    ...names.map((name) => [name, name + EXPERIMENTAL] as const),
  ];
}

export function additionsOf(component: Component): readonly Addition[] {
  const index = JSON.parse(readFileSync(INDEX, 'utf8')) as Record<string, Record<string, unknown>>;
  const found: Addition[] = [];
  for (const [key, versions] of Object.entries(index)) {
    const [group = '', kind = ''] = key.split('/');
    if (componentOf(group) !== component) continue;
    const compared = new Set<string>();
    for (const version of Object.keys(versions)) {
      const id = { group, version, kind };
      for (const [from, to] of steps(component)) {
        const serving = releasesServing(id);
        if (!serving.includes(to)) continue;
        const newer = schemaIn(to, id) ?? {};
        const add = (what: Addition['what'], field: string, spec: Readonly<Record<string, unknown>>): void => {
          found.push({ component, from, to, ...id, what, field, object: { apiVersion: `${group}/${version}`, kind, metadata: { name: `a${found.length}`, namespace: 'b' }, ...spec } }); // prettier-ignore
        };
        // Versions of one schema have the same additions.
        const same = `${from} ${to} ${JSON.stringify([schemaIn(from, id), newer])}`;
        if (serving.includes(from) && compared.has(same)) continue;
        compared.add(same);
        if (!serving.includes(from)) add('kind', 'apiVersion', record(valueOf(newer)));
        else compare(schemaIn(from, id) ?? {}, newer, '', (value) => value, (what, field, body) => add(what, field, record(body))); // prettier-ignore
      }
    }
  }
  return found;
}

type Wrap = (value: unknown) => unknown;
type Add = (what: Addition['what'], field: string, body: unknown) => void;

/** @param wrap puts a value of this place into a body, with what the fields around it need */
function compare(older: Schema, newer: Schema, path: string, wrap: Wrap, add: Add): void {
  const known = new Set(older.enum ?? []);
  if (older.enum !== undefined)
    for (const value of newer.enum ?? []) if (!known.has(value)) add('value', path, wrap(value));
  bounds(older, newer, (value) => add('bound', path, wrap(value)));
  for (const [name, inner] of Object.entries(newer.properties ?? {})) {
    if (path === '' && ['apiVersion', 'kind', 'metadata', 'status'].includes(name)) continue;
    const at = path === '' ? name : `${path}.${name}`;
    const before = older.properties?.[name];
    const around: Wrap = (value) => wrap({ ...record(valueOf(without(newer, name))), [name]: value });
    if (before === undefined) {
      if (older['x-kubernetes-preserve-unknown-fields'] !== true && older.additionalProperties === undefined) add('field', at, around(valueOf(inner))); // prettier-ignore
    } else compare(before, inner, at, around, add);
  }
  if (older.items && newer.items) compare(older.items, newer.items, `${path}[0]`, (value) => wrap([value]), add);
  const [of, to] = [older.additionalProperties, newer.additionalProperties];
  if (typeof of === 'object' && typeof to === 'object')
    compare(of, to, `${path}.k`, (value) => wrap({ k: value }), add);
}

function bounds(older: Schema, newer: Schema, wider: (value: unknown) => void): void {
  const more = (a: number | undefined, b: number | undefined): boolean => a !== undefined && (b === undefined || b > a);
  const less = (a: number | undefined, b: number | undefined): boolean =>
    a !== undefined && a > 0 && (b === undefined || b < a);
  if (more(older.maxItems, newer.maxItems)) wider(Array.from({ length: (older.maxItems ?? 0) + 1 }, () => valueOf(newer.items ?? {}))); // prettier-ignore
  if (more(older.maxLength, newer.maxLength)) wider('a'.repeat((older.maxLength ?? 0) + 1));
  if (more(older.maximum, newer.maximum)) wider((older.maximum ?? 0) + 1);
  if (more(older.maxProperties, newer.maxProperties)) wider(Object.fromEntries(Array.from({ length: (older.maxProperties ?? 0) + 1 }, (_, at) => [`k${at}`, valueOf(typeof newer.additionalProperties === 'object' ? newer.additionalProperties : {})]))); // prettier-ignore
  if (less(older.minItems, newer.minItems)) wider([]);
  if (less(older.minLength, newer.minLength) && newer.pattern === undefined) wider('');
  if (less(older.minimum, newer.minimum)) wider((older.minimum ?? 0) - 1);
}

/** Some value of a schema, with no more than what has to be there. */
function valueOf(schema: Schema): unknown {
  const [first] = schema.enum ?? [];
  if (first !== undefined) return first;
  if (schema.default !== undefined) return schema.default;
  if (schema['x-kubernetes-int-or-string']) return 1;
  if (schema.type === 'object')
    return Object.fromEntries((schema.required ?? []).map((name) => [name, valueOf(schema.properties?.[name] ?? {})]));
  if (schema.type === 'array') return Array.from({ length: schema.minItems ?? 0 }, () => valueOf(schema.items ?? {}));
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum ?? 1;
  if (schema.type === 'boolean') return true;
  return 'a'.repeat(Math.max(1, schema.minLength ?? 0));
}

function without(schema: Schema, name: string): Schema {
  return { ...schema, required: (schema.required ?? []).filter((other) => other !== name) };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
