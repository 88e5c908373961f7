import { check } from '../../../src/check/check';
import type { Finding } from '../../../src/check/finding';
import { loadText } from '../../../src/model/load';
import { evaluateRules } from '../../../src/check/schema/cel';
import type { Schema } from '../../../src/check/schema/structural';
import { rule as cel } from '../../../src/check/rules/cel-rule-violation';
import { rule as schema } from '../../../src/check/rules/schema-violation';
import { rule as unknownKind } from '../../../src/check/rules/unknown-kind';

const judge = (text: string): readonly Finding[] =>
  check(loadText(text), { rules: [schema, cel, unknownKind] }).findings;
const head = (kind: string, apiVersion = 'networking.istio.io/v1'): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a, namespace: app}\n`;
const entry = (spec: string): string =>
  `${head('ServiceEntry')}spec: {hosts: [a.example.com], ports: [{number: 80, name: http, protocol: HTTP}], ${spec}}\n`;

describe('the schema of a kind', () => {
  it('finds nothing in an object that fits', () => {
    expect(judge(entry('resolution: DNS'))).toEqual([]);
  });

  it.each([
    [
      'a field that is not there, and guesses which was meant',
      'resolutoin: DNS',
      'spec.resolutoin',
      /no field "resolutoin"/,
      /Did you mean "resolution"/,
    ],
    [
      'a value that is none of the enumerated',
      'resolution: dns',
      'spec.resolution',
      /"dns" is none of/,
      /Did you mean "DNS"/,
    ],
    [
      'a string where a list belongs',
      'exportTo: app',
      'spec.exportTo',
      /"app" is a string, where a list belongs/,
      /list/,
    ],
    [
      'a number where a string belongs',
      'addresses: [10]',
      'spec.addresses[0]',
      /10 is a number, where a string belongs/,
      /quotes: "10"/,
    ],
  ])('refuses %s', (_, spec, field, what, fix) => {
    expect(judge(entry(spec))).toEqual([
      expect.objectContaining({
        id: 'EDGE002',
        field,
        what: expect.stringMatching(what),
        fix: expect.stringMatching(fix),
      }),
    ]);
  });

  it('asks for what is required', () => {
    expect(judge(`${head('Gateway')}spec: {servers: [{hosts: ['*']}]}\n`)).toEqual([
      expect.objectContaining({
        id: 'EDGE002',
        field: 'spec.servers[0]',
        what: '"port" is missing in an entry of servers',
      }),
    ]);
  });

  it('takes a null for a field that is not there', () => {
    expect(judge(entry('exportTo: null'))).toEqual([]);
  });

  it('is asked of core kinds too', () => {
    const service = `apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: "80", targetPort: http}], selektor: {}}\n`;
    expect(judge(service).map(({ field }) => field)).toEqual(['spec.ports[0].port', 'spec.selektor']);
  });

  it.each([
    ['a name with capitals', 'metadata: {name: Abc}'],
    ['no name', 'metadata: {namespace: x}'],
    ['a label with a space', 'metadata: {name: a, labels: {a: "b c"}}'],
  ])('refuses metadata with %s', (_, metadata) => {
    const found = judge(`apiVersion: networking.istio.io/v1\nkind: Sidecar\n${metadata}\nspec: {}\n`);
    expect(found.map(({ id }) => id)).toEqual(['EDGE002']);
  });

  it('does not know a version or kind that the CRDs do not serve', () => {
    expect(judge(head('Gateway', 'networking.istio.io/v1alpha4'))).toEqual([
      expect.objectContaining({ id: 'EDGE004', severity: 'error' }),
    ]);
    expect(judge(head('ServiceEntri'))).toEqual([
      expect.objectContaining({ id: 'EDGE004', fix: 'Did you mean ServiceEntry?' }),
    ]);
    expect(judge(head('Whatever', 'example.com/v1'))).toEqual([]);
  });
});

describe('the CEL rules of a CRD', () => {
  it('are evaluated as an API server does', () => {
    expect(judge(entry('resolution: DNS, addresses: [10.0.0.0/8]'))).toEqual([
      expect.objectContaining({
        id: 'EDGE003',
        field: 'spec',
        what: 'CIDR addresses are allowed only for NONE/STATIC resolution types',
      }),
    ]);
    const range = `${head('ServiceEntry')}spec: {hosts: [a.example.com], ports: [{number: 70000, name: x, protocol: TCP}]}\n`;
    expect(judge(range)).toEqual([expect.objectContaining({ id: 'EDGE003', field: 'spec.ports[0].number' })]);
  });

  it('say the message of their own place where the same rule is written at another', () => {
    const proxy = judge(
      `${head('EnvoyProxy', 'gateway.envoyproxy.io/v1alpha1')}spec:
  telemetry:
    accessLog: {settings: [{sinks: [{type: OpenTelemetry}]}]}
    metrics: {sinks: [{type: OpenTelemetry}]}
