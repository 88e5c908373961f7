import { execFileSync } from 'node:child_process';
import { writeFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadText } from '../../src/model/load';
import { formatUpgrade } from '../../src/report/upgrade';
import { type Upgrade, upgrade } from '../../src/upgrade/upgrade';

const APP = `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: sleep, namespace: app}
spec:
  selector: {matchLabels: {app: sleep}}
  template: {metadata: {labels: {app: sleep}}, spec: {containers: [{name: sleep, image: 'curl:8'}]}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: app}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: app}
spec:
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: 'web:1'}]}}
`;
const POLICY = `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: web, namespace: app}
spec:
  selector: {matchLabels: {app: web}}
  rules: [{from: [{source: {namespaces: [app], trustDomains: [corp.example]}}]}]
`;
const TLS_ROUTE = `
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: app}
spec: {gatewayClassName: istio, listeners: [{name: tls, port: 443, protocol: TLS, tls: {mode: Passthrough}}]}
---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TLSRoute
metadata: {name: web, namespace: app}
spec: {parentRefs: [{name: front}], hostnames: [web.example.com], rules: [{backendRefs: [{name: web, port: 80}]}]}
`;

const between = (yaml: string, was: object, is: object): Upgrade => upgrade(loadText(yaml), { was, is });

describe('an upgrade', () => {
  it('changes traffic where the new release reads a field that the old one drops', () => {
    const { traffic, settled, moves } = between(APP + POLICY, { istioVersion: '1.29' }, { istioVersion: '1.32' });
    expect(moves).toEqual([{ title: 'Istio', from: '1.29', to: '1.32' }]);
    expect(traffic.changes.map(({ effect }) => effect)).toContain('narrowed');
    expect(settled.map(({ id, field }) => [id, field])).toContainEqual([
      'EDGE002',
      'spec.rules[0].from[0].source.trustDomains',
    ]);
  });

  it('may be one of patches alone, where they decide about requests', () => {
    const broader = `${APP}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: eg}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: app}
spec: {gatewayClassName: eg, listeners: [{name: http, port: 80, protocol: HTTP, hostname: '*.example.com'}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: app}
spec: {parentRefs: [{name: front}], hostnames: ['*.com'], rules: [{backendRefs: [{name: web, port: 80}]}]}
`;
    const found = between(broader, { envoyGatewayVersion: '1.7.0' }, { envoyGatewayVersion: 'v1.7.5' });
    expect(found.moves).toEqual([{ title: 'Envoy Gateway', from: '1.7.0', to: '1.7.5' }]);
    expect(found.support).toMatchObject([{ release: '1.7', date: '2026-08-05' }]);
    expect(found.traffic.changes.map(({ effect }) => effect)).toEqual(['widened']);
    expect(between(broader, { envoyGatewayVersion: '1.7.1' }, { envoyGatewayVersion: '1.7' }).traffic.changes).toEqual(
      [],
    );
  });

  describe('of patches of Istio', () => {
    const ACCOUNTS = `${APP}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: web, namespace: app}
spec:
  selector: {matchLabels: {app: web}}
  rules: [{from: [{source: {serviceAccounts: [cert.manager]}}], to: [{operation: {paths: [/renew]}}]}]
`;
    const said = ({ defaults }: Upgrade): readonly string[] =>
      defaults.map(({ release, what }) => `${release} ${/CVE-[-0-9]+/.exec(what)?.[0] ?? '-'}`);

    it('says what they close, with the CVE, and that proxies have to be restarted', () => {
      const found = between(ACCOUNTS, { istioVersion: '1.29.1' }, { istioVersion: '1.29.7' });
      expect(found.moves).toEqual([{ title: 'Istio', from: '1.29.1', to: '1.29.7' }]);
      expect(found.traffic.changes.map(({ effect, from }) => [effect, from])).toContainEqual([
        'narrowed',
        ['app/serviceaccount=cert-manager'],
      ]);
      expect(said(found)).toEqual(['1.29.2 CVE-2026-39350', '1.29.7 CVE-2026-73551']);
      expect(found.steps.map(({ what }) => what)).toEqual([expect.stringMatching(/istiod to 1.29.7 .* then restart/)]);
      expect(found.support).toMatchObject([{ component: 'Istio', release: '1.29' }]);
    });

    it('says what a newer release lacks in an older patch', () => {
      const found = between(ACCOUNTS, { istioVersion: '1.29.7' }, { istioVersion: '1.30.3' });
      expect(found.moves).toEqual([{ title: 'Istio', from: '1.29.7', to: '1.30.3' }]);
      expect(said(found)).toEqual(['1.30.3 CVE-2026-73551']);
      expect(found.defaults.map(({ advice }) => advice)).toEqual(['Go to Istio 1.30.4 or newer.']);
    });

    it.each([
      ['1.29.1', '1.29.4', true],
      ['1.29.1', '1.30.0', true],
      ['1.28', '1.30.1', true],
      ['1.29.1', '1.29.5', false],
      ['1.29.1', '1.30.2', false],
      ['1.29.1', '1.31.0', false],
      ['1.29.2', '1.30.0', false],
      ['1.28', '1.29.1', false],
    ])('says from %s to %s whether older proxies of ambient mode go on: %s', (from, to, breaks) => {
      const ambient = APP.replace('istio-injection: enabled', 'istio.io/dataplane-mode: ambient');
      const { defaults } = between(ambient, { istioVersion: from }, { istioVersion: to });
      expect(defaults.some(({ what }) => what.includes('proxies older than 1.29.2'))).toBe(breaks);
    });
  });

  it('changes nothing where both releases do the same', () => {
    const { traffic, newly, settled } = between(APP, { istioVersion: '1.29' }, { istioVersion: '1.32' });
    expect({ changes: traffic.changes, newly, settled }).toEqual({ changes: [], newly: [], settled: [] });
  });

  it('back to an older release says what that one drops', () => {
    const { newly } = between(APP + POLICY, { istioVersion: '1.30' }, { istioVersion: '1.29' });
    expect(newly.map(({ what }) => what)).toContain('there is no field "trustDomains" here: it needs Istio 1.30');
  });

  it('says in which order the CRDs of the Gateway API and istiod go, and what to write before', () => {
    const told = between(
      APP + TLS_ROUTE,
      { istioVersion: '1.29', gatewayApiVersion: '1.4/experimental' },
      { istioVersion: '1.32', gatewayApiVersion: '1.7' },
    );
    expect(told.steps.map(({ what }) => what)).toEqual([
      'Apply the CRDs of Gateway API 1.5 or newer before Istio 1.30 or newer',
      'Take the experimental channel of Gateway API 1.7 for these CRDs, until the controllers are upgraded',
      'Write TLSRoute as gateway.networking.k8s.io/v1 as soon as the CRDs serve it, and before the next apply',
      expect.stringContaining('Upgrade Istio to 1.31: its CRDs first'),
      expect.stringContaining('take istiod 1.29 away'),
      expect.stringContaining('Upgrade Istio to 1.32: its CRDs first'),
      expect.stringContaining('take istiod 1.31 away'),
      'Apply the CRDs of the standard channel of Gateway API 1.7',
    ]);
    expect(told.newly.map(({ what }) => what)).toContain(
      'TLSRoute v1alpha2 needs the experimental channel of Gateway API 1.7',
    );
    expect(told.support.map(({ component, release }) => [component, release])).toEqual([['Istio', '1.29']]);
  });

  it('leaves nothing open about paths at a listener that reads none, and the older CRDs of a chart out', () => {
    const tcp = `${APP}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: eg}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: app}
spec: {gatewayClassName: eg, listeners: [{name: tls, port: 443, protocol: TLS, tls: {mode: Passthrough}}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {name: web, namespace: app}
spec: {parentRefs: [{name: front}], hostnames: [web.example.com], rules: [{backendRefs: [{name: web, port: 80}]}]}
`;
    const found = between(tcp, { gatewayApiVersion: '1.6', envoyGatewayVersion: '1.8' }, { gatewayApiVersion: '1.7', envoyGatewayVersion: '1.9' }); // prettier-ignore
    expect(found.traffic.complete).toBe(true);
    expect(found.steps.map(({ what }) => what)).toContain(
      'Upgrade Envoy Gateway to 1.9, its CRDs before the controller, and without those of Gateway API 1.6 in its chart',
    );
  });

  it.each([
    ['https://istio-release.storage.googleapis.com/charts', 1],
    ['https://blob.istio.io/istio-release/charts', 0],
  ])('names charts of places that are not served any more: %s', (url, told) => {
    const repository = `{apiVersion: source.toolkit.fluxcd.io/v1, kind: HelmRepository, metadata: {name: istio, namespace: flux}, spec: {url: "${url}"}}`;
    const { defaults } = between(repository, { istioVersion: '1.30' }, { istioVersion: '1.31' });
    expect(defaults.filter(({ what }) => what.includes('no longer published'))).toHaveLength(told);
  });

  it('names versions that the new release serves and deprecates', () => {
    const { deprecated } = between(TLS_ROUTE, { gatewayApiVersion: '1.4/experimental' }, { gatewayApiVersion: '1.5/experimental' }); // prettier-ignore
    expect(deprecated).toEqual([
      { apiVersion: 'gateway.networking.k8s.io/v1alpha2', kind: 'TLSRoute', objects: ['TLSRoute app/web'], instead: 'gateway.networking.k8s.io/v1' },
    ]); // prettier-ignore
  });

  it('names defaults that objects depend on', () => {
    const lua = '{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: EnvoyExtensionPolicy, metadata: {name: l, namespace: app}, spec: {lua: [{type: Inline, inline: "x"}], targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: g}]}}'; // prettier-ignore
    const { defaults } = between(lua, { envoyGatewayVersion: '1.7' }, { envoyGatewayVersion: '1.9' });
    expect(defaults).toMatchObject([{ release: '1.9', objects: ['EnvoyExtensionPolicy app/l'] }]);
    expect(between(lua, { envoyGatewayVersion: '1.7' }, { envoyGatewayVersion: '1.8' }).defaults).toEqual([]);
  });

  it.each([
    ['path: {value: /shop}', ['HTTPRoute app/shop']],
    ['headers: [{name: a, value: b}]', []],
  ])('tells routes by path of dot segments with parameters: %s', (match, objects) => {
    const route = `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: shop, namespace: app}, spec: {parentRefs: [{name: g}], rules: [{matches: [{${match}}], backendRefs: [{name: shop, port: 80}]}]}}`; // prettier-ignore
    const { defaults } = between(route, { envoyGatewayVersion: '1.8' }, { envoyGatewayVersion: '1.9' });
    expect(defaults.filter(({ what }) => what.startsWith('dot segments')).flatMap((one) => one.objects)).toEqual(objects); // prettier-ignore
  });

  it.each(['text', 'markdown'] as const)('is said as %s', (format) => {
    const told = between(APP + POLICY, { istioVersion: '1.29' }, { istioVersion: '1.32' });
    const text = formatUpgrade(told, format, { color: false, width: 100 });
    for (const part of ['Istio 1.29 to 1.32', 'In short: ', 'Steps, in this order', 'End of life', 'Istio 1.32: no date was published yet', 'Settled by the new release'])
      expect(text).toContain(part);
  }); // prettier-ignore

  it("counts what istiod's webhook refuses among what is refused", () => {
    const sidecar = '{apiVersion: networking.istio.io/v1, kind: Sidecar, metadata: {name: default, namespace: app}, spec: {egress: [{hosts: ["*/*", "~legacy/*"]}]}}'; // prettier-ignore
    const text = formatUpgrade(between(sidecar, { istioVersion: '1.31' }, { istioVersion: '1.30' }), 'text', { color: false, width: 200 }); // prettier-ignore
    expect(text).toContain('1 object or field newly refused or dropped');
    expect(text).toContain('Refused or dropped by the new release (1)');
  });

  it('tells istio-cni, ztunnel and waypoints where they are, and nothing of Istio where it stays', () => {
    const ambient =
      '{apiVersion: v1, kind: Namespace, metadata: {name: app, labels: {istio.io/dataplane-mode: ambient}}}';
    const steps = (yaml: string) => between(yaml, { istioVersion: '1.31' }, { istioVersion: '1.32' }).steps.map(({ what }) => what); // prettier-ignore
    expect(steps(ambient)).toContainEqual(expect.stringContaining('istio-cni and ztunnel to 1.32'));
    expect(steps(APP).join()).not.toContain('ztunnel');
    const told = between(ambient, { envoyGatewayVersion: '1.8' }, { envoyGatewayVersion: '1.9' });
    expect(formatUpgrade(told, 'text', { color: false, width: 100 })).not.toContain('istiod');
  });
});

