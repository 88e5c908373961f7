import { entry, optionalRecord, record, text } from '../../model/fields';
import { USUAL_CLASSES } from '../../model/gateway-api';
import type { FieldPath, Manifest } from '../../model/manifest';
import type { CheckContext } from '../context';
import { ENVOY_GATEWAY, GATEWAY_API } from '../gateway-api';
import type { Hit, Rule } from '../rule';
import { nearestName } from '../../model/near-names';

const CONTROLLER = 'gateway.envoyproxy.io/gatewayclass-controller';

export const rule: Rule = {
  id: 'EDGE829',
  name: 'gateway-class-not-usable',
  severity: 'error',
  title: 'A Gateway has a class that nobody takes up',
  why: 'Envoy Gateway accepts no class, and no Gateway, whose parametersRef names an EnvoyProxy that is not there, and nobody looks at a Gateway of a class that is not there: no proxies run, and nothing is routed.',
  fix: 'Write the name, and for a GatewayClass the namespace, that the EnvoyProxy or the class has.',
  see: 'https://gateway.envoyproxy.io/docs/api/gateway_api/gatewayclass/',
  reads: ['GatewayClass', 'Gateway'],
  findsAbsence: true,
  footguns: [],
  *check(context) {
    const classes = context.of(GATEWAY_API, 'GatewayClass');
    for (const manifest of classes) {
      const { parametersRef } = record(record(manifest.body).spec);
      if (isOfEnvoyGateway(manifest)) yield* parameters(context, manifest, ['spec', 'parametersRef'], parametersRef);
    }
    const ofEnvoyGateway = new Set(
      context.mesh.gatewayApi.gateways
        .filter(({ controller }) => controller === 'envoy-gateway')
        .map(({ config }) => config.manifest),
    );
    for (const manifest of context.of(GATEWAY_API, 'Gateway')) {
      const spec = record(record(manifest.body).spec);
      if (ofEnvoyGateway.has(manifest)) {
        const { parametersRef } = record(spec.infrastructure);
        yield* parameters(context, manifest, ['spec', 'infrastructure', 'parametersRef'], parametersRef);
      }
      const name = text(spec.gatewayClassName);
      const names = classes.map((one) => one.name);
      if (name === '' || names.length === 0 || names.includes(name) || isInstalled(name, classes)) continue;
      const near = nearestName(name, names);
      yield {
        manifest,
        field: ['spec', 'gatewayClassName'],
        severity: near ? 'warning' : 'info',
        what: `no manifest has GatewayClass ${name}; there is ${names.join(', ')}`,
        ...(near ? { fix: `Did you mean ${near}?` } : {}),
      };
    }
  },
};

/** Istio brings its classes; those of Envoy Gateway are whatever a manifest calls them, usually so. */
function isInstalled(name: string, classes: readonly Manifest[]): boolean {
  if (entry(USUAL_CLASSES, name) === 'envoy-gateway') return !classes.some(isOfEnvoyGateway);
  return name.startsWith('istio');
}

const isOfEnvoyGateway = ({ body }: Manifest): boolean => text(record(record(body).spec).controllerName) === CONTROLLER;

/** A reference to an EnvoyProxy that is not there, while others are. A Gateway names those of its own namespace. */
function* parameters(context: CheckContext, manifest: Manifest, field: FieldPath, value: unknown): Generator<Hit> {
  const reference = optionalRecord(value);
  if (reference === undefined || text(reference.kind) !== 'EnvoyProxy') return;
  const name = text(reference.name);
  const namespace = manifest.kind === 'Gateway' ? manifest.namespace : text(reference.namespace);
  const known = context.of(ENVOY_GATEWAY, 'EnvoyProxy');
  if (known.length === 0 || known.some((one) => one.name === name && one.namespace === namespace)) return;
  const shown = known.map((one) => `${one.namespace}/${one.name}`).join(', ');
  // One of quite another name may be in another repository.
  const near =
    known.find((one) => one.name === name) ?? known.find((one) => nearestName(name, [one.name]) !== undefined);
  yield {
    manifest,
    field: [...field, 'name'],
    severity: near ? 'error' : 'warning',
    what: `there is no EnvoyProxy ${namespace}/${name}, and there is ${shown}`,
    ...(near ? { fix: `Did you mean ${near.namespace}/${near.name}?` } : {}),
  };
}
