/** The functions that an API server adds to CEL, as far as rules of CRDs ask for them. */
import { type CelFunc, CelScalar, celFunc, celMethod, listType, mapType } from '@bufbuild/cel';
import { FORMATS } from './name-formats';

/** An object of Kubernetes' own type `url.URL`, as a map of its parts. */
const URL_TYPE = mapType(CelScalar.STRING, CelScalar.STRING);
/** One of Kubernetes' own type `Format`, as a map of its name. */
const FORMAT_TYPE = mapType(CelScalar.STRING, CelScalar.STRING);
/** What is wrong with a text, which is optional: a map without an entry stands for none. */
const OPTIONAL_TYPE = mapType(CelScalar.STRING, listType(CelScalar.STRING));

export function kubernetesFunctions(): CelFunc[] {
  const { STRING, BOOL } = CelScalar;
  return [
    celFunc('isURL', [STRING], BOOL, (text) => parseUrl(text) !== undefined),
    celFunc('url', [STRING], URL_TYPE, (text) => {
      const url = parseUrl(text);
      if (!url) throw new Error(`${text} is no URL`);
      return new Map(Object.entries(url)) as never;
    }),
    ...(['Scheme', 'Host', 'Hostname', 'Port', 'EscapedPath'] as const).map((part) =>
      celMethod(`get${part}`, URL_TYPE, [], STRING, function () {
        return String(this.get(part) ?? '');
      }),
    ),
    celFunc('isIP', [STRING], BOOL, (text) => isIp(text)),
    celFunc('isCIDR', [STRING], BOOL, (text) => isCidr(text)),
    ...[...FORMATS.keys()].map((name) =>
      celFunc(`format.${name}`, [], FORMAT_TYPE, () => new Map([['format', name]]) as never),
    ),
    celMethod('validate', FORMAT_TYPE, [STRING], OPTIONAL_TYPE, function (text) {
      const wrong = FORMATS.get(String(this.get('format')))?.(text) ?? [];
      return new Map(wrong.length === 0 ? [] : [['value', wrong]]) as never;
    }),
    celMethod('hasValue', OPTIONAL_TYPE, [], BOOL, function () {
      return this.has('value');
    }),
    celMethod('value', OPTIONAL_TYPE, [], listType(STRING), function () {
      const value = this.get('value');
      if (value === undefined) throw new Error('optional.none() has no value');
      return value as never;
    }),
    celMethod('find', STRING, [STRING], STRING, function (pattern) {
      return new RegExp(pattern).exec(String(this))?.[0] ?? '';
    }),
  ];
}

/** Go's url.ParseRequestURI: an absolute URL, or an absolute path. */
function parseUrl(text: string): Record<string, string> | undefined {
  const match =
    /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):\/\/(?:[^/?#@\s]*@)?(\[[^\]\s]*\]|[^/?#:\s]*)(?::(\d*))?|([a-zA-Z][a-zA-Z0-9+.-]*):(?=[^/\s]))?([^\s?]*)(\?\S*)?$/.exec(
      text,
    );
  if (!match || text === '') return undefined;
  const [, scheme = '', host = '', port = '', opaque = '', path = ''] = match;
  if (!scheme && !opaque && !path.startsWith('/')) return undefined;
  return { Scheme: (scheme || opaque).toLowerCase(), Host: port ? `${host}:${port}` : host, Hostname: host.replace(/^\[|\]$/g, ''), Port: port, EscapedPath: path }; // prettier-ignore
}

function isIp(text: string): boolean {
  return isIpv4(text) || (/^[0-9a-f:.]+$/i.test(text) && text.includes(':') && URL.canParse(`http://[${text}]/`));
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  return (
    rest.length === 0 && isIp(address) && /^\d{1,3}$/.test(bits) && Number(bits) <= (address.includes(':') ? 128 : 32)
  );
}
