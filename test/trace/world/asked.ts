/** What may be asked in a world of any manifests, densely: each client, each name and address, each port, each of the schemes, and what rules match. */
import { Links } from '../../../src/diff/links';
import { everyName, serversAt } from '../../../src/diff/requests';
import { Targets } from '../../../src/list/targets';
import { isWildcard } from '../../../src/model/hostnames';
import type { Mesh } from '../../../src/model/mesh';
import { RequestError } from '../../../src/trace/index';
import type { TraceRequest } from '../../../src/trace/types';
import { type ClientClass, clientClasses } from '../../../src/traffic/clients';
import { explore } from '../../../src/traffic/explore';
import { UNKNOWN_HOST } from '../../../src/traffic/universe';
import { addressesIn } from './realized';

const SCHEMES = ['http', 'https', 'tcp'] as const;
const MOST_CLASSES = 60;

/** Requests of every client of a mesh, those that its rules tell apart first; `also` is another state of it, whose names are asked for too. */
export function requestsOf(mesh: Mesh, also: Mesh = mesh): readonly TraceRequest[] {
  const meshes = [...new Set([mesh, also])];
  const all = clientClasses(mesh, also).flatMap((client) => [
    ...meshes.flatMap((one) => byRules(one, client)),
    ...(client.at === undefined ? anyWay(meshes, client) : atServers(meshes, client.at, client)),
  ]);
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}

/** A witness of each class of requests to each target that objects declare. */
function byRules(mesh: Mesh, client: ClientClass): readonly TraceRequest[] {
  return new Targets(mesh).of(client).flatMap((target) => {
    try {
      return explore(mesh, client.request, target, { mostClasses: MOST_CLASSES }).classes.map(({ witness }) => witness);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return [];
    }
  });
}

/** Every name on every port, whatever objects say is spoken there. */
function anyWay(meshes: readonly Mesh[], { request }: ClientClass): readonly TraceRequest[] {
  const names = new Set([...meshes.flatMap(namesIn).map(nameBelow), UNKNOWN_HOST]);
  const addresses = new Set([...meshes.flatMap(addressesIn), '203.0.113.251']);
  return portsIn(meshes).flatMap((port) => [
    ...[...names].flatMap((name) => SCHEMES.map((scheme) => ({ ...request, request: `${scheme}://${name}:${port}${scheme === 'tcp' ? '' : '/'}` }))), // prettier-ignore
    ...[...addresses].flatMap((address) => [
      { ...request, request: `tcp://${hostOf(address)}:${port}` },
      { ...request, request: `http://${hostOf(address)}:${port}/` },
      { ...request, request: `https://${UNKNOWN_HOST}:${port}/`, address },
      { ...request, request: `http://${UNKNOWN_HOST}:${port}/`, address },
    ]),
  ]);
}

function atServers(meshes: readonly Mesh[], at: string, { request }: ClientClass): readonly TraceRequest[] {
  const names = new Set([...meshes.flatMap(namesIn).map(nameBelow), UNKNOWN_HOST]);
  const ports = new Set(meshes.flatMap((mesh) => serversAt(mesh, at).map(({ port }) => port)));
  return [...ports].flatMap(
    (port) =>
    [...names].flatMap((name) => SCHEMES.map((scheme) => ({ ...request, request: `${scheme}://${name}:${port}${scheme === 'tcp' ? '' : '/'}` }))), // prettier-ignore
  );
}

const hostOf = (address: string): string => (address.includes(':') ? `[${address}]` : address);

const nameBelow = (name: string): string => name.replace(/^\*\./, 'any-name.').replace(/^\*/, 'any-name');

/** With the shorter names that Services have. */
function namesIn(mesh: Mesh): readonly string[] {
  const names = [...everyName(mesh), ...Links.of(mesh).hosts(), ...mesh.services.all.map(({ host }) => host)];
  const shorter = names.flatMap((name) => (/^[^.*]+\.[^.]+\.svc\./.test(name) ? [name.split('.')[0] ?? name, name.split('.').slice(0, 2).join('.')] : [])); // prettier-ignore
  return [...names, ...shorter].filter((name) => name !== '*' && (!isWildcard(name) || name.startsWith('*.')) && /^[*a-z0-9.-]+$/.test(name)); // prettier-ignore
}

function portsIn(meshes: readonly Mesh[]): readonly number[] {
  const ports = new Set([80, 443, 9999]);
  for (const mesh of meshes) {
    for (const service of mesh.services.all) for (const { port } of service.ports) ports.add(port);
    for (const { http, tls, tcp } of mesh.virtualServices.all)
      for (const rule of [...http, ...tls, ...tcp]) for (const { port } of rule.matches) if (port > 0) ports.add(port);
  }
  return [...ports].filter((port) => port > 0 && port !== 15021);
}
