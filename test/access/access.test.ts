import { ApiObject, Chart, Testing } from 'cdk8s';
import { AccessRule } from '../../src/access/access-rule';
import { AccessTarget } from '../../src/access/access-target';
import {
  AuthorizationAction,
  AuthorizationPolicy,
  AuthorizationPolicyProps,
} from '../../src/access/authorization-policy';
import { RequestAuthentication, RequestAuthenticationProps } from '../../src/access/request-authentication';
import { ClassicIngress } from '../../src/ingress/classic-ingress';
import { IngressBackend } from '../../src/ingress/ingress-backend';
import { IngressClass } from '../../src/ingress/ingress-class';
import { IngressGateway } from '../../src/ingress/ingress-gateway';
import { IngressListener } from '../../src/ingress/ingress-listener';
import { IstioInstall } from '../../src/install/istio-install';
import { ExternalAuthorizer } from '../../src/mesh/external-authorizer';
import { Workloads } from '../../src/mesh/workloads';
import { findings, traceOf } from '../egress/judged';
import { problems, rendered } from '../ingress/synthesized';

const ISSUER = { issuer: 'https://login.example.com', jwksUri: 'https://login.example.com/keys' };
const payments = AccessTarget.workloads(Workloads.in('shop', { app: 'payments' }));
const orders = Workloads.serviceAccount('shop', 'orders');

const newChart = () => new Chart(Testing.app(), 'edge', { namespace: 'shop' });

/** A Service of a port of HTTP and one of TCP, whose ports are not those that its workload listens on. */
function paymentsService(of: Chart): ApiObject {
  return new ApiObject(of, 'Payments', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'payments' },
    spec: {
      selector: { app: 'payments' },
      ports: [
        { name: 'http', port: 80, targetPort: 8080 },
        { name: 'tcp-admin', port: 9000 },
      ],
    },
  });
}

function policy(props: Partial<AuthorizationPolicyProps>, of = newChart()): Chart {
  new AuthorizationPolicy(of, 'Policy', { target: payments, rules: [{ callers: [orders] }], ...props });
  return of;
}
const ruled = (...rules: AccessRule[]) => policy({ rules });
const specOf = (of: Chart, kind = 'AuthorizationPolicy', name?: string) => rendered(of, kind, name)[0].spec;

