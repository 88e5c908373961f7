/** What Envoy Gateway itself is told: its configuration in a ConfigMap, as an object, or in Helm values. */
import { parse } from 'yaml';
import { list, optionalRecord, record, strings, type Json } from './fields';
import type { FieldPath, Manifest } from './manifest';
import { levelsIn } from './given-values';
import { HELM_VALUES } from './recognize';

/** What carries values of charts. */
const CARRIERS = [
  ['', HELM_VALUES],
  ['helm.toolkit.fluxcd.io', 'HelmRelease'],
  ['argoproj.io', 'Application'],
  ['helm.cattle.io', 'HelmChart'],
] as const;

interface Input {
  readonly of: (group: string, kind: string) => readonly Manifest[];
}

/** Whether an extension of its API is on, `enableBackend` for one; undefined where nothing shows how it is installed. */
export function extensionApi(input: Input, name: string): boolean | undefined {
  return isOn(input, ({ extensionApis }) => record(extensionApis)[name] === true);
}

/** Whether it reads an experimental kind of the Gateway API, `XListenerSet` for one. */
export function gatewayApiKind(input: Input, kind: string): boolean | undefined {
  return isOn(input, ({ gatewayAPI }) => list(record(gatewayAPI).enabled).includes(kind));
}

/** Whether global rate limits may be had: whoever sets one where they may not, gets an error. Undefined where nothing shows it. */
export function limitsGlobally(input: Input): boolean | undefined {
  return isOn(input, ({ rateLimit }) => optionalRecord(rateLimit) !== undefined);
}

/** Whether the proxies of a Gateway run in its own namespace, and not beside the controller. */
export function runsInGatewayNamespaces(input: Input): boolean {
  return isOn(input, ({ provider }) => record(record(record(provider).kubernetes).deploy).type === 'GatewayNamespace') === true; // prettier-ignore
}

function isOn(input: Input, says: (settings: Json) => boolean): boolean | undefined {
  const settings = settingsOf(input);
  return settings.length === 0 ? undefined : settings.some(({ body }) => says(body));
}

/** One place where Envoy Gateway's own configuration stands: the ConfigMap that its chart makes, the values of the chart, or the document itself. */
export interface EnvoyGatewaySettings {
  readonly manifest: Manifest;
  readonly field: FieldPath;
  readonly body: Json;
}

const found = new WeakMap<Input, readonly EnvoyGatewaySettings[]>();

/** All that the manifests show of Envoy Gateway's own configuration. */
export function settingsOf(input: Input): readonly EnvoyGatewaySettings[] {
  const known = found.get(input) ?? find(input);
  found.set(input, known);
  return known;
}

function find(input: Input): readonly EnvoyGatewaySettings[] {
  return [
    ...input.of('', 'ConfigMap').flatMap((manifest) =>
      Object.entries(strings(record(manifest.body).data))
        .filter(([key, content]) => /^envoy-gateway\.ya?ml$/.test(key) || /^kind:\s*EnvoyGateway\s*$/m.test(content))
        .map(([key, content]): EnvoyGatewaySettings => ({ manifest, field: ['data', key], body: parsed(content) })),
    ),
    ...input
      .of('gateway.envoyproxy.io', 'EnvoyGateway')
      .map((manifest): EnvoyGatewaySettings => ({ manifest, field: [], body: record(manifest.body) })),
    ...CARRIERS.flatMap(([group, kind]) => input.of(group, kind)).flatMap((manifest) =>
      levelsIn(manifest).flatMap(([at, level]): readonly EnvoyGatewaySettings[] => {
        const body = optionalRecord(record(level.config).envoyGateway);
        return body === undefined ? [] : [{ manifest, field: [...at, 'config', 'envoyGateway'], body }];
      }),
    ),
  ];
}

function parsed(content: string): Json {
  try {
    return record(parse(content));
  } catch {
    return {};
  }
}
