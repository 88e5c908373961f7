import type { Against, Unattached } from '../../model/attachments';
import { ruleFaults } from '../../model/envoy-gateway-rules';
import type { ApiRoute } from '../../model/gateway-api';
import { refusedByIstio } from '../../model/gateway-api-refused';
import { sortOf } from '../../model/listener-problems';
import type { Manifest } from '../../model/manifest';
import type { Mesh } from '../../model/mesh';
import { againstText, listenerProblemWords, unattachedText } from '../../trace/words/listener-problems';
import { whyUnattached } from '../../trace/unattached';
import { refusedRuleWords, ruleProblemWords } from '../../trace/words/rule-problems';
import { asSentence } from '../../trace/words/words';
import { nameOf } from '../edge';
import { GATEWAY_API, ROUTE_KINDS, type Reference, routeSpec } from '../gateway-api';
import type { Hit, Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE801',
  name: 'route-not-attached',
  severity: 'error',
  title: 'A route attaches to no listener of its Gateway',
  why: 'A route counts on listeners that exist, admit its namespace and kind, and share a hostname with it. On any other the requests get 404.',
  fix: "Make the route's parentRef, namespace, kind and hostnames fit a listener.",
  see: 'https://gateway-api.sigs.k8s.io/api-types/httproute/',
  reads: [...ROUTE_KINDS],
  findsAbsence: true,
  footguns: ['G01', 'G02', 'G09'],
  *check(context) {
    const { mesh } = context;
    for (const unattached of mesh.gatewayApi.unattached) {
      const { route, index } = unattached;
      const verdict = unattached.parent === undefined ? elsewhere(unattached, context.of(GATEWAY_API, 'Gateway')) : judge(unattached, mesh); // prettier-ignore
      if (verdict === undefined) continue;
      const { part, ...hit } = verdict;
      yield {
        manifest: route.config.manifest,
        field: ['spec', 'parentRefs', index, ...(part === undefined ? [] : [part])],
        ...(unattached.parent === undefined ? {} : { beside: [unattached.parent.config.manifest] }),
        ...hit,
      };
    }
    for (const route of mesh.gatewayApi.routes) {
      const refused = refusedByIstio(route, mesh.config.istio);
      if (refused === undefined || !isForIstio(route, mesh)) continue;
      const { what, fix } = refusedRuleWords(refused.problem);
      yield {
        manifest: route.config.manifest,
        field: ['spec', 'rules', refused.index],
        what: `istiod takes nothing of the route: ${what}`,
        why: 'An error in one rule keeps istiod from converting any rule of the route: what it is for gets 404, or what other routes say.',
        fix: asSentence(fix),
      };
    }
    const served = mesh.gatewayApi.attachments.filter(({ gateway }) => gateway.controller === 'envoy-gateway');
    for (const route of new Set(served.map((one) => one.route))) {
      for (const [index, fault] of ruleFaults(route, mesh).entries()) {
        if (fault === undefined || fault.is === 'reference') continue;
        const { what, fix } = ruleProblemWords(fault.problem);
        yield {
          manifest: route.config.manifest,
          field: ['spec', 'rules', index],
          what: `Envoy Gateway does not accept the rule: ${what}`,
          why: `A rule that is not valid ${fault.is === 'match' ? 'is left out' : 'answers 500'}, and a route without a valid one is not attached.`,
          fix: asSentence(fix),
        };
      }
    }
  },
};

function isForIstio(route: ApiRoute, { gatewayApi }: Mesh): boolean {
  const parents = routeSpec(route.config.manifest).parentRefs ?? [];
  return (
    parents.some(({ kind }) => kind === 'Service' || kind === 'ServiceEntry') ||
    gatewayApi.attachments.some((one) => one.route === route && one.gateway.controller.startsWith('istio'))
  );
}

interface Verdict {
  readonly what: string;
  readonly part?: string;
  readonly severity: NonNullable<Hit['severity']>;
  readonly fix?: string;
}

