import { COMPONENTS, COMPONENT_NAMES } from '../../model/releases';
import type { Rule } from '../rule';

const OPTIONS = { istio: '--istio-version', gatewayApi: '--gateway-api-version', envoyGateway: '--envoy-gateway-version', kubernetes: '--kubernetes-version' } as const; // prettier-ignore

export const rule: Rule = {
  id: 'EDGE031',
  name: 'releases-disagree',
  severity: 'info',
  title: 'The manifests show several releases of one component',
  why: 'While a control plane is upgraded, its old and new release read the same objects, which have to be right for both. Where the mesh configuration of each revision is shown, Pods are judged by the one that serves them, and objects by the CRDs of the newest; else all by the oldest.',
  fix: 'Say which release to judge by, or check once for each of them.',
  see: 'https://istio.io/latest/docs/setup/upgrade/canary/',
  reads: [],
  footguns: [],
  *check({ releases }) {
    for (const component of COMPONENT_NAMES) {
      const { stated, shownBy, others } = releases[component];
      const { title } = COMPONENTS[component];
      for (const other of others) {
        const by =
          shownBy === null ? '' : ` by ${shownBy.kind} ${[shownBy.namespace, shownBy.name].filter(Boolean).join('/')}`;
        yield {
          manifest: other.manifest,
          field: [],
          what: `${title} is ${other.stated} here, and ${stated}${by}`,
          fix: `Say which one to judge by, with ${OPTIONS[component]}, or check once for each of them.`,
        };
      }
    }
  },
};