describe('mesh-edge upgrade', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mesh-edge-upgrade-'));
  const file = join(folder, 'mesh.yaml');
  writeFileSync(file, APP + POLICY);
  const run = (...args: readonly string[]): { status: number; stdout: string; stderr: string } => {
    try {
      const bin = resolve(__dirname, '../../bin/mesh-edge');
      return { status: 0, stdout: execFileSync(process.execPath, [bin, ...args], { encoding: 'utf8', stdio: 'pipe' }), stderr: '' }; // prettier-ignore
    } catch (error) {
      return error as { status: number; stdout: string; stderr: string };
    }
  };

  it('ends with 1 if traffic changes, and with 0 if not', () => {
    const told = run('upgrade', file, '--istio-version', '1.29..1.32', '--format', 'json');
    expect(told.status).toBe(1);
    expect(JSON.parse(told.stdout)).toMatchObject({ moves: [{ title: 'Istio', from: '1.29', to: '1.32' }] });
    expect(run('upgrade', file, '--istio-version', '1.30..1.32').status).toBe(0);
  });

  it('takes the old release from the manifests where only the new one is given', () => {
    const image = `---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: istiod, namespace: istio-system}\nspec: {selector: {matchLabels: {app: istiod}}, template: {metadata: {labels: {app: istiod}}, spec: {containers: [{name: discovery, image: 'istio/pilot:1.29.2'}]}}}\n`; // prettier-ignore
    const shown = join(folder, 'shown.yaml');
    writeFileSync(shown, APP + image);
    const told = run('upgrade', shown, '--istio-version', '1.31', '--format', 'json');
    expect(JSON.parse(told.stdout).moves).toEqual([{ title: 'Istio', from: '1.29.2', to: '1.31' }]);
  });

  it('ends with 2 where no release is said, or none that could be one', () => {
    expect(run('upgrade', file)).toMatchObject({ status: 2, stdout: '' });
    expect(run('upgrade', file, '--istio-version', 'new')).toMatchObject({ status: 2, stdout: '' });
  });
});
