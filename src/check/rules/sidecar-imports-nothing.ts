import { isSubsetOf, overlaps } from '../../model/hostnames';
import { isVisible } from '../edge';
import { NETWORKING, specOf } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE406',
  name: 'sidecar-imports-nothing',
  severity: 'error',
  title: 'A Sidecar imports a host from a namespace that does not have it',
  why: 'The part before the slash is the namespace of the object that declares the host, not of the destination: nothing is imported, and the host is unknown to the sidecar.',
  fix: 'Write the namespace of the ServiceEntry or Service, or * for any.',
  see: 'https://istio.io/latest/docs/reference/config/networking/sidecar/#IstioEgressListener',
  reads: ['Sidecar'],
  footguns: ['X08'],
  *check(context) {
    const { services } = context.mesh;
    for (const manifest of context.of(NETWORKING, 'Sidecar')) {
      for (const [e, { hosts = [] }] of (specOf('Sidecar', manifest).egress ?? []).entries()) {
        for (const [h, host] of hosts.entries()) {
          const [given = '', name = ''] = host.split('/');
          if (given === '*' || given.startsWith('~') || name === '*' || name === '') continue;
          const namespace = given === '.' ? manifest.namespace : given;
          const owners = new Set(
            (name.includes('*') ? services.all : [...services.named(name).values()])
              .filter((service) =>
                name.includes('*') ? isSubsetOf(service.host, name) || overlaps(service.host, name) : true,
              )
              .filter((service) => services.isVisible(service, manifest.namespace))
              .map((service) => service.namespace),
          );
          if (owners.size === 0 || owners.has(namespace)) continue;
          const routes = context
            .of(NETWORKING, 'VirtualService')
            .some(
              (service) =>
                service.namespace === namespace &&
                (specOf('VirtualService', service).hosts ?? []).includes(name) &&
                isVisible(context, { manifest: service, spec: specOf('VirtualService', service) }, manifest.namespace),
            );
          if (routes) continue;
          yield {
            manifest,
            field: ['spec', 'egress', e, 'hosts', h],
            what: `${JSON.stringify(host)} imports nothing: ${name} is declared in ${[...owners].join(', ')}, not in ${namespace}`,
            fix: `Write ${[...owners][0]}/${name}.`,
          };
        }
      }
    }
  },
};
