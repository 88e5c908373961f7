/** What proxies log, trace and measure. */
import { Chart, Duration, Testing } from 'cdk8s';
import { ProxySide, ProxyTelemetry, ProxyTelemetryProps, TraceTag } from '../../src/mesh/proxy-telemetry';
import { notAdmitted } from '../ingress/admitted';
import { problems, rendered } from '../ingress/synthesized';

const told = (props: ProxyTelemetryProps): Chart => {
  const chart = new Chart(Testing.app(), 'edge', { namespace: 'shop' });
  new ProxyTelemetry(chart, 'Edge', props);
  return chart;
};

it('renders logs, traces and metrics as Istio has them', () => {
  const chart = told({
    workloads: { app: 'web' },
    logs: [{ providers: ['envoy'], filter: 'response.code >= 400', side: ProxySide.SERVER }, { disabled: true }],
    traces: [
      {
        providers: ['otel'],
        samplingPercent: 0,
        disabled: false,
        tags: {
          team: TraceTag.literal('a'),
          user: TraceTag.header('x-user'),
          pod: TraceTag.environment('POD', 'none'),
        },
      },
    ],
    metrics: [
      {
        overrides: [
          { metric: 'REQUEST_COUNT', side: ProxySide.BOTH, tags: { host: 'request.host' }, removedTags: ['reporter'] },
          { metric: 'own', disabled: true },
          { disabled: false },
        ],
        reportingInterval: Duration.millis(1500),
      },
    ],
  });
  const [{ metadata, spec }] = rendered(chart, 'Telemetry');
  expect(metadata).toEqual({ name: 'edge', namespace: 'shop' });
  expect(spec).toEqual({
    selector: { matchLabels: { app: 'web' } },
    accessLogging: [
      { providers: [{ name: 'envoy' }], filter: { expression: 'response.code >= 400' }, match: { mode: 'SERVER' } },
      { disabled: true },
    ],
    tracing: [
      {
        providers: [{ name: 'otel' }],
        randomSamplingPercentage: 0,
        disableSpanReporting: false,
        customTags: {
          team: { literal: { value: 'a' } },
          user: { header: { name: 'x-user' } },
          pod: { environment: { name: 'POD', defaultValue: 'none' } },
        },
      },
    ],
    metrics: [
      {
        reportingInterval: '1500ms',
        overrides: [
          {
            match: { metric: 'REQUEST_COUNT', mode: 'CLIENT_AND_SERVER' },
            tagOverrides: { host: { value: 'request.host' }, reporter: { operation: 'REMOVE' } },
          },
          { match: { customMetric: 'own' }, disabled: true },
          { disabled: false },
        ],
      },
    ],
  });
  expect(problems(chart)).toBe('');
  expect(notAdmitted(chart, {})).toEqual([]);
});

it.each<[string, ProxyTelemetryProps, RegExp]>([
  ['nothing', {}, /says nothing of logs, traces or metrics/],
  ['a provider without a name', { logs: [{ providers: [''] }] }, /a provider without a name/],
  ['more requests than there are', { traces: [{ samplingPercent: 101 }] }, /samplingPercent 101/],
  ['a tag of nothing', { metrics: [{ overrides: [{ tags: { host: '' } }] }] }, /tag "host" has no expression/],
])('refuses %s', (_what, props, expected) => {
  expect(problems(told(props))).toMatch(expected);
});