describe('an AuthorizationPolicy', () => {
  it('says who may come, each kind of caller as a source of its own', () => {
    const spec = specOf(
      ruled({
        callers: [orders, Workloads.in('billing')],
        addresses: ['10.0.0.0/8'],
        hosts: ['pay.example.com', '*.internal'],
        methods: ['POST'],
        paths: ['/charge/*'],
        headers: { 'X-Env': ['prod'] },
      }),
    );
    expect(spec).toEqual({
      selector: { matchLabels: { app: 'payments' } },
      action: 'ALLOW',
      rules: [
        {
          from: [
            { source: { principals: ['cluster.local/ns/shop/sa/orders'], ipBlocks: ['10.0.0.0/8'] } },
            { source: { namespaces: ['billing'], ipBlocks: ['10.0.0.0/8'] } },
          ],
          to: [
            {
              operation: {
                hosts: ['pay.example.com', 'pay.example.com:*', '*.internal'],
                methods: ['POST'],
                paths: ['/charge/*'],
              },
            },
          ],
          when: [{ key: 'request.headers[x-env]', values: ['prod'] }],
        },
      ],
    });
  });

  it('has alternatives of who comes and of what is asked for, each as Istio writes it', () => {
    const rule: AccessRule = {
      callers: [orders],
      orFrom: [{ callers: [Workloads.in('billing')], addresses: ['10.0.0.0/8'] }, { addresses: ['192.0.2.0/24'] }],
      methods: ['GET'],
      orTo: [{ methods: ['POST'], paths: ['/charge'] }],
    };
    expect(specOf(ruled(rule)).rules).toEqual([
      {
        from: [
          { source: { principals: ['cluster.local/ns/shop/sa/orders'] } },
          { source: { namespaces: ['billing'], ipBlocks: ['10.0.0.0/8'] } },
          { source: { ipBlocks: ['192.0.2.0/24'] } },
        ],
        to: [{ operation: { methods: ['GET'] } }, { operation: { methods: ['POST'], paths: ['/charge'] } }],
      },
    ]);
    expect(problems(ruled(rule))).toBe('');
  });

  it.each<[string, AccessRule, RegExp]>([
    ['an alternative to nobody', { methods: ['GET'], orFrom: [{ callers: [orders] }] }, /rules\[0\]\.orFrom is an alternative to nothing/],
    ['an alternative to no request', { callers: [orders], orTo: [{ methods: ['GET'] }] }, /rules\[0\]\.orTo is an alternative to nothing/],
    ['an alternative that says nothing', { callers: [orders], orFrom: [{}] }, /rules\[0\]\.orFrom\[0\] says nothing/],
    ['what is wrong in an alternative', { methods: ['GET'], orTo: [{ methods: ['post'] }] }, /rules\[0\]\.orTo\[0\]\.methods has "post"/],
  ])('refuses %s', (_what, rule, expected) => {
    expect(problems(ruled(rule))).toMatch(expected);
  }); // prettier-ignore

  it('is understood by our own trace as it was meant', () => {
    const of = policy({ rules: [{ callers: [orders], paths: ['/charge'] }] });
    const pods = ['payments', 'orders', 'web'].map(
      (name) => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: shop, labels: {app: ${name}}}
spec: {serviceAccountName: ${name}, containers: [{name: a, image: a}]}
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {app: ${name}}, ports: [{name: http, port: 80}]}
`,
    );
    const trace = traceOf(
      of,
      ['apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio-injection: enabled}}\n', ...pods].join(
        '---\n',
      ),
    );
    const ask = (from: string, path: string) => trace(`http://payments${path}`, { from: `shop/${from}` }).outcome;
    expect([ask('orders', '/charge'), ask('orders', '/other'), ask('web', '/charge')]).toEqual([
      'delivered',
      'refused',
      'refused',
    ]);
  });

  it('is about a gateway of Gateway API by reference, and about a classic one by its labels', () => {
    const of = newChart();
    const gateway = new IngressGateway(of, 'Edge', {
      ingressClass: IngressClass.istio(),
      listeners: [IngressListener.http()],
    });
    const classic = new ClassicIngress(of, 'Classic', {
      hosts: ['a.example.com'],
      paths: [{ prefix: '/', backend: IngressBackend.service('a', 80) }],
    });
    new AuthorizationPolicy(of, 'A', { target: AccessTarget.gateway(gateway), rules: [{ methods: ['GET'] }] });
    new AuthorizationPolicy(of, 'B', { target: AccessTarget.classicIngress(classic), rules: [{ methods: ['GET'] }] });
    expect(specOf(of, 'AuthorizationPolicy', 'a').targetRefs).toEqual([
      { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'edge' },
    ]);
    const [b] = rendered(of, 'AuthorizationPolicy', 'b');
    expect([b.metadata.namespace, b.spec.selector.matchLabels]).toEqual(['istio-system', { istio: 'ingressgateway' }]);
    expect(problems(of)).toBe('');
  });

  it('asks another service, which the mesh configuration has to know', () => {
    const opa = ExternalAuthorizer.grpc('opa', 'opa.policy.svc.cluster.local', 9191);
    const of = policy({ action: AuthorizationAction.custom(opa), rules: [{}] });
    expect(specOf(of)).toMatchObject({ action: 'CUSTOM', provider: { name: 'opa' }, rules: [{}] });
    expect(problems(of)).toBe('');
    new IstioInstall(of, 'Install', {});
    expect(problems(of)).toMatch(/CUSTOM asks "opa", which the mesh configuration does not know/);
    const other = policy({ action: AuthorizationAction.custom(opa), rules: [{}] });
    new IstioInstall(other, 'Install', { externalAuthorizers: [opa] });
    expect(problems(other)).toBe('');
  });

  it('lets nobody in with ALLOW and no rules', () => {
    expect(specOf(policy({ rules: [] }))).toEqual({ selector: { matchLabels: { app: 'payments' } }, action: 'ALLOW' });
    expect(problems(policy({ rules: [] }))).toBe('');
  });

  it('keeps labels and annotations of the object', () => {
    const [{ metadata }] = rendered(policy({ metadata: { labels: { team: 'a' } } }), 'AuthorizationPolicy');
    expect(metadata).toEqual({ name: 'policy', namespace: 'shop', labels: { team: 'a' } });
  });

  it.each<[string, AccessRule, RegExp]>([
    ['a rule about everything', {}, /rules\[0\] says nothing/],
    ['an empty list', { callers: [] }, /rules\[0\]\.callers is empty/],
    [
      'a slip of the keyboard',
      JSON.parse('{"hosts":["a.example.com"],"path":["/a"]}') as AccessRule,
      /rules\[0\]: `path` is no field of a rule[^]*did you mean "paths"/,
    ],
    ['labels of callers', { callers: [Workloads.in('shop', { app: 'a' })] }, /names workloads app=a/],
    [
      'a SPIFFE ID for an account',
      { callers: [Workloads.serviceAccount('shop', 'spiffe://cluster.local/ns/shop/sa/a')] },
      /spiffe/,
    ],
    ['a SPIFFE ID for a token', { tokens: ['spiffe://cluster.local/x'] }, /names a workload, and no token/],
    ['what is no address', { addresses: ['ten'] }, /addresses has "ten"/],
    ['a method in small letters', { methods: ['get'] }, /methods has "get"/],
    ['a query in a path', { paths: ['/a?b'] }, /without their query/],
    ['a URL for a host', { hosts: ['https://a.example.com/'] }, /fix: "a.example.com"/],
    ['a bare issuer', { tokens: ['login'] }, /tokens are known as "issuer\/subject"/],
    ['a token that nobody reads', { tokens: ['*'] }, /asks for a token, and nobody reads one/],
  ])('refuses %s', (_, rule, said) => expect(problems(ruled(rule))).toMatch(said));

  it("refuses the Service's port where the workload's counts, and one on which nothing listens", () => {
    const of = newChart();
    policy(
      { target: AccessTarget.service(paymentsService(of)), rules: [{ callers: [orders], ports: [80, 8080, 1] }] },
      of,
    );
    expect(problems(of)).toMatch(/ports has 80, which is the Service's[^]*use 8080/);
    expect(problems(of)).toMatch(/ports has 1, on which nothing listens/);
  });

  it('refuses fields of HTTP on other ports: a DENY would shut them, an ALLOW never fit', () => {
    const denied = newChart();
    const target = AccessTarget.service(paymentsService(denied));
    policy({ target, action: AuthorizationAction.deny(), rules: [{ paths: ['/admin*'] }] }, denied);
    expect(problems(denied)).toMatch(/asks for paths on port 9000[^]*shut the port to all[^]*ports: \[8080\]/);
    const allowed = newChart();
    const rules = [{ methods: ['GET'], ports: [9000] }, { methods: ['GET'] }];
    policy({ target: AccessTarget.service(paymentsService(allowed)), rules }, allowed);
    expect(problems(allowed)).toMatch(/rules\[0\] asks for methods on port 9000/);
    expect(problems(allowed)).not.toMatch(/rules\[1\]/);
  });

  it('refuses a DENY without rules, a trust domain that is a URL, and a target by account', () => {
    expect(problems(policy({ rules: [], action: AuthorizationAction.deny() }))).toMatch(/DENY without rules/);
    expect(problems(policy({ trustDomain: 'spiffe://cluster.local' }))).toMatch(/trust domain "spiffe/);
    expect(problems(policy({ target: AccessTarget.workloads(orders) }))).toMatch(/a target of service account/);
  });

  it("refuses a gateway of Envoy Gateway's", () => {
    const of = newChart();
    const gateway = new IngressGateway(of, 'Edge', {
      ingressClass: IngressClass.envoyGatewayInMesh('eg'),
      listeners: [IngressListener.http()],
    });
    policy({ target: AccessTarget.gateway(gateway) }, of);
    expect(problems(of)).toMatch(/is Envoy Gateway's[^]*SecurityPolicy/);
  });
});

function authentication(props: Partial<RequestAuthenticationProps>, of = newChart()): Chart {
  new RequestAuthentication(of, 'Login', { target: payments, issuers: [ISSUER], ...props });
  return of;
}

describe('a RequestAuthentication', () => {
  it('asks for the token that it reads, but for paths that are open', () => {
    const of = authentication({ openPaths: ['/healthz'] });
    expect(specOf(of, 'RequestAuthentication')).toEqual({
      selector: { matchLabels: { app: 'payments' } },
      jwtRules: [ISSUER],
    });
    expect(specOf(of, 'AuthorizationPolicy', 'login-required')).toEqual({
      selector: { matchLabels: { app: 'payments' } },
      action: 'DENY',
      rules: [
        {
          from: [{ source: { notRequestPrincipals: ['*'] } }],
          to: [{ operation: { notPaths: ['/healthz'] } }],
        },
      ],
    });
    expect(problems(of)).toBe('');
    expect(findings(of)).toEqual([]);
  });

  it('asks for none where it is told so', () => {
    expect(rendered(authentication({ required: false }), 'AuthorizationPolicy')).toEqual([]);
  });

  it('leaves ports alone that are not HTTP', () => {
    const of = newChart();
    authentication({ target: AccessTarget.service(paymentsService(of)) }, of);
    const [{ to }] = specOf(of, 'AuthorizationPolicy').rules;
    expect(to).toEqual([{ operation: { ports: ['8080'] } }]);
    expect(problems(of)).toBe('');
  });

  it('lets policies ask for its tokens, of its issuers', () => {
    const of = authentication({});
    const claims = [{ path: ['realm', 'roles'], values: ['admin'] }];
    policy({ rules: [{ tokens: ['https://login.example.com/*'], claims }] }, of);
    expect(problems(of)).toBe('');
    expect(specOf(of, 'AuthorizationPolicy', 'policy').rules[0]).toEqual({
      from: [{ source: { requestPrincipals: ['https://login.example.com/*'] } }],
      when: [{ key: 'request.auth.claims[realm][roles]', values: ['admin'] }],
    });
    const other = policy({ rules: [{ tokens: ['https://evil.example.com/*'] }] }, authentication({}));
    expect(problems(other)).toMatch(/of an issuer that nobody reads/);
  });

  it('is known to reach what is behind it: a namespace covers its workloads, one workload no other', () => {
    const whole = authentication({ target: AccessTarget.workloads(Workloads.in('shop')) });
    expect(problems(policy({ rules: [{ tokens: ['*'] }] }, whole))).toBe('');
    const other = authentication({ target: AccessTarget.workloads(Workloads.in('shop', { app: 'web' })) });
    expect(problems(policy({ rules: [{ tokens: ['*'] }] }, other))).toMatch(/nobody reads one/);
  });

  it.each<[string, Partial<RequestAuthenticationProps>, RegExp]>([
    ['no issuer', { issuers: [] }, /`issuers` is empty/],
    ['an issuer twice', { issuers: [ISSUER, ISSUER] }, /is named twice/],
    ['keys in two places', { issuers: [{ ...ISSUER, jwks: '{"keys":[{"kty":"RSA"}]}' }] }, /both `jwks` and `jwksUri`/],
    ['what is no URL', { issuers: [{ issuer: 'a', jwksUri: 'login/keys' }] }, /is no URL of HTTP/],
    [
      'a private key',
      { issuers: [{ issuer: 'a', jwks: '{"keys":[{"kty":"RSA","d":"x"}]}' }] },
      /no set of public keys/,
    ],
    ['open paths where all are', { required: false, openPaths: ['/a'] }, /where no token is required/],
  ])('refuses %s', (_, props, said) => expect(problems(authentication(props))).toMatch(said));
});
