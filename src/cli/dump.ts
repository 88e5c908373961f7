/** `mesh-edge dump`: the command that fetches from a cluster what the other commands read, and nothing secret. */
import type { Command } from 'commander';
import { OK } from './exit';

/** Groups whose kinds all decide about traffic, and hold no secret. */
const GROUPS = [
  'networking.istio.io',
  'security.istio.io',
  'telemetry.istio.io',
  'extensions.istio.io',
  'install.istio.io',
  'sailoperator.io',
  'gateway.networking.k8s.io',
  'gateway.networking.x-k8s.io',
  'gateway.envoyproxy.io',
  'discovery.k8s.io',
];

/** Of groups that hold more: just these. ConfigMaps may hold anything, so only those that configure the mesh are asked for, by name. */
const KINDS = [
  'namespaces',
  'services',
  'pods',
  'serviceaccounts',
  'replicationcontrollers',
  'deployments.apps',
  'statefulsets.apps',
  'daemonsets.apps',
  'replicasets.apps',
  'jobs.batch',
  'cronjobs.batch',
  'horizontalpodautoscalers.autoscaling',
  'poddisruptionbudgets.policy',
  'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'networkpolicies.networking.k8s.io',
  'ingresses.networking.k8s.io',
  'ingressclasses.networking.k8s.io',
  'rollouts.argoproj.io',
];

/** Policies of network plugins, whose groups hold an object for each Pod besides. */
const POLICIES =
  '[a-z]*policies\\.(cilium\\.io|(crd\\.)?projectcalico\\.org|crd\\.antrea\\.io|policy\\.networking\\.k8s\\.io)';

/** One line for a POSIX shell. Kinds that the cluster does not serve are left out, since kubectl refuses a list with one of them. */
export function dumpCommand(istio: string, envoyGateway: string): string {
  const escaped = (name: string): string => name.replaceAll('.', '\\.');
  const kinds = `^(${KINDS.map(escaped).join('|')}|[a-z0-9]+\\.(${GROUPS.map(escaped).join('|')})|${POLICIES})$`;
  const served = `kubectl api-resources --verbs=list -o name | grep -E '${kinds}' | sort -u | paste -sd, -`;
  const settings = (namespace: string, ...names: string[]): string =>
    `echo ---; kubectl get configmap ${names.join(' ')} -n ${namespace} --ignore-not-found -o yaml`;
  // Each revision of istiod has ConfigMaps of its own, and so has the injector, which knows what iptables are told.
  const ofRevisions = `$(kubectl get configmap -n ${istio} -l istio.io/rev -o name | cut -d/ -f2 | grep -E '^istio-')`;
  return [
    `kubectl get "$(${served})" -A -o yaml`,
    settings(istio, 'istio', ofRevisions),
    settings(envoyGateway, 'envoy-gateway-config'),
  ].join('; ');
}

export function register(program: Command): void {
  program
    .command('dump')
    .description('print the command that fetches from a cluster what check, trace and diff read, and no Secret')
    .option('--root-namespace <namespace>', 'where istiod runs', 'istio-system')
    .option('--envoy-gateway-namespace <namespace>', "where Envoy Gateway's controller runs", 'envoy-gateway-system')
    .action((flags: { readonly rootNamespace: string; readonly envoyGatewayNamespace: string }) => {
      process.stdout.write(`${dumpCommand(flags.rootNamespace, flags.envoyGatewayNamespace)}\n`);
      process.exitCode = OK;
    });
}
