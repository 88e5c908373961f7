/** The options that describe one request: one wording for every command that takes them. */
import { type Command, InvalidArgumentError } from 'commander';
import type { TraceRequest } from '../trace/types';

export interface RequestFlags {
  readonly request?: string;
  readonly from?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly serviceAccount?: string;
  readonly method?: string;
  readonly header?: Readonly<Record<string, string>>;
  readonly at?: string;
  readonly address?: string;
}

export function addRequestOptions(command: Command): Command {
  return command
    .option('--request <url>', 'http://host/path, https://host/path, tls://host:port or tcp://address:port')
    .option('--from <client>', 'NAMESPACE or NAMESPACE/WORKLOAD of the client; "outside" with --at')
    .option('--labels <k=v,...>', "labels of the client's Pod (default: those of the workload)", labels)
    .option('--service-account <name>', 'ServiceAccount of the client (default: that of the workload)')
    .option('--method <method>', 'HTTP method (default: GET)')
    .option('--header <"K: V">', 'a header of the request; may be repeated', header, {})
    .option('--at <gateway>', 'NAMESPACE/GATEWAY at which a request from outside enters')
    .option('--address <ip>', 'IP that the client dials, where it matters which one');
}

export function requestOf(flags: RequestFlags): TraceRequest {
  const { request = '', from = '', labels: given, serviceAccount, method, at, address } = flags;
  const headers = flags.header ?? {};
  return {
    from,
    request,
    ...(given === undefined ? {} : { labels: given }),
    ...(serviceAccount === undefined ? {} : { serviceAccount }),
    ...(method === undefined ? {} : { method }),
    ...(at === undefined ? {} : { at }),
    ...(address === undefined ? {} : { address }),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
  };
}

function labels(text: string): Readonly<Record<string, string>> {
  const pairs = text
    .split(',')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      if (equals < 1) throw new InvalidArgumentError(`"${pair}" is not key=value.`);
      return [pair.slice(0, equals), pair.slice(equals + 1)] as const;
    });
  return Object.fromEntries(pairs);
}

function header(text: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const colon = text.indexOf(':', 1);
  if (colon < 1) throw new InvalidArgumentError(`"${text}" is not "Name: value".`);
  return { ...before, [text.slice(0, colon).trim()]: text.slice(colon + 1).trim() };
}
