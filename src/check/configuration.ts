/** `mesh-edge.yaml`: what a repository has decided about findings, and what no manifest says of its mesh. */
import { load } from 'js-yaml';
import { isRecord } from '../model/recognize';
import type { Layout } from '../model/worlds-layout';
import type { MeshOptions } from '../model/mesh-options';
import { type Severities, charts, externals, roots, severities, suppressions, textList } from './configuration-entries';
import type { External } from './externals';
import type { Suppression } from './suppress';

export interface Configuration {
  readonly suppress: readonly Suppression[];
  /** What options say for one command, for all of them: an option that is given outweighs it. */
  readonly mesh: MeshOptions;
  /** How the repository is divided into worlds, where the guess is wrong. */
  readonly layout?: Layout;
  readonly severity?: Severities;
  /** What other repositories own. */
  readonly externals?: readonly External[];
  /** File with the findings that were there when check was switched on. */
  readonly baseline?: string;
}

/** Settings of the mesh, each with the form of its value. */
export const MESH: Readonly<Record<keyof MeshOptions, RegExp>> = {
  outbound: /^(REGISTRY_ONLY|ALLOW_ANY)$/,
  rootNamespace: /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
  trustDomain: /./,
  istioVersion: /^v?1\.\d+/,
  gatewayApiVersion: /^v?1\.\d+[^/]*(\/(standard|experimental))?$/,
  envoyGatewayVersion: /^v?1\.\d+/,
  kubernetesVersion: /^v?1\.\d+/,
};

/** All settings, as a message lists them. */
const KNOWN = ['suppress', ...Object.keys(MESH), 'roots', 'ignore', 'externals', 'severity', 'charts', 'baseline'];

/** @throws Error that says all that is wrong, and how to write it. */
export function readConfiguration(text: string, file: string): Configuration {
  const isEmpty = text.split('\n').every((line) => line.trim() === '' || line.trim().startsWith('#'));
  const parsed: unknown = isEmpty ? null : load(text);
  if (parsed === null || parsed === undefined) return { suppress: [], mesh: {} };
  const wrong: string[] = [];
  const complain = (what: string): void => void wrong.push(`${file}: ${what}`);
  if (!isRecord(parsed)) throw new Error(`${file}: it must be a mapping, such as suppress: [...]`);
  for (const key of Object.keys(parsed))
    if (!KNOWN.includes(key)) complain(`there is no setting ${JSON.stringify(key)}; there are ${KNOWN.join(', ')}`);
  const mesh = Object.entries(MESH)
    .filter(([name]) => parsed[name] !== undefined)
    .map(([name, form]): readonly [string, unknown] => {
      const value = parsed[name];
      if (typeof value === 'string' && form.test(value)) return [name, value.replace(/^v(?=1\.)|\/standard$/g, '')];
      // Without quotes, YAML reads 1.30 as the number 1.3.
      const hint = typeof value === 'number' ? `; write it in quotes, as ${name}: "1.30"` : '';
      complain(`${name} is ${JSON.stringify(value)}, which is none of its values${hint}`);
      return [name, undefined];
    });
  const { baseline } = parsed;
  if (baseline !== undefined && typeof baseline !== 'string') complain('baseline must be the name of a file');
  const configuration: Configuration = {
    mesh: Object.fromEntries(mesh) as MeshOptions,
    suppress: suppressions(parsed.suppress, file, complain),
    severity: severities(parsed.severity, complain),
    externals: externals(parsed.externals, complain),
    layout: {
      roots: roots(parsed.roots, complain),
      ignore: textList(parsed.ignore, 'ignore', complain),
      charts: charts(parsed.charts, complain),
    },
    ...(typeof baseline === 'string' ? { baseline } : {}),
  };
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
  return configuration;
}