/** A Gateway of that name in another namespace. One that no manifest has may be in another repository. */
function elsewhere({ route, gateway, index }: Unattached, gateways: readonly Manifest[]): Verdict | undefined {
  const parent = parentOf(route, index);
  if ((parent.kind ?? 'Gateway') !== 'Gateway') return undefined;
  const found = gateways.filter(({ name }) => name === parent.name);
  return found.length === 0
    ? undefined
    : {
        what: `there is no Gateway ${gateway}, but there is ${found.map((one) => `${one.namespace}/${one.name}`).join(', ')}`,
        part: parent.namespace === undefined ? 'name' : 'namespace',
        severity: 'error',
      };
}

const parentOf = (route: ApiRoute, index: number): Reference => routeSpec(route.config.manifest).parentRefs?.[index] ?? {}; // prettier-ignore

/** Reasons that say the same of all listeners, those first which a reference meets first. */
const SAME: readonly Against['is'][] = ['section', 'port', 'kind', 'namespace', 'hostname', 'rules', 'taken'];

function judge(unattached: Unattached, mesh: Mesh): Verdict | undefined {
  const { route, parent: gateway, index, against } = unattached;
  if (gateway === undefined) return undefined;
  const whole = nameOf(gateway.config.manifest);
  const parent = parentOf(route, index);
  const severity = 'error';
  if (against.length === 0)
    return {
      what: `no listener of ${whole} takes it: ${unattachedText(whyUnattached(unattached))}`,
      severity,
      ...(unattached.why.is === 'kind-unserved'
        ? { fix: 'Install that Gateway API, or the release of Envoy Gateway that goes with the one there is.' }
        : {}),
    };
  // Of listeners that the reference does not speak of there is nothing to say, unless it speaks of none.
  const meant = against.filter(({ is }) => is !== 'section' && is !== 'port');
  if (meant.length === 0)
    return {
      what: `${whole} has no listener ${[parent.sectionName && JSON.stringify(parent.sectionName), parent.port && `on port ${parent.port}`].filter(Boolean).join(' ')}; it has ${against.map(({ listener }) => listener.name).join(', ')}`,
      part: parent.sectionName ? 'sectionName' : 'port',
      severity,
    };
  if (meant.some((one) => one.is === 'namespace' && isUncertain(one, route, mesh))) return undefined;
  const problems = meant.flatMap((one) => (one.is === 'listener' ? [one.problem] : []));
  // Other rules tell of the listener itself.
  if (problems.map(sortOf).some((sort) => sort === 'grant' || sort === 'conflict')) return undefined;
  const [first] = SAME.filter((is) => meant.every((one) => one.is === is));
  if (first === 'kind')
    return {
      what: `a ${route.kind} cannot attach to ${meant.map(({ listener: { name, protocol } }) => `${name} (${protocol})`).join(', ')} of ${whole}`,
      severity,
    };
  if (first === 'namespace')
    return {
      what: `${meant.map(({ listener }) => listener.name).join(', ')} of ${whole} lets no routes of namespace ${route.config.namespace} in (allowedRoutes.namespaces.from is ${fromOf(meant[0])})`,
      severity,
      fix: `Let the listener admit routes of namespace ${route.config.namespace} (allowedRoutes.namespaces of ${whole}: from: Selector, with a label of that Namespace), if they are to be served there.`,
    };
  if (first === 'hostname')
    return {
      what: `the hostnames ${route.hostnames.join(', ')} are none of ${meant.map(({ listener }) => listener.hostname).join(', ')}, which ${whole} has`,
      // Where another reference attaches it, this one is only idle.
      severity: mesh.gatewayApi.attachments.some((one) => one.route === route && one.gateway === gateway)
        ? 'warning'
        : severity,
      fix: 'Give the route hostnames within that of the listener, or name a listener whose hostname takes them.',
    };
  const [problem] = problems;
  return {
    what: `no listener of ${whole} takes it: ${[...new Set(meant.map(againstText))].join('; ')}`,
    severity: problems.some((one) => sortOf(one) === 'unread') ? 'warning' : severity,
    ...(problem === undefined ? {} : { fix: asSentence(listenerProblemWords(problem).fix) }),
  };
}

const fromOf = (against: Against | undefined): string => against?.listener.from ?? 'Same';

/** Whether labels of the namespace decide, and no manifest shows it. */
function isUncertain({ listener }: Against, route: ApiRoute, mesh: Mesh): boolean {
  return listener.from === 'Selector' && !mesh.namespaces.has(route.config.namespace);
}
