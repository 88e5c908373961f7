/** The configuration of Envoy Gateway's controller, in whatever carries it. */
import { parse } from 'yaml';
import { type Json, record, text } from '../model/fields';
import type { FieldPath, Manifest } from '../model/manifest';
import { HELM_VALUES } from '../model/recognize';
import { defineIndex } from './context';
import { ENVOY_GATEWAY } from './gateway-api';

export interface ControllerConfig {
  readonly manifest: Manifest;
  readonly field: FieldPath;
  readonly config: Json;
}

/** The ConfigMap that the chart makes, the values that it is made from, or the document itself. */
export const controllerConfigs = defineIndex('controller configs', ({ manifests }): readonly ControllerConfig[] =>
  manifests.flatMap((manifest): readonly ControllerConfig[] => {
    const body = record(manifest.body);
    if (manifest.kind === 'ConfigMap')
      return Object.entries(record(body.data)).flatMap(([key, value]) => {
        const config = /kind:\s*EnvoyGateway\s*$/m.test(text(value)) ? parsed(text(value)) : undefined;
        return config ? [{ manifest, field: ['data', key], config }] : [];
      });
    if (manifest.kind === 'EnvoyGateway' && manifest.group === ENVOY_GATEWAY) return [{ manifest, field: [], config: body }]; // prettier-ignore
    if (manifest.kind !== HELM_VALUES) return [];
    return [['', body] as const, ...Object.entries(body).map(([key, level]) => [key, record(level)] as const)].flatMap(
      ([key, level]) => {
        const { envoyGateway } = record(level.config);
        const field = [...(key === '' ? [] : [key]), 'config', 'envoyGateway'];
        return envoyGateway === undefined ? [] : [{ manifest, field, config: record(envoyGateway) }];
      },
    );
  }),
);

function parsed(yaml: string): Json | undefined {
  try {
    return record(parse(yaml));
  } catch {
    return undefined;
  }
}
