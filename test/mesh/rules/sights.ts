/** What can be seen in the lab, in few words. */
import { type KubeObject } from '../../lab/api';
import { addNode } from '../../lab/controlplane';
import { until } from '../../lab/process';
import { type Mesh } from '../mesh';
import { type ByLab } from './confirmation';

type Sight = ByLab['see'];

const ENDINGS: Readonly<Record<string, string>> = {
  7: 'cannot connect',
  28: 'no answer',
  35: 'connection closed in the TLS handshake',
  52: 'connection closed without an answer',
  56: 'connection reset',
};

/** What curl says of a request: the status, or how the connection ended. */
export const asked =
  (from: string, url: string, ...args: readonly string[]): Sight =>
  async (mesh) => {
    const written = '%{http_code} %{exitcode}';
    const command = ['curl', '-s', '--max-time', '3', '-o', '/dev/null', '-w', written, ...args, url];
    const { stdout } = await mesh.lab.run('exec', { pod: from, command });
    const [status, code = ''] = stdout.trim().split(' ');
    return status === '000' ? (ENDINGS[code] ?? `curl ended with ${code}`) : `${status}`;
  };

/** What a proxy answers to CONNECT, and the host behind it to the request inside. */
export const askedByProxy =
  (from: string, proxy: (mesh: Mesh) => Promise<string>, url: string): Sight =>
  async (mesh) => {
    const written = '%{http_connect} %{http_code}';
    const way = ['--proxy', await proxy(mesh)];
    const command = ['curl', '-s', '--max-time', '3', '-o', '/dev/null', '-w', written, ...way, url];
    const { stdout } = await mesh.lab.run('exec', { pod: from, command });
    const [connect, status] = stdout.trim().split(' ');
    return `CONNECT ${connect}${status === '000' ? '' : `, then ${status}`}`;
  };

/** What a server that speaks first says on a raw TCP connection. */
export const greeted =
  (from: string, address: string): Sight =>
  async (mesh) => {
    const command = ['sh', '-c', `curl -s --max-time 3 telnet://${address} < /dev/null`];
    const { stdout } = await mesh.lab.run('exec', { pod: from, command });
    return stdout.startsWith('hello') ? 'the greeting' : 'nothing';
  };

/** Whether a Pod finds an address for a name. */
export const resolved =
  (from: string, name: string): Sight =>
  async (mesh) => {
    const { code } = await mesh.lab.run('exec', {
      pod: from,
      command: ['getent', 'ahostsv4', name],
      timeoutSeconds: 4,
    });
    return code === 0 ? 'an address' : 'no address';
  };

/** Whether a Pod that is made now becomes ready, or what its sidecar says against it. */
export const becomesReady =
  (namespace: string): Sight =>
  async (mesh) => {
    const pod: KubeObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'newcomer', namespace },
      spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'none', image: 'example.com/none' }] },
    };
    const name = `${namespace}/newcomer`;
    await mesh.lab.apply([pod]);
    const seen = await until('the new Pod is ready or says why not', 90, async () => {
      if ((await mesh.lab.run('pod', { pod: name })).ready) return 'ready';
      const log = await mesh.lab.containerLog(name, 'istio-proxy');
      return /dial tcp \S+:15012: i\/o timeout/.test(log) ? 'its sidecar gets no answer from istiod' : undefined;
    });
    await mesh.lab.delete([pod]);
    return seen;
  };

interface PodSpec {
  readonly containers: readonly { readonly name: string; readonly image: string }[];
  readonly initContainers?: readonly { readonly name: string; readonly args?: readonly string[] }[];
}

/** What the injector makes of a Pod of the example's workload, without making it. */
const injected =
  (words: (spec: PodSpec) => string): Sight =>
  async (mesh, _, example) => {
    // The gateway comes after its clients.
    const owner = [...example].reverse().find(({ kind }) => kind === 'Deployment' || kind === 'Pod');
    const template =
      owner?.kind === 'Pod' ? owner : (owner?.spec as { readonly template?: KubeObject } | undefined)?.template;
    const isHome = ({ kind, metadata: { name } }: KubeObject) =>
      kind === 'Namespace' && (owner === undefined || name === owner.metadata.namespace);
    // A Pod by itself belongs to a namespace that the example leaves out.
    const { labels = owner?.kind === 'Pod' ? { 'istio-injection': 'enabled' } : {} } =
      example.find(isHome)?.metadata ?? {};
    const home: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'rule-probe', labels } };
    await mesh.lab.apply([home]);
    const pod: KubeObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...template?.metadata, name: 'probe', namespace: 'rule-probe' },
      spec: template?.spec ?? { containers: [{ name: 'main', image: 'example.com/none' }] },
    };
    const made = await mesh.lab.api.apply(pod, { dryRun: true });
    // Labels of another example must not stay.
    await mesh.lab.api.apply({ ...home, metadata: { name: 'rule-probe', labels: {} } });
    return words(made.spec as PodSpec);
  };

