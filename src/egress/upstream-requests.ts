import { Duration } from 'cdk8s';
import * as networking from '../../imports/networking.istio.io';
import { HeaderChanges } from '../core/header-changes';
import { isWildcard } from '../core/hostname';
import { namespaceProblems, portProblems } from '../core/names';
import { Problem, quote } from '../core/problem';
import type { NamedNamespace } from '../mesh/namespace-names';
import { IExternalService } from './external-service';
import { istioDuration } from '../mesh/istio-duration';

/** Failures that the last proxy makes up, so that callers show how they bear them. */
export interface FaultInjection {
  /**
   * How long requests are held before they are sent on.
   *
   * @default not held
   */
  readonly delay?: Duration;

  /**
   * The share of requests that are held, in percent.
   *
   * @default 100
   */
  readonly delayPercent?: number;

  /**
   * The status that requests are answered with, and never sent on: 200 to 599. The proxy does not retry what it refuses itself; its log has flag FI.
   *
   * @default none
   */
  readonly abortStatus?: number;

  /**
   * The share of requests that are answered so, in percent.
   *
   * @default 100
   */
  readonly abortPercent?: number;
}

/** Who gets a copy of requests. */
export class MirrorTarget {
  /**
   * A Service of the mesh.
   *
   * @param name its name
   * @param namespace its namespace
   * @param port the Service's port
   */
  public static service(name: string, namespace: string, port: number): MirrorTarget {
    return new MirrorTarget(`${name}.${namespace}.svc.cluster.local`, port, undefined, namespace);
  }

  /**
   * Another external service, by plain HTTP. It is shown to the proxy that sends the copies.
   *
   * @param service the service, of one host
   */
  public static external(service: IExternalService): MirrorTarget {
    const port = service.ports.find(({ isHttp }) => isHttp);
    return new MirrorTarget(service.hosts[0] ?? '', port?.number ?? 0, service);
  }

  private constructor(
    private readonly host: string,
    private readonly port: number,
    private readonly service?: IExternalService,
    private readonly namespace?: string,
  ) {}

  /** @internal */
  public _destination(): networking.VirtualServiceSpecHttpMirrorsDestination {
    return { host: this.host, port: { number: this.port } };
  }

  /** @internal */
  public _showTo(namespaces: readonly string[]): void {
    for (const namespace of namespaces) this.service?.showIn(namespace);
  }

  /** @internal */
  public _named(): NamedNamespace[] {
    return this.namespace === undefined ? [] : [{ where: 'a mirror', name: this.namespace }];
  }

  /** @internal */
  public _problems(): Problem[] {
    const { service } = this;
    if (!service)
      return [
        ...namespaceProblems('namespace of a mirror', this.namespace),
        ...portProblems('port of a mirror', this.port),
      ];
    const plain = service.ports.find(({ isHttp }) => isHttp);
    const why = 'a copy goes to one host, as plain HTTP';
    if (service.hosts.length !== 1 || isWildcard(this.host))
      return [{ what: `a mirror at ${service.hosts.map(quote).join(', ')}`, why, fix: 'name a service of one host' }];
    if (plain && plain.targetPort !== 443 && !plain._thenTls) return [];
    return [
      {
        what: `a mirror at ${quote(this.host)}, which takes no plain HTTP`,
        why,
        fix: 'mirror to a Service of the mesh, or to an external service with ExternalPort.http()',
      },
    ];
  }
}

/** Copies of requests, whose answers nobody sees. */
export interface RequestMirror {
  /** Who gets them. */
  readonly to: MirrorTarget;

  /**
   * The share of requests that are copied, in percent.
   *
   * @default 100
   */
  readonly percent?: number;
}

/** What is done to single requests on their way. */
export interface RequestTreatment {
  readonly requestHeaders?: HeaderChanges;
  readonly responseHeaders?: HeaderChanges;
  readonly mirrors?: RequestMirror[];
  readonly fault?: FaultInjection;
}

