import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';

const WORLD = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: web}]}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
---
apiVersion: extensions.istio.io/v1alpha1
kind: TrafficExtension
metadata: {name: guard, namespace: shop}
spec:
  lua: {inlineCode: 'function envoy_on_request(handle) handle:respond({[":status"] = "403"}, "closed") end'}
`;

const found = (spec: string): readonly string[] =>
  check(loadText(`${WORLD}  ${spec}`), {})
    .findings.filter(({ object }) => object?.kind === 'TrafficExtension')
    .map(({ id }) => id);

describe('a TrafficExtension, as other policies for proxies', () => {
  it.each([
    ['that selects no pods', 'selector: {matchLabels: {app: webb}}', 'EDGE412'],
    [
      'that selects the pods of a waypoint',
      'selector: {matchLabels: {gateway.networking.k8s.io/gateway-name: edge}}',
      'EDGE706',
    ],
    [
      'whose target is not there',
      'targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: egde}]',
      'EDGE807',
    ],
  ])('%s is told', (_what, spec, rule) => {
    expect(found(spec)).toContain(rule);
  });

  it('that selects pods is taken', () => {
    expect(found('selector: {matchLabels: {app: web}}')).toEqual([]);
  });
});
