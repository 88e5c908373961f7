/** `mesh-edge.yaml`: what a repository has decided about findings, and what no manifest says of its mesh. */
import { load } from 'js-yaml';
import { isRecord } from '../model/recognize';
import type { Layout } from '../model/worlds-layout';
import type { MeshOptions } from '../model/mesh-options';
import type { Suppression } from './suppress';

export interface Configuration {
  readonly suppress: readonly Suppression[];
  /** What options say for one command, for all of them: an option that is given outweighs it. */
  readonly mesh: MeshOptions;
  /** How the repository is divided into worlds, where the guess is wrong. */
  readonly layout?: Layout;
}

/** Settings of the mesh, each with the form of its value. */
const MESH: Readonly<Record<keyof MeshOptions, RegExp>> = {
  outbound: /^(REGISTRY_ONLY|ALLOW_ANY)$/,
  rootNamespace: /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
  trustDomain: /./,
  istioVersion: /^v?1\.\d+/,
  gatewayApiVersion: /^v?1\.\d+[^/]*(\/(standard|experimental))?$/,
  envoyGatewayVersion: /^v?1\.\d+/,
  kubernetesVersion: /^v?1\.\d+/,
};

/** @throws Error that says which entry is wrong, and how to write it. */
export function readConfiguration(text: string, file: string): Configuration {
  const isEmpty = text.split('\n').every((line) => line.trim() === '' || line.trim().startsWith('#'));
  const parsed: unknown = isEmpty ? null : load(text);
  if (parsed === null || parsed === undefined) return { suppress: [], mesh: {} };
  const problem = (what: string): Error => new Error(`${file}: ${what}`);
  if (!isRecord(parsed)) throw problem('it must be a mapping, such as suppress: [...]');
  const known = ['suppress', ...Object.keys(MESH)];
  const unknown = Object.keys(parsed).filter((key) => !known.includes(key));
  if (unknown.length > 0)
    throw problem(`there is no setting ${JSON.stringify(unknown[0])}; there are ${known.join(', ')}`);
  const mesh = Object.entries(MESH)
    .filter(([name]) => parsed[name] !== undefined)
    .map(([name, form]) => {
      const value = parsed[name];
      if (typeof value === 'string' && form.test(value)) return [name, value.replace(/^v(?=1\.)|\/standard$/g, '')];
      // Without quotes, YAML reads 1.30 as the number 1.3.
      const hint = typeof value === 'number' ? `; write it in quotes, as ${name}: "1.30"` : '';
      throw problem(`${name} is ${JSON.stringify(value)}, which is none of its values${hint}`);
    });
  const entries = parsed.suppress ?? [];
  if (!Array.isArray(entries)) throw problem('suppress must be a list');
  return {
    mesh: Object.fromEntries(mesh) as MeshOptions,
    suppress: entries.map((entry: unknown, at): Suppression => {
      if (!isRecord(entry) || typeof entry.rule !== 'string')
        throw problem(`suppress[${at}] names no rule; write rule: EDGE201 and reason: ...`);
      const wrong = Object.entries(entry).find(
        ([key, value]) => !['rule', 'reason', 'object', 'file'].includes(key) || typeof value !== 'string',
      );
      if (wrong)
        throw problem(
          `suppress[${at}].${wrong[0]} is not a text that is known here; write rule, reason, object and file`,
        );
      const { rule, reason = '', object, file: place } = entry as Record<string, string>;
      return {
        rule: rule ?? '',
        reason,
        by: file,
        ...(object === undefined ? {} : { object }),
        ...(place === undefined ? {} : { file: place }),
      };
    }),
  };
}
