import { ApiObject, ApiObjectMetadata } from 'cdk8s';
import { Construct } from 'constructs';
import * as telemetry from '../../imports/telemetry.istio.io';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { namespaceProblems } from '../core/names';
import { refuseAtSynth } from '../core/problem';
import { MeshObject } from './mesh-object';
import { namesNamespaces } from './namespace-names';

/** A field of an access log and Envoy's operator for it. */
const FIELDS: ReadonlyArray<readonly [string, string]> = [
  ['start_time', '%START_TIME%'],
  ['method', '%REQ(:METHOD)%'],
  ['path', '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%'],
  ['protocol', '%PROTOCOL%'],
  ['response_code', '%RESPONSE_CODE%'],
  ['response_flags', '%RESPONSE_FLAGS%'],
  ['response_code_details', '%RESPONSE_CODE_DETAILS%'],
  ['connection_termination_details', '%CONNECTION_TERMINATION_DETAILS%'],
  ['upstream_transport_failure_reason', '%UPSTREAM_TRANSPORT_FAILURE_REASON%'],
  ['bytes_received', '%BYTES_RECEIVED%'],
  ['bytes_sent', '%BYTES_SENT%'],
  ['duration', '%DURATION%'],
  ['upstream_service_time', '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%'],
  ['x_forwarded_for', '%REQ(X-FORWARDED-FOR)%'],
  ['user_agent', '%REQ(USER-AGENT)%'],
  ['request_id', '%REQ(X-REQUEST-ID)%'],
  ['authority', '%REQ(:AUTHORITY)%'],
  ['upstream_host', '%UPSTREAM_HOST%'],
  ['upstream_cluster', '%UPSTREAM_CLUSTER_RAW%'],
  ['upstream_local_address', '%UPSTREAM_LOCAL_ADDRESS%'],
  ['downstream_local_address', '%DOWNSTREAM_LOCAL_ADDRESS%'],
  ['downstream_remote_address', '%DOWNSTREAM_REMOTE_ADDRESS%'],
  ['requested_server_name', '%REQUESTED_SERVER_NAME%'],
  ['route_name', '%ROUTE_NAME%'],
  ['trace_id', '%TRACE_ID%'],
  ['istio_policy_status', '%DYNAMIC_METADATA(istio.mixer:status)%'],
];

/** How a line of the access log looks. */
export class AccessLogFormat {
  /** JSON, a field each for all that tells where a request went, and why. */
  public static json(): AccessLogFormat {
    return new AccessLogFormat('access-log-json', true, '');
  }

  /**
   * A line of text for each request.
   *
   * @param line Envoy's format of a line; left out, Istio's own text format with the same facts
   */
  public static text(line?: string): AccessLogFormat {
    return new AccessLogFormat('access-log-text', false, line ?? '');
  }

  /**
   * What a provider writes that the mesh configuration has already, by whomever. `IstioInstall` adds nothing for it.
   *
   * @param provider its name under `extensionProviders`, or "envoy", which every mesh has
   */
  public static installed(provider: string): AccessLogFormat {
    return new AccessLogFormat(provider, false, '', true);
  }

  private constructor(
    /** The name of the extension provider that writes it. */
    public readonly provider: string,
    private readonly isJson: boolean,
    private readonly line: string,
    /** @internal */
    public readonly _isInstalled: boolean = false,
  ) {}

  /**
   * The provider's entry in the mesh configuration (`extensionProviders`).
   *
   * @internal
   */
  public _provider(): { [key: string]: unknown } {
    const text = this.line === '' || this.line.endsWith('\n') ? this.line : `${this.line}\n`;
    const logFormat = this.isJson ? { labels: Object.fromEntries(FIELDS) } : text === '' ? undefined : { text };
    return { name: this.provider, envoyFileAccessLog: { path: '/dev/stdout', ...(logFormat && { logFormat }) } };
  }
}

/** For whom, and how. */
export interface AccessLogProps {
  /** How a line looks. Its provider must be in the mesh configuration: give the format to `IstioInstall` too. */
  readonly format: AccessLogFormat;

  /**
   * The namespace that it is for. The mesh's root namespace makes it the default of all.
   *
   * @default "istio-system": the whole mesh
   */
  readonly namespace?: string;

  /**
   * The workloads that it is for, by their labels.
   *
   * @default all
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
 * Has proxies log each request and connection, with what an audit of the edge needs: cluster, SNI, flags. Renders a Telemetry object.
 *
 * @see https://istio.io/latest/docs/tasks/observability/logs/telemetry-api/
 * @example
 * const format = AccessLogFormat.json();
 * new IstioInstall(this, 'Install', { accessLogs: [format] });
 * new AccessLog(this, 'Mesh', { format });
 */
export class AccessLog extends Construct {
  /** The rendered Telemetry, to patch. */
  public readonly telemetry: ApiObject;

  public constructor(scope: Construct, id: string, props: AccessLogProps) {
    super(scope, id);
    const selects = Object.keys(props.workloads ?? {}).length > 0;
    this.telemetry = new MeshObject(this, 'Resource', {
      ...telemetry.Telemetry.GVK,
      metadata: objectMetadata(
        { name: props.name ?? nameOfId(id), namespace: props.namespace ?? 'istio-system' },
        props.metadata,
      ),
      manifest: telemetry.Telemetry.manifest,
      spec: () => ({
        spec: {
          selector: selects ? { matchLabels: { ...props.workloads } } : undefined,
          accessLogging: [{ providers: [{ name: props.format.provider }] }],
        },
      }),
    });
    refuseAtSynth(this, () => namespaceProblems('namespace', props.namespace));
    const { namespace } = props;
    if (namespace !== undefined) namesNamespaces(this, () => [{ where: '`namespace`', name: namespace }]);
  }
}