/** What a route says of it. */
export function treatment(
  settings: RequestTreatment,
): Pick<networking.VirtualServiceSpecHttp, 'headers' | 'mirrors' | 'fault'> {
  const { requestHeaders, responseHeaders, mirrors, fault } = settings;
  return {
    ...((requestHeaders || responseHeaders) && {
      headers: { request: changes(requestHeaders), response: changes(responseHeaders) },
    }),
    ...(mirrors?.length && {
      mirrors: mirrors.map(({ to, percent }) => ({
        destination: to._destination(),
        percentage: { value: percent ?? 100 },
      })),
    }),
    ...(fault && { fault: faultSpec(fault) }),
  };
}

function changes(given: HeaderChanges | undefined): networking.VirtualServiceSpecHttpHeadersRequest | undefined {
  if (!given) return undefined;
  const { set, add, remove } = given;
  return { set: set && { ...set }, add: add && { ...add }, remove: remove && [...remove] };
}

function faultSpec(fault: FaultInjection): networking.VirtualServiceSpecHttpFault {
  const { delay, delayPercent, abortStatus, abortPercent } = fault;
  return {
    delay: delay && { fixedDelay: istioDuration(delay), percentage: { value: delayPercent ?? 100 } },
    abort:
      abortStatus === undefined ? undefined : { httpStatus: abortStatus, percentage: { value: abortPercent ?? 100 } },
  };
}

/** What can't be asked of single requests. */
export function treatmentProblems(settings: RequestTreatment): Problem[] {
  const { requestHeaders, responseHeaders, mirrors = [], fault } = settings;
  return [
    ...headerProblems('requestHeaders', requestHeaders),
    ...headerProblems('responseHeaders', responseHeaders),
    ...mirrors.flatMap(({ to }) => to._problems()),
    ...mirrors.flatMap(({ percent }) => percentProblems('mirrors.percent', percent)),
    ...(fault ? faultProblems(fault) : []),
  ];
}

function faultProblems(fault: FaultInjection): Problem[] {
  const { delay, abortStatus } = fault;
  const problems = [
    ...percentProblems('fault.delayPercent', fault.delayPercent),
    ...percentProblems('fault.abortPercent', fault.abortPercent),
  ];
  if (!delay && abortStatus === undefined)
    problems.push({
      what: 'upstream.fault makes nothing fail',
      why: 'neither a delay nor a status is said',
      fix: 'give `delay` or `abortStatus`, or leave it out',
    });
  if (abortStatus !== undefined && !(Number.isInteger(abortStatus) && abortStatus >= 200 && abortStatus <= 599))
    problems.push({
      what: `upstream.fault.abortStatus is ${abortStatus}`,
      why: 'istiod takes statuses from 200 to 599',
      fix: 'write such a status, or leave it out',
    });
  return problems;
}

function percentProblems(name: string, value: number | undefined): Problem[] {
  if (value === undefined || (value > 0 && value <= 100)) return [];
  return [
    {
      what: `upstream.${name} is ${value}`,
      why: 'it is a share of requests in percent, above 0 and up to 100',
      fix: 'write such a number, or leave the setting out',
    },
  ];
}

function headerProblems(field: string, given: HeaderChanges | undefined): Problem[] {
  if (!given) return [];
  const names = [...Object.keys(given.set ?? {}), ...Object.keys(given.add ?? {}), ...(given.remove ?? [])];
  if (!names.length)
    return [
      {
        what: `upstream.${field} changes no header`,
        why: 'nothing would be done',
        fix: 'name a header, or leave it out',
      },
    ];
  return names.flatMap((name): Problem[] => {
    if (name.toLowerCase() === 'host')
      return [
        {
          what: `upstream.${field} names ${quote(name)}`,
          why: 'the site would be asked for another host than its route and its TLS are for',
          fix: 'register the other host as an ExternalService of its own',
        },
      ];
    if (/^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/.test(name)) return [];
    return [
      {
        what: `upstream.${field} names ${quote(name)}`,
        why: 'that is no name of a header, and pseudo-headers can not be changed',
        fix: 'write names such as "x-request-source"',
      },
    ];
  });
}
