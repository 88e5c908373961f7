/** Settings of the mesh that some rules depend on and that are not about routes. */
import { ztunnelAnswersDns } from '../model/ambient-capture';
import { push } from '../model/objects';
import { autoAddress } from '../model/auto-addresses';
import type { Manifest } from '../model/manifest';
import { proxySettings } from '../model/proxy-config';
import type { Service } from '../model/services';
import { type CheckContext, defineIndex } from './context';
import { type Entry, isVisible } from './edge';
import { anyoneIn } from '../traffic/senders';
import { type Client, clients } from './paths/clients';

const servicesOf = defineIndex('services by manifest', ({ mesh }): ReadonlyMap<Manifest, readonly Service[]> => {
  const services = new Map<Manifest, Service[]>();
  for (const service of mesh.services.all) push(services, service.config.manifest, service);
  return services;
});

/** Whether Istio gives the hosts of an entry addresses of their own, for sidecars that answer DNS. */
export function getsAddresses(context: CheckContext, { manifest }: Entry): boolean {
  const services = context.index(servicesOf).get(manifest) ?? [];
  return services.length > 0 && services.every((service) => autoAddress(service) !== undefined);
}

/** Clients that see all of some entries and whose proxies answer no DNS: to them hosts without addresses have none. */
export function withoutDnsCapture(context: CheckContext, entries: readonly Entry[]): readonly Client[] {
  const own = [...new Set(entries.map(({ manifest }) => manifest.namespace))].map((namespace) => anyoneIn(namespace));
  const seeing = (all: readonly Client[]): readonly Client[] =>
    all.filter(({ namespace }) => entries.every((entry) => isVisible(context, entry, namespace)));
  const shown = seeing(context.index(clients));
  return (shown.length > 0 ? shown : own).filter((client) => !answersDns(context, client));
}

const answers = defineIndex('clients whose sidecars answer DNS', () => new Map<string, boolean>());

/** Asked of few clients for each of many entries. */
function answersDns(context: CheckContext, client: Client): boolean {
  const known = context.index(answers);
  const key = JSON.stringify([client.from, client.namespace, client.labels]);
  const answer = known.get(key) ?? capturesDns(context, client);
  known.set(key, answer);
  return answer;
}

/** Whether manifests say that the proxy of a client answers DNS, by all the ways in which a sidecar is told; ztunnels do. One reader for trace and check. */
function capturesDns({ mesh }: CheckContext, { from, namespace, labels }: Client): boolean {
  const [, name] = from.split('/');
  const workload = name === undefined ? undefined : mesh.workloads.find(namespace, name);
  const annotations = workload?.annotations ?? {};
  if ((workload?.membership ?? mesh.membershipIn(namespace)) === 'ztunnel') return ztunnelAnswersDns(annotations, mesh.config.ztunnelAnswersDns); // prettier-ignore
  return proxySettings(mesh.servedTo({ namespace, labels }), { namespace, labels, annotations }).answersDns;
}
