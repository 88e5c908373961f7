import type { Manifest } from '../../model/manifest';
import type { CheckContext } from '../context';
import { MESH, gatewaysByName, nameOf, ruleMatches, selects, virtualServices, fullHost } from '../edge';
import type { Rule } from '../rule';
import { isGatewayPod, podTemplates, podsWith, servicesAskingFor } from '../workloads';

export const rule: Rule = {
  id: 'EDGE601',
  name: 'gateway-selects-nothing',
  severity: 'error',
  title: 'A Gateway selects no pods',
  why: 'The configuration of a Gateway goes to the pods that its selector names. If there are none, it goes nowhere.',
  fix: "Write labels of the gateway's pods into the selector.",
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0101/',
  reads: ['Gateway'],
  footguns: ['W01'],
  *check(context) {
    const pods = context.index(podTemplates);
    const gatewayPods = pods.filter(isGatewayPod);
    const installed = context.mesh.workloads.all.filter(({ membership }) => membership === 'gateway');
    for (const { manifest, spec } of context.index(gatewaysByName).values()) {
      const selector = spec.selector ?? {};
      if (Object.keys(selector).length === 0) continue;
      if (podsWith(context, selector).length > 0 || installed.some(({ labels }) => selects(selector, labels))) continue;
      if (servicesAskingFor(context, selector).length > 0) continue;
      // Pods of a gateway that nobody shows may be anywhere; a selector that misses by a letter those that are shown is a slip.
      const near = gatewayPods.find(({ labels }) =>
        Object.entries(selector).some(([key, value]) => key in labels || Object.values(labels).includes(value)),
      );
      const meant = podsBehind(context, `${manifest.namespace}/${manifest.name}`)[0];
      yield {
        manifest,
        field: ['spec', 'selector'],
        severity: meant ? 'error' : near === undefined ? 'info' : isInstallers(selector) ? 'warning' : 'error',
        what: `no pods have the labels ${labelsOf(selector)}${
          near
            ? `; ${nameOf(near.manifest)} has ${labelsLike(selector, near.labels)}`
            : meant
              ? `; its routes are for what is sent to ${nameOf(meant.service)}, whose pods have ${labelsOf(meant.labels)}`
              : ' among the manifests'
        }`,
      };
    }
  },
};

/** Labels of the gateways that Istio's own installers make: another repository may have installed that one. */
function isInstallers(selector: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(
    ([key, value]) => (key === 'istio' || key === 'app') && /^(istio-)?(ingress|egress)(gateway)?$/.test(value),
  );
}

/** The labels of pods that have a key or a value of the selector's. */
function labelsLike(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): string {
  const values = Object.values(selector);
  return labelsOf(
    Object.fromEntries(Object.entries(labels).filter(([key, value]) => key in selector || values.includes(value))),
  );
}

const labelsOf = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');

/** Pods of gateways to which a VirtualService sends what it then routes on this Gateway: the ones that it is meant for. */
function podsBehind(
  context: CheckContext,
  gateway: string,
): readonly { readonly service: Manifest; readonly labels: Readonly<Record<string, string>> }[] {
  return context
    .index(virtualServices)
    .filter(({ gateways }) => gateways.includes(gateway) && gateways.includes(MESH))
    .flatMap((view) =>
      ruleMatches(view)
        .filter(({ gateways }) => gateways.includes(MESH))
        .flatMap(({ kind, rule: at }) => view.spec[kind]?.[at]?.route ?? [])
        .flatMap(({ destination }) => [
          ...context.mesh.services.named(fullHost(context, destination?.host ?? '', view.manifest.namespace)).values(),
        ]),
    )
    .flatMap(({ config, namespace, selector, assumed }) =>
      assumed
        ? []
        : context.mesh.workloads
            .selected(namespace, selector)
            .filter(({ membership, manifest }) => membership === 'gateway' && manifest !== undefined)
            .map(({ labels }) => ({ service: config.manifest, labels })),
    );
}
