import { ApiObject, ApiObjectMetadata } from 'cdk8s';
import { Construct } from 'constructs';
import * as networking from '../../imports/networking.istio.io';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { MeshObject } from './mesh-object';
import type { SidecarListener } from './sidecar-scope';

/** What a Sidecar is made of, for those constructs that render one. */
interface SidecarObjectProps {
  readonly name?: string;
  readonly namespace: string;
  readonly metadata?: ApiObjectMetadata;
  readonly workloads: { [key: string]: string };
  readonly hosts?: string[];
  readonly mode?: string;
  readonly listeners?: readonly SidecarListener[];
}

/** The Sidecar that a construct renders, named by the construct's id unless a name is given. */
export function sidecarObject(owner: Construct, props: SidecarObjectProps): ApiObject {
  const { name, namespace, metadata, workloads, hosts, listeners = [] } = props;
  const mode = props.mode as networking.SidecarSpecOutboundTrafficPolicyMode | undefined;
  return new MeshObject(owner, 'Resource', {
    ...networking.Sidecar.GVK,
    metadata: objectMetadata({ name: name ?? nameOfId(owner.node.id), namespace }, metadata),
    manifest: networking.Sidecar.manifest,
    spec: () => ({
      spec: {
        workloadSelector: Object.keys(workloads).length > 0 ? { labels: workloads } : undefined,
        egress:
          hosts || listeners.length
            ? [...listeners.map(listenerSpec), ...(hosts ? [{ hosts: [...hosts] }] : [])]
            : undefined,
        outboundTrafficPolicy: mode && { mode },
      },
    }),
  });
}

function listenerSpec({
  port,
  protocol = 'TCP',
  name,
  bind,
  capture,
  hosts,
}: SidecarListener): networking.SidecarSpecEgress {
  return {
    port: { number: port, protocol, name },
    bind,
    captureMode: capture as string as networking.SidecarSpecEgressCaptureMode | undefined,
    hosts: [...hosts],
  };
}