export const containers = injected(({ containers: all }) => all.map(({ name }) => name).join(', '));
export const proxyImage = injected(({ containers: all }) => {
  const { image } = all.find(({ name }) => name === 'istio-proxy')!;
  return image === 'auto' ? 'auto, which is no image' : 'one of a proxy';
});

/** What the injector tells istio-init by one of its arguments. */
const toldInit = (argument: string) =>
  injected(({ initContainers = [] }) => {
    const args = initContainers.find(({ name }) => name === 'istio-init')?.args ?? [];
    return args[args.indexOf(argument) + 1] || 'none';
  });
export const portsLeftOut = toldInit('-o');
export const rangesCaptured = toldInit('-i');

/** Whether the first Service of the example has a port on every node, and what it says there to a client without an identity. */
export const fromOutside =
  (service: string, url: string): Sight =>
  async (mesh, ...rest) => {
    const [name = '', namespace] = service.split('.');
    const read = await mesh.lab.api.tryGet({ apiVersion: 'v1', kind: 'Service' }, name, namespace);
    const { ports = [] } = (read?.spec ?? {}) as { readonly ports?: readonly { readonly nodePort?: number }[] };
    if (!ports.some(({ nodePort }) => nodePort !== undefined)) return read ? 'no port of any node' : 'no such Service';
    const answer = await asked('legacy/plain', url, '-k', '--connect-to', `::${service}:`)(mesh, ...rest);
    return `a port of every node, and behind it ${answer} to whoever comes`;
  };

/** Where the scheduler puts the gateway of the example while the node that is kept for it is drained. */
export const scheduled: Sight = async (mesh, _, example) => {
  const key = 'example.com/egress';
  const drained = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' };
  const labels = { [key]: 'true' };
  await addNode(mesh.lab.api, 'kept', labels, [{ key, value: 'true', effect: 'NoSchedule' }, drained]);
  const owner = example.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'egress');
  const { spec } = (owner?.spec as { readonly template: { readonly spec: object } }).template;
  const pod: KubeObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'scheduled', namespace: 'legacy' },
    spec: { ...spec, terminationGracePeriodSeconds: 0, containers: [{ name: 'none', image: 'example.com/none' }] },
  };
  await mesh.lab.apply([pod]);
  const place = await until('the scheduler has looked at the Pod', 30, async () => {
    const made = (await mesh.lab.api.tryGet(pod, 'scheduled', 'legacy')) as ScheduledPod | undefined;
    if (made?.spec.nodeName) return 'on a node for everybody';
    return made?.status?.conditions?.some(({ reason }) => reason === 'Unschedulable') ? 'nowhere' : undefined;
  });
  await mesh.lab.delete([pod, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'kept' } }]);
  return place;
};

interface ScheduledPod {
  readonly spec: { readonly nodeName?: string };
  readonly status?: { readonly conditions?: readonly { readonly reason?: string }[] };
}

/** What is stored of objects that are applied one after the other. */
export const hostsStored: Sight = async (mesh, _, example) => {
  for (const object of example) await mesh.lab.api.apply(object);
  const stored = await mesh.lab.api.list({ apiVersion: 'networking.istio.io/v1', kind: 'ServiceEntry' });
  await mesh.lab.delete(example);
  return stored
    .filter(({ metadata }) => example.some((one) => one.metadata.name === metadata.name))
    .flatMap(({ spec }) => (spec as { readonly hosts: readonly string[] }).hosts)
    .join(', ');
};

/** What a proxy refuses of what istiod sends; with a refusal the proxy never acknowledges, so nobody waits for that. */
export const refusedListener: Sight = async (mesh, kind, example) => {
  const logged = async () => (await mesh.lab.containerLog('app/sleep', 'istio-proxy')).length;
  const before = await logged();
  await mesh.lab.apply(example);
  if (kind === 'good') await mesh.lab.settle();
  const refusal = await until('the proxy says something', 10, async () => {
    const log = (await mesh.lab.containerLog('app/sleep', 'istio-proxy')).slice(before);
    const found = /error adding listener: ('[^']+' has duplicate address '[^']+')/.exec(log)?.[1];
    return found ?? (kind === 'good' ? 'nothing' : undefined);
  });
  await mesh.lab.delete(example);
  await mesh.lab.settle();
  return refusal;
};

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
}

interface Status {
  readonly parents?: readonly { readonly conditions?: readonly Condition[] }[];
  readonly ancestors?: readonly { readonly conditions?: readonly Condition[] }[];
  readonly listeners?: readonly { readonly conditions?: readonly Condition[] }[];
}

