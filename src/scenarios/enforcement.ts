import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { DedicatedNodes } from '../egress/dedicated-nodes';
import { EgressAssurance } from '../egress/egress-assurance';
import { EgressGateway } from '../egress/egress-gateway';
import { EgressLockdown } from '../egress/egress-lockdown';
import { EgressTrafficPolicy } from '../egress/egress-traffic-policy';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { Workloads } from '../mesh/workloads';
import { ScenarioChart } from './scenario';

/** Document 001: what Istio can't force, forced by the network. */
export class Enforcement extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'enforcement', {
      title: 'Only the gateway leaves the cluster',
      shows:
        'NetworkPolicies that let the pods of `default` reach DNS, istiod, the mesh and the egress gateway, and let only the gateway leave. Ports are those of pods (8080, 8443), not of Services. Each policy states how sure it is, and what that does not hold, in its annotations.',
      outcomes: [
        {
          request: '`curl http://edition.cnn.com/` from `app: sleep`',
          seen: 'passes, by the gateway: the site sees its address',
        },
        {
          request: 'the same by a process that bypasses its sidecar (user 1337), or from a pod without one',
          seen: 'dropped by the network',
        },
        { request: 'the same from another pod of the gateway’s namespace', seen: 'dropped by the network' },
      ],
      needs: [
        'a network plugin that enforces NetworkPolicies',
        'nodes with the label `edge=egress` and the taint `edge=egress:NoSchedule`, and a NAT or firewall that lets only them out',
      ],
    });
    const nodes = DedicatedNodes.labeled({ edge: 'egress' });
    new k8s.KubeNamespace(this, 'EgressNamespace', { metadata: { name: 'istio-egress' } });
    const gateway = new EgressGateway(this, 'Egress', { name: 'egress', nodes });
    const cnn = new ExternalService(this, 'cnn', { hosts: ['edition.cnn.com'], ports: [ExternalPort.http()] });
    new EgressTrafficPolicy(this, 'Policy', {
      gateway,
      rules: [{ from: [Workloads.in('default', { app: 'sleep' })], to: [cnn] }],
    });
    new EgressLockdown(this, 'egress-lockdown', {
      gateway,
      namespaces: ['default'],
      assurance: EgressAssurance.dedicatedNodes(nodes, 'the NAT gateway of the subnet that holds nodes edge=egress'),
    });
  }
}
