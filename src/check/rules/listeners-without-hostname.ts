import type { ApiGateway, ApiListener } from '../../model/gateway-api';
import { sortOf } from '../../model/listener-problems';
import { listenerProblemWords } from '../../trace/words/listener-problems';
import { asSentence } from '../../trace/words/words';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE815',
  name: 'listeners-without-hostname',
  severity: 'error',
  title: 'Listeners of one port are in conflict',
  why: 'HTTPS and TLS are told apart by SNI, and so by hostnames; plain HTTP by nothing. Envoy Gateway serves neither of two that cannot be told apart, and of Gateways that share their proxies only the first.',
  fix: 'Give each listener of the port a hostname of its own.',
  see: 'https://gateway-api.sigs.k8s.io/reference/spec/#listener',
  reads: ['Gateway'],
  footguns: ['Y09', 'Y08', 'G08'],
  *check({ mesh }) {
    for (const gateway of mesh.gatewayApi.gateways) {
      const isJudged = gateway.controller === 'envoy-gateway' || gateway.listeners.some(({ problem }) => problem !== undefined && sortOf(problem) === 'conflict'); // prettier-ignore
      const found = isJudged ? inConflict(gateway) : sameServerNames(gateway);
      for (const { listener, what, fix } of found)
        yield {
          manifest: listener.set ?? gateway.config.manifest,
          field: ['spec', 'listeners', listener.index],
          what,
          ...(fix === undefined ? {} : { fix }),
        };
    }
  },
};

interface Found {
  readonly listener: ApiListener;
  readonly what: string;
  readonly fix?: string;
}

/** Those in conflict by the rules of their controller. Envoy Gateway may serve neither of two: that is told at the later of them. */
function* inConflict({ listeners, controller }: ApiGateway): Generator<Found> {
  for (const [at, listener] of listeners.entries()) {
    const { name, problem } = listener;
    if (problem === undefined || sortOf(problem) !== 'conflict') continue;
    const rival = 'rival' in problem ? problem.rival : '';
    const isMutual = 'neither' in problem && problem.neither;
    if (controller === 'envoy-gateway' && isMutual && listeners.slice(at + 1).some((one) => one.name === rival))
      continue;
    const { what, fix } = listenerProblemWords(problem);
    yield { listener, what: `listener ${name} is not programmed: ${what}`, fix: asSentence(fix) };
  }
}

/** Of controllers whose rules are others: those that SNI cannot tell apart. */
function* sameServerNames({ listeners }: ApiGateway): Generator<Found> {
  const byServerName = listeners.filter(({ protocol }) => protocol === 'HTTPS' || protocol === 'TLS');
  for (const [at, listener] of byServerName.entries()) {
    const { name, port, protocol, hostname } = listener;
    const other = byServerName
      .slice(0, at)
      .find((one) => one.port === port && one.hostname === hostname && one.protocol !== protocol);
    if (other !== undefined)
      yield {
        listener,
        what: `listeners ${other.name} (${other.protocol}) and ${name} (${protocol}) share port ${port} and ${hostname === '*' ? 'have no hostname' : `the hostname ${hostname}`}`,
      };
  }
}
