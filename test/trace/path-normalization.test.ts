import { canonicalPath, treatPath } from '../../src/trace/paths';
import { outcome, traceIn } from './text';

const WORLD = `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: site, namespace: app}
spec:
  hosts: [site.example.com, public.example.com]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: DNS
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: site, namespace: app}
spec:
  hosts: [site.example.com]
  http:
    - match: [{uri: {exact: /a/b}}]
      route: [{destination: {host: public.example.com}}]
    - match: [{uri: {prefix: /}}]
      directResponse: {status: 403}`;

const normalizing = (mode: string): string => `
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |
    pathNormalization: {normalization: ${mode}}`;

const says = (path: string, more = ''): string => outcome(traceIn(WORLD + more)(`http://site.example.com${path}`));

const THROUGH = 'delivered to public.example.com:80';
const ANSWERED = 'direct_response 403 at sidecar';

describe('the path that routes of a mesh are matched with', () => {
  it.each([
    ['/a/./b', THROUGH],
    ['/a/c/../b', THROUGH],
    ['/x/%2e%2E/a/b', THROUGH],
    ['/%61/b', THROUGH],
    ['/a\\b', THROUGH],
    ['/a/b?to=/../c', THROUGH],
    ['/a//b', ANSWERED],
    ['/a%2Fb', ANSWERED],
    ['/A/b', ANSWERED],
    ['/a/b%00', 'path_normalization_failed 400 at sidecar'],
  ])('is canonical unless the mesh says otherwise: %s', (path, expected) => {
    expect(says(path)).toBe(expected);
    expect(says(path, normalizing('BASE'))).toBe(expected);
  });

  it.each([
    ['NONE', '/a/./b', ANSWERED],
    ['NONE', '/%61/b', ANSWERED],
    ['NONE', '/a/b%00', ANSWERED],
    ['MERGE_SLASHES', '/a//b', THROUGH],
    ['MERGE_SLASHES', '/a%2Fb', ANSWERED],
    ['DECODE_AND_MERGE_SLASHES', '/a//b', THROUGH],
    ['DECODE_AND_MERGE_SLASHES', '/a%2fb', THROUGH],
    ['DECODE_AND_MERGE_SLASHES', '/a%5C%2Fb', THROUGH],
  ])('is what %s makes of %s', (mode, path, expected) => {
    expect(says(path, normalizing(mode))).toBe(expected);
  });
});

describe('the path that policies at a server are held against', () => {
  const SERVER = `
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: app}
spec: {clusterIP: 10.0.0.1, selector: {app: shop}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: app}
spec:
  selector: {matchLabels: {app: shop}}
  template: {metadata: {labels: {app: shop}}, spec: {containers: [{name: shop, image: shop}]}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-admin, namespace: app}
spec: {selector: {matchLabels: {app: shop}}, action: DENY, rules: [{to: [{operation: {paths: [/admin*]}}]}]}`;
  const asks = (path: string, more = ''): string => outcome(traceIn(WORLD + SERVER + more)(`http://shop${path}`));

  it('is canonical too, so that dots do not lead around them', () => {
    expect(asks('/public/../admin')).toBe('RBAC 403 at sidecar');
    expect(asks('/%61dmin')).toBe('RBAC 403 at sidecar');
    expect(asks('//admin')).toBe('delivered to shop.app.svc.cluster.local:80');
  });

  it('has its slashes merged where the mesh says so', () => {
    expect(asks('//admin', normalizing('MERGE_SLASHES'))).toBe('RBAC 403 at sidecar');
    expect(asks('/x%2f..%2fadmin', normalizing('DECODE_AND_MERGE_SLASHES'))).toBe('RBAC 403 at sidecar');
  });
});

describe('a path in canonical form', () => {
  it.each([
    ['/a//../b', '/a/b'],
    ['//..//a', '//a'],
    ['/..', '/'],
    ['/a/..', '/'],
    ['/a/b/.', '/a/b/'],
    ['/a/b/...', '/a/b/...'],
    ['/{a}"<b>^`|', '/%7Ba%7D%22%3Cb%3E%5E%60%7C'],
    ['/%zz%2', '/%zz%2'],
    ['/%2%41', '/%252A'],
    ['/%%41', '/%A'],
    ['/%21%c3%a9', '/%21%c3%a9'],
  ])('%s is %s, as Envoy has it', (given, expected) => {
    expect(canonicalPath(given, false)).toBe(expected);
  });

  it.each([
    ['/a/..;v=1/b', '/b'],
    ['/a/.;/b', '/a/b'],
    ['/a/..;v=1', '/'],
    ['/a/%2e%2e;v=1/b', '/a/..;v=1/b'],
    ['/a\\..;v=1/b', '/a/..;v=1/b'],
    ['/a/..%3bv=1/b', '/a/..%3bv=1/b'],
    ['/a/...;v=1/b', '/a/...;v=1/b'],
    ['/a;v=1/../b', '/b'],
  ])('%s is %s where dot segments may have parameters', (given, expected) => {
    expect(canonicalPath(given, true)).toBe(expected);
    if (/\/\.\.?;/.test(given)) expect(canonicalPath(given, false)).not.toBe(expected);
  });

  it('is its own canonical form', () => {
    for (const path of ['/a/%2e/b//c/%7E', '/%2%41', '/x\\..\\y']) {
      const once = canonicalPath(path, true) ?? '';
      expect(canonicalPath(once, true)).toBe(once);
    }
  });
});

it('a redirect for an escaped slash leads to the path without it', () => {
  const settings = { normalizes: true, mergesSlashes: true, escapedSlashes: 'REDIRECT', foldsParameters: true } as const; // prettier-ignore
  const http = { authority: 'a', method: 'GET', scheme: 'http', headers: {} } as const;
  expect(treatPath({ ...http, path: '/a%2Fb?c=%2F' }, settings)).toEqual({ is: 'redirected', path: '/a/b?c=%2F' });
  expect(treatPath({ ...http, path: '/a//b' }, settings)).toEqual({ is: 'taken', path: '/a/b' });
});