/** A GatewayClass of Envoy Gateway whose Gateways have no Pods. */
const CLASS: readonly KubeObject[] = [
  {
    apiVersion: 'gateway.envoyproxy.io/v1alpha1',
    kind: 'EnvoyProxy',
    metadata: { name: 'no-pods', namespace: 'envoy-gateway-system' },
    spec: { provider: { type: 'Kubernetes', kubernetes: { envoyDeployment: { replicas: 0 } } } },
  },
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: 'eg' },
    spec: {
      controllerName: 'gateway.envoyproxy.io/gatewayclass-controller',
      parametersRef: {
        group: 'gateway.envoyproxy.io',
        kind: 'EnvoyProxy',
        name: 'no-pods',
        namespace: 'envoy-gateway-system',
      },
    },
  },
];

/** Makes the namespaces of an example that are not there; those that are keep their labels. */
async function settleIn(mesh: Mesh, example: readonly KubeObject[]): Promise<void> {
  const kind = { apiVersion: 'v1', kind: 'Namespace' };
  const there = new Set((await mesh.lab.api.list(kind)).map(({ metadata }) => metadata.name));
  const names = new Set(example.flatMap(({ metadata }) => metadata.namespace ?? []));
  const missing = [...names].filter((name) => !there.has(name));
  await mesh.lab.apply(missing.map((name): KubeObject => ({ ...kind, metadata: { name } })));
}

/**
 * What the controller says of the first object of a kind, in some of its conditions.
 *
 * @param quietSeconds how long it has to say the same, where it waits for objects of its own making
 * @param isOfAll whether to give what it says of all of that kind
 */
export const status =
  (kind: string, of: readonly string[], quietSeconds = 0, isOfAll = false): Sight =>
  async (mesh, _, example) => {
    await settleIn(mesh, example);
    const own = example.filter((object) => !['GatewayClass', 'EnvoyProxy', 'Namespace'].includes(object.kind));
    await mesh.lab.apply([...CLASS, ...own]);
    const objects = example.filter((one) => one.kind === kind).slice(0, isOfAll ? undefined : 1);
    let last = { said: '', since: 0 };
    const said = await until('the controller has said something', 6 + 2 * quietSeconds, async () => {
      const read = await Promise.all(
        objects.map((one) => mesh.lab.api.tryGet(one, one.metadata.name, one.metadata.namespace)),
      );
      const conditions = read.flatMap((object) => {
        const { parents, ancestors, listeners } = (object?.status ?? {}) as Status;
        return [parents, ancestors, listeners].flatMap((all) => all?.[0]?.conditions ?? []);
      });
      const chosen = conditions.filter(({ type, status: is }) => of.includes(type) && is !== 'Unknown');
      const now = chosen.map(({ type, status: is, reason }) => `${type} ${is}: ${reason}`).sort();
      if (now.join(', ') !== last.said) last = { said: now.join(', '), since: Date.now() };
      return last.said !== '' && Date.now() - last.since >= quietSeconds * 1000 ? last.said : undefined;
    }).catch(() => 'nothing');
    await mesh.lab.delete([...own, ...CLASS]);
    return said;
  };

/** Whether the controller accepts the example's first object of a kind, whose class is the example's own. */
export const accepted =
  (kind: string): Sight =>
  async (mesh, _, example) => {
    const homes = new Set(example.flatMap(({ metadata }) => metadata.namespace ?? []));
    const namespaces = [...homes].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
    await mesh.lab.apply([
      ...namespaces.filter(({ metadata }) => metadata.name !== 'envoy-gateway-system'),
      ...example,
    ]);
    const object = example.find((one) => one.kind === kind)!;
    const said = await until('the controller has said something', 8, async () => {
      const read = await mesh.lab.api.tryGet(object, object.metadata.name, object.metadata.namespace);
      const { conditions = [] } = (read?.status ?? {}) as { readonly conditions?: readonly Condition[] };
      const found = conditions.find(({ type, status: is }) => type === 'Accepted' && is !== 'Unknown');
      return found && `Accepted ${found.status}: ${found.reason}`;
    }).catch(() => 'nothing');
    await mesh.lab.delete(example);
    return said;
  };

/** Whether the Pods that Envoy Gateway is to make for the example's Gateway have the label that asks for a sidecar. */
export const askedForInjection: Sight = async (mesh, _, example) => {
  const { name } = example.find(({ kind }) => kind === 'Gateway')!.metadata;
  await settleIn(mesh, example);
  await mesh.lab.apply(example);
  const made = await until('Envoy Gateway has made a Deployment', 30, async () => {
    const all = await mesh.lab.api.list({ apiVersion: 'apps/v1', kind: 'Deployment' });
    return all.find(({ metadata: { labels } }) => labels?.['gateway.envoyproxy.io/owning-gateway-name'] === name);
  });
  await mesh.lab.delete(example);
  const { labels = {} } = (made.spec as { readonly template: KubeObject }).template.metadata;
  return 'sidecar.istio.io/inject' in labels ? 'the label' : 'no such label';
};
