/** Texts of Envoy Gateway's policies as its translator reads them: durations and amounts, as Go and Kubernetes write them. */

const DURATION = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+$|^[+-]?0$/;

/** Seconds; undefined where it is none (time.ParseDuration of Go). */
export function secondsOf(value: string): number | undefined {
  if (!DURATION.test(value)) return undefined;
  const units: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };
  const parts = [...value.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
  const sum = parts.reduce((all, [, amount = '', unit = '']) => all + Number(amount) * (units[unit] ?? 0), 0);
  return value.startsWith('-') ? -sum : sum;
}

const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
}; // prettier-ignore

/** A whole number; undefined where the amount is none (AsInt64 of Kubernetes' Quantity). */
export function wholeOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? value : undefined;
  const match = typeof value === 'string' ? /^([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:e([+-]?\d+)|([numkMGTPE]?|[KMGTPE]i))$/i.exec(value) : null; // prettier-ignore
  if (match === null) return undefined;
  const [, digits = '', exponent, suffix = ''] = match;
  const factor = exponent === undefined ? FACTORS[suffix] : 10 ** Number(exponent);
  const whole = factor === undefined ? NaN : Number(digits) * factor;
  return Number.isInteger(whole) && Math.abs(whole) < 2 ** 63 ? whole : undefined;
}
