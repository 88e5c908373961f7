/** Secrets that no repository holds, known by what makes them. */
import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';

const GATEWAY = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: shop}
spec:
  selector: {istio: ingress}
  servers:
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: [www.example.com]
    tls: {mode: SIMPLE, credentialName: web}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress, namespace: istio-ingress}
spec:
  selector: {matchLabels: {istio: ingress}}
  template:
    metadata: {labels: {istio: ingress, sidecar.istio.io/inject: "true"}, annotations: {inject.istio.io/templates: gateway}}
    spec: {containers: [{name: istio-proxy, image: auto}]}
---
`;

const MAKERS: Readonly<Record<string, (namespace: string) => string>> = {
  'an ExternalSecret with a target': (namespace) => `
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: from-the-vault, namespace: ${namespace}}
spec: {secretStoreRef: {name: vault, kind: ClusterSecretStore}, target: {name: web}, dataFrom: [{extract: {key: web}}]}`,
  'an ExternalSecret of its own name': (namespace) => `
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: web, namespace: ${namespace}}
spec: {secretStoreRef: {name: vault, kind: ClusterSecretStore}, dataFrom: [{extract: {key: web}}]}`,
  'a SealedSecret': (namespace) => `
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: web, namespace: ${namespace}}
spec: {encryptedData: {}}`,
  'a VaultStaticSecret': (namespace) => `
apiVersion: secrets.hashicorp.com/v1beta1
kind: VaultStaticSecret
metadata: {name: other, namespace: ${namespace}}
spec: {destination: {name: web, create: true}, mount: kv, path: web, type: kv-v2}`,
};

const misplaced = (maker: string): readonly string[] =>
  check(loadText(`${GATEWAY}${maker}`))
    .findings.filter(({ id }) => id === 'EDGE309')
    .map(({ what }) => what);

describe.each(Object.entries(MAKERS))('the Secret of %s', (_, maker) => {
  it('is not read by a gateway of another namespace', () => {
    expect(misplaced(maker('shop'))).toEqual(['Secret "web" is in shop, and the gateway\'s pods are in istio-ingress']);
  });

  it('is read beside the pods of the gateway', () => {
    expect(misplaced(maker('istio-ingress'))).toEqual([]);
  });
});
