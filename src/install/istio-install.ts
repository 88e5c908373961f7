import { Construct } from 'constructs';
import { toYaml } from '../core/yaml';
import { OutputFile } from '../app/output-file';
import { objectNameProblems } from '../core/names';
import { refuseAtSynth } from '../core/problem';
import { DedicatedNodes } from '../egress/dedicated-nodes';
import { DirectAccess } from '../egress/direct-access';
import { AccessLogFormat } from '../mesh/access-log';
import { ExternalAuthorizer } from '../mesh/external-authorizer';
import { joinMesh } from '../mesh/mesh-boundary';
import { OutboundMode } from '../mesh/outbound-traffic-policy';

/** A gateway that istioctl or Helm installs. */
export interface InstalledGateway {
  /** The name of its Deployment and Service. */
  readonly name: string;

  /**
   * The namespace that it runs in.
   *
   * @default "istio-system"
   */
  readonly namespace?: string;

  /**
   * The value of its label `istio`, by which Gateways select it.
   *
   * @default the name, without a leading "istio-"
   */
  readonly istioLabel?: string;

  /**
   * The nodes that it alone runs on.
   *
   * @default any node
   */
  readonly nodes?: DedicatedNodes;
}

/** What of Istio's installation matters at the edge. */
export interface IstioInstallProps {
  /**
   * The profile that is built upon.
   *
   * @default "minimal": the control plane, and no gateway of its own
   */
  readonly profile?: string;

  /**
   * What sidecars do with traffic to hosts that nobody registered, mesh-wide.
   *
   * @default Istio's own default, ALLOW_ANY
   */
  readonly outboundTrafficPolicy?: OutboundMode;

  /**
   * Egress gateways to install.
   *
   * @default none
   */
  readonly egressGateways?: InstalledGateway[];

  /**
   * Which addresses sidecars leave alone, mesh-wide. Pods get it when they are next injected.
   *
   * @default none
   */
  readonly directAccess?: DirectAccess;

  /**
   * Formats of access logs that `AccessLog` may then ask for.
   *
   * @default none
   */
  readonly accessLogs?: AccessLogFormat[];

  /**
   * Services that an AuthorizationPolicy may ask (`AuthorizationAction.custom`).
   *
   * @default none
   */
  readonly externalAuthorizers?: ExternalAuthorizer[];
}

/**
 * Install input for Istio: an overlay for istioctl (IstioOperator) and values for its Helm charts, with the same settings. They are
 * written beside the manifests, as files, because no API server takes them. Values end in `.values`, not in `.yaml`, so that kubectl,
 * istioctl and GitOps tools that read a whole folder pass over what is no Kubernetes object.
 *
 * `istioctl install -f install/istio-operator.yaml`, or
 * `helm upgrade istiod istio/istiod -n istio-system -f install/helm-istiod.values`.
 *
 * @see https://istio.io/latest/docs/setup/additional-setup/customize-installation/
 * @example
 * new IstioInstall(this, 'Install', {
 *   outboundTrafficPolicy: OutboundMode.REGISTRY_ONLY,
 *   egressGateways: [{ name: 'istio-egressgateway' }],
 * });
 */
export class IstioInstall extends Construct {
  /** @internal */
  public readonly _providers: readonly string[];

  public constructor(scope: Construct, id: string, props: IstioInstallProps) {
    super(scope, id);
    this._providers = providers(props).map(({ name }) => String(name));
    const file = (path: string, head: string, content: unknown) =>
      new OutputFile(this, path, { path: `install/${path}`, content: `# ${head}\n${toYaml(content)}` });
    file('istio-operator.yaml', 'istioctl install -f istio-operator.yaml', operator(props));
    file(
      'helm-istiod.values',
      'helm upgrade --install istiod istio/istiod -n istio-system -f helm-istiod.values',
      istiodValues(props),
    );
    for (const gateway of props.egressGateways ?? []) {
      const ns = gateway.namespace ?? 'istio-system';
      file(
        `helm-${gateway.name}.values`,
        `helm upgrade --install ${gateway.name} istio/gateway -n ${ns} -f helm-${gateway.name}.values`,
        gatewayValues(gateway),
      );
    }
    refuseAtSynth(this, () =>
      (props.egressGateways ?? []).flatMap((gateway) => objectNameProblems('name of a gateway', gateway.name)),
    );
    joinMesh<IstioInstall>('IstioInstall', this, () => []);
  }
}

function meshConfig(props: IstioInstallProps): Record<string, unknown> | undefined {
  const config = {
    ...(props.outboundTrafficPolicy && { outboundTrafficPolicy: { mode: props.outboundTrafficPolicy } }),
    ...(providers(props).length && { extensionProviders: providers(props) }),
  };
  return Object.keys(config).length ? config : undefined;
}

function providers({
  accessLogs = [],
  externalAuthorizers = [],
}: IstioInstallProps): Array<{ [key: string]: unknown }> {
  return [...accessLogs.filter((one) => !one._isInstalled), ...externalAuthorizers].map((one) => one._provider());
}

function operator(props: IstioInstallProps): unknown {
  const config = meshConfig(props);
  const gateways = (props.egressGateways ?? []).map((gateway) => ({
    name: gateway.name,
    ...(gateway.namespace && { namespace: gateway.namespace }),
    enabled: true,
    label: { istio: istioLabel(gateway) },
    ...(gateway.nodes && { k8s: scheduling(gateway.nodes) }),
  }));
  return {
    apiVersion: 'install.istio.io/v1alpha1',
    kind: 'IstioOperator',
    metadata: { name: 'mesh-edge', namespace: 'istio-system' },
    spec: {
      profile: props.profile ?? 'minimal',
      ...(config && { meshConfig: config }),
      ...(gateways.length && { components: { egressGateways: gateways } }),
      ...(props.directAccess && { values: { global: { proxy: props.directAccess._installValues() } } }),
    },
  };
}

function istiodValues(props: IstioInstallProps): Record<string, unknown> {
  const config = meshConfig(props);
  return {
    ...(config && { meshConfig: config }),
    ...(props.directAccess && { global: { proxy: props.directAccess._installValues() } }),
  };
}

function gatewayValues(gateway: InstalledGateway): unknown {
  return {
    name: gateway.name,
    labels: { app: gateway.name, istio: istioLabel(gateway) },
    // The chart's default is a LoadBalancer, which would open the way out to whoever reaches its address.
    service: {
      type: 'ClusterIP',
      ports: [
        { name: 'http2', port: 80, protocol: 'TCP', targetPort: 8080 },
        { name: 'https', port: 443, protocol: 'TCP', targetPort: 8443 },
      ],
    },
    autoscaling: { enabled: true, minReplicas: 2, maxReplicas: 5 },
    podDisruptionBudget: { minAvailable: 1 },
    ...(gateway.nodes && scheduling(gateway.nodes)),
  };
}

function istioLabel(gateway: InstalledGateway): string {
  return gateway.istioLabel ?? gateway.name.replace(/^istio-/, '');
}

function scheduling(nodes: DedicatedNodes): Record<string, unknown> {
  return {
    nodeSelector: { ...nodes.labels },
    tolerations: Object.entries(nodes.taints).map(([key, value]) => ({ key, operator: 'Equal', value })),
  };
}
