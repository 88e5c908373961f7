import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';
import { outcome, traceIn } from '../trace/text';

const EDGE = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: eg}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: v1
kind: Namespace
metadata: {name: edge}
---
apiVersion: v1
kind: Namespace
metadata: {name: auth}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: edge}
spec: {gatewayClassName: eg, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: login, namespace: edge}
spec:
  parentRefs: [{name: public}]
  hostnames: [login.example.com]
  rules: [{backendRefs: [{name: login, namespace: auth, port: 80}]}]
`;
const CHART = `
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: login, namespace: auth}
spec: {chart: {spec: {chart: login, sourceRef: {kind: HelmRepository, name: charts}}}}
`;
const SERVICE = `
---
apiVersion: v1
kind: Service
metadata: {name: login, namespace: auth}
spec: {ports: [{name: http, port: 80}], type: ExternalName, externalName: login.example.org}
`;

const errors = (yaml: string): readonly string[] =>
  check(loadText(yaml)).findings.flatMap(({ id, severity }) => (severity === 'error' ? [id] : []));
const status = (yaml: string): string =>
  outcome(traceIn(yaml)('http://login.example.com/', { from: 'outside', at: 'edge/public' }));

describe('a backend of another namespace without a ReferenceGrant', () => {
  it('is refused where all of that namespace is shown', () => {
    expect(errors(EDGE + SERVICE)).toContain('EDGE803');
    expect(status(EDGE + SERVICE)).toContain('500');
  });

  it('is refused where a chart is beside it, which did not bring it', () => {
    expect(errors(EDGE + SERVICE + CHART)).toContain('EDGE803');
    expect(status(EDGE + SERVICE + CHART)).toContain('500');
  });

  it('is assumed to be granted where a chart brings it, as it is assumed itself', () => {
    const { findings } = check(loadText(EDGE + CHART));
    expect(errors(EDGE + CHART)).toEqual([]);
    expect(findings.map(({ id, what }) => `${id} ${what}`).join()).toContain('EDGE340 an object is assumed that no manifest shows; in auth: Service login'); // prettier-ignore
  });
});
