import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import * as networking from '../../imports/networking.istio.io';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { isDnsLabel, namespaceProblems, objectNameProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { trafficPolicy, UpstreamSettings } from '../egress/upstream-settings';
import { Audience } from '../mesh/audience';
import { MeshObject } from '../mesh/mesh-object';
import { namesNamespaces } from '../mesh/namespace-names';
import { LoadBalancing } from './load-balancing';

/** What there is to say of the versions of a Service. */
export interface ServiceVersionsProps {
  /** The Service: its name in the same namespace, or its full name. */
  readonly host: string;

  /**
   * The labels of the Pods of each version, by the version's name.
   *
   * @default none
   */
  readonly versions?: { [name: string]: { [label: string]: string } };

  /**
   * How proxies deal with it: connections, and addresses that fail. What is about single requests is said by routes.
   *
   * @default Istio's own
   */
  readonly settings?: UpstreamSettings;

  /**
   * Which Pod gets the next request.
   *
   * @default Istio's own: that with fewer requests under way, of two picked by chance
   * @example
   * new ServiceVersions(this, 'Cart', { host: 'cart', loadBalancing: LoadBalancing.byHeader('x-session') });
   */
  readonly loadBalancing?: LoadBalancing;

  /**
   * Whether proxies use mutual TLS of the mesh in any case (`ISTIO_MUTUAL`). Pods that take none then get no request.
   *
   * @default Istio's own: wherever the Pod takes it
   */
  readonly alwaysMutualTls?: boolean;

  /**
   * Whose proxies see it.
   *
   * @default Istio's own: those of every namespace, unless the mesh says otherwise (`defaultDestinationRuleExportTo`)
   */
  readonly audience?: Audience;

  /**
   * Its namespace.
   *
   * @default the chart's namespace, else "default"
   */
  readonly namespace?: string;

  /**
   * Its name.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;

  /**
   * Labels and annotations of the DestinationRule.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * The versions of a Service that routes of Istio's own API tell apart, and how proxies deal with it. Renders one DestinationRule.
 *
 * @see https://istio.io/latest/docs/reference/config/networking/destination-rule/
 * @example
 * new ServiceVersions(this, 'Reviews', {
 *   host: 'reviews',
 *   versions: { v1: { version: 'v1' }, v2: { version: 'v2' } },
 * });
 */
export class ServiceVersions extends Construct {
  /** The rendered DestinationRule, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: ServiceVersionsProps) {
    super(scope, id);
    const { host, versions = {}, settings, audience } = props;
    const name = props.name ?? nameOfId(id);
    const namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    const subsets = Object.entries(versions).map(([version, labels]) => ({ name: version, labels: { ...labels } }));
    this.resource = new MeshObject<networking.DestinationRuleProps>(this, 'Resource', {
      ...networking.DestinationRule.GVK,
      metadata: objectMetadata({ name, namespace }, props.metadata),
      manifest: networking.DestinationRule.manifest,
      spec: () => ({
        spec: {
          host,
          trafficPolicy: policy(props),
          subsets: subsets.length ? subsets : undefined,
          exportTo: audience?._exportTo(namespace),
        },
      }),
    });
    refuseAtSynth(this, () => [
      ...objectNameProblems('name', name),
      ...namespaceProblems('namespace', props.namespace),
      ...(audience?._problems() ?? []),
      ...Object.keys(versions).filter((version) => !isDnsLabel(version)).map(badName), // prettier-ignore
      ...(props.loadBalancing?._problems() ?? []),
      ...requestSettings(settings),
    ]);
    namesNamespaces(this, () => audience?._named() ?? []);
  }
}

function policy(props: ServiceVersionsProps): networking.DestinationRuleSpecTrafficPolicy | undefined {
  const { settings, loadBalancing, alwaysMutualTls } = props;
  const own = trafficPolicy(settings);
  if (!loadBalancing && !alwaysMutualTls) return own;
  const { ISTIO_UNDERSCORE_MUTUAL: mode } = networking.DestinationRuleSpecTrafficPolicyTlsMode;
  const localityLbSetting = own?.loadBalancer?.localityLbSetting;
  return {
    ...own,
    ...(loadBalancing && { loadBalancer: { ...loadBalancing._spec(), localityLbSetting } }),
    tls: alwaysMutualTls ? { mode } : undefined,
  };
}

const badName = (version: string): Problem => ({
  what: `version ${quote(version)} is not a DNS label`,
  why: 'istiod refuses it',
  fix: 'use a-z, 0-9 and inner hyphens',
});

/** What a DestinationRule has no place for. */
function requestSettings(settings: UpstreamSettings | undefined): Problem[] {
  const { timeout, retries, rateLimit, fault, mirrors, requestHeaders, responseHeaders } = settings ?? {};
  return Object.entries({ timeout, retries, rateLimit, fault, mirrors, requestHeaders, responseHeaders })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => ({
      what: `settings.${name}, which is about single requests`,
      why: 'a DestinationRule says how proxies connect, and it would have no effect',
      fix: 'say it in a rule of a ClassicRoute',
    }));
}
