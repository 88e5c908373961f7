/** What Envoy Gateway itself is told: its configuration in a ConfigMap, as an object, or in Helm values. */
import { parse } from 'yaml';
import { list, optionalRecord, record, strings, type Json } from './fields';
import type { Manifest } from './manifest';
import { HELM_VALUES } from './recognize';

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

function isOn(input: Input, says: (settings: Json) => boolean): boolean | undefined {
  const settings = [
    ...input.of('', 'ConfigMap').flatMap(({ body }) =>
      Object.entries(strings(record(body).data))
        .filter(([key]) => /^envoy-gateway\.ya?ml$/.test(key))
        .map(([, content]) => parsed(content)),
    ),
    ...input.of('gateway.envoyproxy.io', 'EnvoyGateway').map(({ body }) => record(body)),
    ...input.of('', HELM_VALUES).flatMap(({ body }) =>
      [record(body), ...Object.values(record(body)).map(record)].flatMap((level) => {
        const found = optionalRecord(record(level.config).envoyGateway);
        return found === undefined ? [] : [found];
      }),
    ),
  ];
  return settings.length === 0 ? undefined : settings.some(says);
}

function parsed(content: string): Json {
  try {
    return record(parse(content));
  } catch {
    return {};
  }
}
