import { ApiObject, ApiObjectMetadata, Chart, Duration } from 'cdk8s';
import { Construct } from 'constructs';
import * as telemetry from '../../imports/telemetry.istio.io';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { istioDuration } from './istio-duration';
import { MeshObject } from './mesh-object';
import { namesNamespaces } from './namespace-names';

/** Which end of a request a proxy is. */
export enum ProxySide {
  /** Proxies of whoever calls, and gateways for what they send on. */
  CLIENT = 'CLIENT',

  /** Proxies of whoever is called. */
  SERVER = 'SERVER',

  /** Proxies of both ends. */
  BOTH = 'CLIENT_AND_SERVER',
}

/** Access logs that proxies write. */
export interface TelemetryLogs {
  /**
   * Who takes them: names under `extensionProviders` of the mesh configuration, or "envoy", which every mesh has.
   *
   * @default those of the mesh's defaults
   */
  readonly providers?: string[];

  /**
   * Which requests are logged, in CEL, such as "response.code >= 400".
   *
   * @default all
   */
  readonly filter?: string;

  /**
   * Whether nothing is logged.
   *
   * @default false
   */
  readonly disabled?: boolean;

  /**
   * Whose proxies log.
   *
   * @default both sides
   */
  readonly side?: ProxySide;
}

/** Where the value of a tag of a span comes from. */
export class TraceTag {
  /**
   * Always the same.
   *
   * @param value the value
   */
  public static literal(value: string): TraceTag {
    return new TraceTag({ literal: { value } });
  }

  /**
   * A header of the request.
   *
   * @param name the header
   * @param defaultValue what is said where it is missing; left out, the tag is not there then
   */
  public static header(name: string, defaultValue?: string): TraceTag {
    return new TraceTag({ header: { name, defaultValue } });
  }

  /**
   * A variable in the environment of the proxy.
   *
   * @param name the variable
   * @param defaultValue what is said where it is missing; left out, the tag is not there then
   */
  public static environment(name: string, defaultValue?: string): TraceTag {
    return new TraceTag({ environment: { name, defaultValue } });
  }

  private constructor(
    /** @internal */
    public readonly _spec: telemetry.TelemetrySpecTracingCustomTags,
  ) {}
}

/** Traces that proxies report. */
export interface TelemetryTraces {
  /**
   * Who takes them: a name under `extensionProviders` of the mesh configuration. Istio reads the first alone.
   *
   * @default that of the mesh's defaults
   */
  readonly providers?: string[];

  /**
   * How many of a hundred requests are traced, where nobody upstream has decided: 0 to 100.
   *
   * @default what the mesh says, else 1
   */
  readonly samplingPercent?: number;

  /**
   * Whether no spans are reported. Headers of traces go on.
   *
   * @default false
   */
  readonly disabled?: boolean;

  /**
   * Tags of each span, by name.
   *
   * @default Istio's own
   */
  readonly tags?: { [name: string]: TraceTag };

  /**
   * Whose proxies report.
   *
   * @default both sides
   */
  readonly side?: ProxySide;
}

/** What is otherwise than usual with one metric, or with all. */
export interface MetricOverride {
  /**
   * Which: one of Istio's (REQUEST_COUNT, REQUEST_DURATION, TCP_SENT_BYTES and so on), or the name of another.
   *
   * @default all of them
   */
  readonly metric?: string;

  /**
   * Whose proxies it is about.
   *
   * @default both sides
   */
  readonly side?: ProxySide;

  /**
   * Whether it is not reported.
   *
   * @default false
   */
  readonly disabled?: boolean;

  /**
   * Tags that it has more, or that have another value: by name, each an expression in CEL ("request.host", "'constant'").
   *
   * @default none
   */
  readonly tags?: { [name: string]: string };

  /**
   * Tags that it has not.
   *
   * @default none
   */
  readonly removedTags?: string[];
}

/** Metrics that proxies report. */
export interface TelemetryMetrics {
  /**
   * Who takes them: "prometheus", or a name under `extensionProviders` of the mesh configuration.
   *
   * @default those of the mesh's defaults
   */
  readonly providers?: string[];

  /**
   * What is otherwise than usual. Later ones outweigh earlier ones.
   *
   * @default nothing
   */
  readonly overrides?: MetricOverride[];

  /**
   * How often metrics of TCP are reported, a millisecond at least.
   *
   * @default Istio's: 5 seconds
   */
  readonly reportingInterval?: Duration;
}

/** For whom, and what. */
export interface ProxyTelemetryProps {
  /**
   * Which requests are logged. Where logs of one provider are all there is, `AccessLog` says it shorter, and can bring the format.
   *
   * @default what the mesh's defaults say
   */
  readonly logs?: TelemetryLogs[];

  /**
   * Which requests are traced, and how. Istio reads the first alone.
   *
   * @default what the mesh's defaults say
   */
  readonly traces?: TelemetryTraces[];

  /**
   * Which metrics there are, and their tags.
   *
   * @default what the mesh's defaults say
   */
  readonly metrics?: TelemetryMetrics[];

  /**
   * The namespace that it is for. The mesh's root namespace makes it the default of all.
   *
   * @default the chart's namespace, else "default"
   */
  readonly namespace?: string;

  /**
   * The workloads that it is for, by their labels.
   *
   * @default all of the namespace
   */
  readonly workloads?: { [key: string]: string };

