import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';
import { rule } from '../../src/check/rules/capture-excluded';

const pods = (user: string, namespace = 'istio-injection: enabled'): string => `
{apiVersion: v1, kind: Namespace, metadata: {name: app, labels: {${namespace}}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: app}, spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: web}, {name: helper, image: helper, securityContext: {${user}}}]}}}}`;
const found = (yaml: string): readonly (readonly [string, string])[] =>
  check(loadText(yaml), { rules: [rule] }).findings.map(({ field, what }) => [field, what] as const);

describe('EDGE503', () => {
  it('names containers that run as the user of the sidecar, where there is one', () => {
    expect(found(pods('runAsUser: 1337'))).toEqual([
      [
        'spec.template.spec.containers[1].securityContext.runAsUser',
        'helper of web runs as the user or group of the sidecar: nothing is captured of what it sends',
      ],
    ]);
    expect(found(pods('runAsUser: 1338'))).toEqual([]);
    expect(found(pods('runAsUser: 1337', 'istio-injection: disabled'))).toEqual([]);
  });
});
