import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';

const server = (version: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: api-${version}, namespace: shop }
spec:
  selector: { matchLabels: { app: api, version: ${version} } }
  template: { metadata: { labels: { app: api, version: ${version} } }, spec: { containers: [{ name: api, image: api, ports: [{ containerPort: 8080 }] }] } }
---
`;
const mesh = (subsets: readonly (readonly [name: string, rest: string])[], shares: readonly string[]): string => `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
${server('a')}${server('b')}
apiVersion: v1
kind: Service
metadata: { name: api, namespace: shop }
spec: { selector: { app: api }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: api, namespace: shop }
spec: { host: api, subsets: [${subsets.map(([name, rest]) => `{ name: ${name}, ${rest} }`).join(', ')}] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: api, namespace: shop }
spec: { hosts: [api], http: [{ route: [${shares.map((name, at) => `{ destination: { host: api, subset: ${name} }, weight: ${at === 0 ? 90 : 10} }`).join(', ')}] }] }
`;
const [A, B] = ['labels: { version: a }', 'labels: { version: b }'];
const was = mesh([['stable', A], ['canary', B]], ['stable', 'canary']); // prettier-ignore

function after(is: string): { readonly changes: number; readonly complete: boolean } {
  const found = diff(loadText(was).manifests, loadText(is).manifests);
  return { changes: found.changes.length, complete: found.complete };
}

describe('a subset that has another name than before', () => {
  it('alters no traffic by that, among the shares of a route too', () => {
    expect(after(mesh([['stable', A], ['next', B]], ['stable', 'next']))).toEqual({ changes: 0, complete: true }); // prettier-ignore
    expect(after(mesh([['now', A], ['next', B]], ['now', 'next']))).toEqual({ changes: 0, complete: true }); // prettier-ignore
  });

  it('is told of where it is another subset, or routes keep the old name', () => {
    expect(after(mesh([['stable', A], ['next', A]], ['stable', 'next'])).changes).toBe(1); // prettier-ignore
    expect(after(mesh([['stable', A], ['next', `${B}, trafficPolicy: { tls: { mode: DISABLE } }`]], ['stable', 'next'])).changes).toBe(1); // prettier-ignore
    expect(after(mesh([['stable', B], ['canary', A]], ['stable', 'canary'])).changes).toBe(1); // prettier-ignore
    expect(after(mesh([['stable', A], ['next', B]], ['stable', 'canary']))).toEqual({ changes: 0, complete: false }); // prettier-ignore
  });

  it('has its share followed', () => {
    const nobody = `---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: nobody, namespace: shop }\nspec: { selector: { matchLabels: { version: b } } }\n`;
    expect(after(mesh([['stable', A], ['next', B]], ['stable', 'next']) + nobody)).toEqual({ changes: 0, complete: false }); // prettier-ignore
  });
});