  /**
   * The name of the Telemetry object.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;

  /**
   * Labels and annotations of the object.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * What proxies log, trace and measure. Renders one Telemetry object. It changes nothing about which requests pass.
 *
 * @see https://istio.io/latest/docs/reference/config/telemetry/
 * @example
 * new ProxyTelemetry(this, 'Edge', {
 *   namespace: 'istio-egress',
 *   traces: [{ providers: ['otel'], samplingPercent: 10, tags: { team: TraceTag.literal('edge') } }],
 *   metrics: [{ providers: ['prometheus'], overrides: [{ metric: 'REQUEST_COUNT', tags: { host: 'request.host' } }] }],
 * });
 */
export class ProxyTelemetry extends Construct {
  /** The rendered Telemetry, to patch. */
  public readonly telemetry: ApiObject;

  public constructor(scope: Construct, id: string, props: ProxyTelemetryProps) {
    super(scope, id);
    const namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    const selects = Object.keys(props.workloads ?? {}).length > 0;
    this.telemetry = new MeshObject(this, 'Resource', {
      ...telemetry.Telemetry.GVK,
      metadata: objectMetadata({ name: props.name ?? nameOfId(id), namespace }, props.metadata),
      manifest: telemetry.Telemetry.manifest,
      spec: () => ({
        spec: {
          selector: selects ? { matchLabels: { ...props.workloads } } : undefined,
          accessLogging: props.logs?.map(logsSpec),
          tracing: props.traces?.map(tracesSpec),
          metrics: props.metrics?.map(metricsSpec),
        },
      }),
    });
    refuseAtSynth(this, () => [
      ...objectNameProblems('name', props.name),
      ...namespaceProblems('namespace', props.namespace),
      ...problemsOf(props),
    ]);
    if (props.namespace !== undefined) namesNamespaces(this, () => [{ where: '`namespace`', name: namespace }]);
  }
}

const named = (providers: readonly string[] | undefined): Array<{ name: string }> | undefined =>
  providers?.map((name) => ({ name }));

function logsSpec({ providers, filter, disabled, side }: TelemetryLogs): telemetry.TelemetrySpecAccessLogging {
  return {
    providers: named(providers),
    filter: filter === undefined ? undefined : { expression: filter },
    disabled,
    match: side && { mode: side as string as telemetry.TelemetrySpecAccessLoggingMatchMode },
  };
}

function tracesSpec({ tags, ...traces }: TelemetryTraces): telemetry.TelemetrySpecTracing {
  const own = Object.entries(tags ?? {}).map(([name, tag]) => [name, tag._spec] as const);
  return {
    providers: named(traces.providers),
    randomSamplingPercentage: traces.samplingPercent,
    disableSpanReporting: traces.disabled,
    customTags: own.length ? Object.fromEntries(own) : undefined,
    match: traces.side && { mode: traces.side as string as telemetry.TelemetrySpecTracingMatchMode },
  };
}

function metricsSpec({ providers, overrides, reportingInterval }: TelemetryMetrics): telemetry.TelemetrySpecMetrics {
  return {
    providers: named(providers),
    overrides: overrides?.map(overrideSpec),
    reportingInterval: istioDuration(reportingInterval),
  };
}

function overrideSpec(one: MetricOverride): telemetry.TelemetrySpecMetricsOverrides {
  const tags = [
    ...Object.entries(one.tags ?? {}).map(([name, value]) => [name, { value }] as const),
    ...(one.removedTags ?? []).map((name) => [name, { operation: REMOVE }] as const),
  ];
  const isStandard = one.metric !== undefined && STANDARD.has(one.metric);
  const match = {
    metric: isStandard ? (one.metric as telemetry.TelemetrySpecMetricsOverridesMatchMetric) : undefined,
    customMetric: isStandard ? undefined : one.metric,
    mode: one.side as string as telemetry.TelemetrySpecMetricsOverridesMatchMode | undefined,
  };
  return {
    match: one.metric === undefined && one.side === undefined ? undefined : match,
    disabled: one.disabled,
    tagOverrides: tags.length ? Object.fromEntries(tags) : undefined,
  };
}

const REMOVE = telemetry.TelemetrySpecMetricsOverridesTagOverridesOperation.REMOVE;
const STANDARD: ReadonlySet<string> = new Set(Object.values(telemetry.TelemetrySpecMetricsOverridesMatchMetric));

function problemsOf({ logs = [], traces = [], metrics = [] }: ProxyTelemetryProps): Problem[] {
  const problems: Problem[] = [];
  if (logs.length + traces.length + metrics.length === 0)
    problems.push({
      what: 'says nothing of logs, traces or metrics',
      why: 'Istio takes such an object, and it changes nothing',
      fix: 'give `logs`, `traces` or `metrics`, or leave the construct out',
    });
  if ([...logs, ...traces, ...metrics].some(({ providers = [] }) => providers.includes('')))
    problems.push({
      what: 'a provider without a name',
      why: 'Istio refuses the object',
      fix: 'name one of `extensionProviders` of the mesh configuration',
    });
  for (const { samplingPercent = 0 } of traces)
    if (!(samplingPercent >= 0 && samplingPercent <= 100))
      problems.push({
        what: `samplingPercent ${quote(samplingPercent)}`,
        why: 'Istio takes 0 to 100',
        fix: 'say how many of a hundred requests are traced',
      });
  for (const [name, value] of metrics.flatMap(({ overrides = [] }) =>
    overrides.flatMap((one) => Object.entries(one.tags ?? {})),
  ))
    if (value === '')
      problems.push({
        what: `tag ${quote(name)} has no expression`,
        why: 'Istio refuses the object',
        fix: 'give an expression in CEL, or name it in `removedTags`',
      });
  return problems;
}