`,
    );
    const said = proxy.map(({ field, what }) => `${field}: ${what}`);
    expect(said).toContainEqual(
      expect.stringMatching(/^spec\.telemetry\.accessLog\.settings\[0\]\.sinks\[0\]: If AccessLogSink type is Open/),
    );
    expect(said).toContainEqual(
      expect.stringMatching(/^spec\.telemetry\.metrics\.sinks\[0\]: If MetricSink type is OpenTelemetry/),
    );
  });

  it.each([
    ['beside a value of the wrong form', 'appProtocols: [gateway.envoyproxy.io/ws], endpoints: [{fqdn: {hostname: a b, port: 1}, ip: {address: 1.2.3.4, port: 1}}]', ['EDGE002', 'EDGE003']],
    ['not beside a value that is none of an enumeration', 'appProtocols: [x], endpoints: [{fqdn: {hostname: a, port: 1}, ip: {address: 1.2.3.4, port: 1}}]', ['EDGE002']],
    ['not beside a field that is missing', 'endpoints: [{fqdn: {hostname: a}, ip: {address: 1.2.3.4, port: 1}}]', ['EDGE002']],
    ['not beside a field that is not there', 'nothing: 1, endpoints: [{fqdn: {hostname: a, port: 1}, ip: {address: 1.2.3.4, port: 1}}]', ['EDGE002']],
    ['not beside a value of the wrong type', 'endpoints: [{fqdn: {hostname: a, port: x}, ip: {address: 1.2.3.4, port: 1}}]', ['EDGE002']],
  ])('are evaluated %s', (_, spec, ids) => {
    const found = judge(`${head('Backend', 'gateway.envoyproxy.io/v1alpha1')}spec: {${spec}}\n`);
    expect(found.map(({ id }) => id).sort()).toEqual(ids);
  }); // prettier-ignore

  it('count with the defaults of the schema', () => {
    const route = (filter: string): string =>
      `${head('HTTPRoute', 'gateway.networking.k8s.io/v1')}spec: {rules: [{filters: [${filter}], backendRefs: [{name: a, port: 80}]}]}\n`;
    expect(judge(route('{type: URLRewrite, urlRewrite: {hostname: a.example.com}}'))).toEqual([]);
    expect(judge(route('{type: RequestRedirect, requestRedirect: {}}')).map(({ id }) => id)).toEqual(['EDGE003']);
  });

  it('pass where one side of an `or` names a field that is not there, and the other side holds', () => {
    const gateway = (tls: string): string =>
      `${head('Gateway', 'gateway.networking.k8s.io/v1')}spec: {gatewayClassName: istio, listeners: [{name: tls, port: 443, protocol: HTTPS, tls: {mode: Terminate${tls}}}]}\n`;
    expect(judge(gateway(', options: {gateway.istio.io/tls-terminate-mode: ISTIO_MUTUAL}'))).toEqual([]);
    expect(judge(gateway(', certificateRefs: [{name: web}]'))).toEqual([]);
    expect(judge(gateway('')).map(({ id }) => id)).toEqual(['EDGE003']);
  });

  it('know the formats of names', () => {
    const backend = (label: string): string =>
      `${head('XBackend', 'gateway.networking.x-k8s.io/v1alpha1')}spec: {type: EndpointSelector, endpointSelector: {matchLabels: {${label}: web}}, port: {number: 80}, protocol: HTTP}\n`;
    for (const label of ['app', 'app.kubernetes.io/name', 'A_b.c-d']) expect(judge(backend(label))).toEqual([]);
    for (const label of ['-app', 'a b', 'a/b/c', 'Example.com/name', 'x'.repeat(64)])
      expect(judge(backend(JSON.stringify(label))).map(({ id, field }) => `${id} ${field}`)).toEqual([
        'EDGE003 spec.endpointSelector.matchLabels',
      ]);
  });

  it('refuse nothing by a function that is not known here', () => {
    const refusals = (rule: string): readonly string[] => {
      const own: Schema = { type: 'object', properties: { size: { type: 'string' } }, 'x-kubernetes-validations': [{ rule, message: 'too large' }] }; // prettier-ignore
      return evaluateRules([{ schema: own, value: { size: '5Gi' }, field: ['spec'] }]).map(({ what }) => what);
    };
    expect(refusals("quantity(self.size).isLessThan(quantity('1Gi'))")).toEqual([]);
    expect(refusals('format.uuid().validate(self.size).hasValue()')).toEqual([]);
    expect(refusals('self.size.size() < 4')).toEqual([]);
    expect(refusals('self.size.size() < 2')).toEqual(['too large']);
  });
});

describe('a value as it is written', () => {
  it.each([
    ['no', 'no is a boolean, where a string belongs', 'Put it in quotes: "no".'],
    ['1.10', '1.10 is a number, where a string belongs', 'Put it in quotes: "1.10".'],
    ['0755', '0755 is a number, where a string belongs', 'Put it in quotes: "0755".'],
    ['5', '5 is a number, where a string belongs', 'Put it in quotes: "5".'],
  ])('is named, and advised to be quoted: %s', (value, what, fix) => {
    const [found] = judge(entry(`resolution: STATIC, endpoints: [{address: 203.0.113.4, labels: {team: ${value}}}]`));
    expect(found).toMatchObject({ id: 'EDGE002', what, fix });
    const list = judge(`{apiVersion: v1, kind: List, items: [${entry(`resolution: STATIC, endpoints: [{address: 203.0.113.4, labels: {team: ${value}}}]`).replace(/\n/g, ', ').replace('apiVersion', '{apiVersion').replace(/, $/, '}')}]}`); // prettier-ignore
    expect(list[0]).toMatchObject({ id: 'EDGE002', what, fix });
  });
});
