/** What was proved, in the formats of `mesh-edge prove`. */
import { textOfLeftOut, type LeftOut } from '../model/left-out';
import { printable } from '../model/printable';
import type { Proof } from '../prove/prove';
import { text as inText } from './markdown-text';

export type ProveFormat = 'text' | 'json' | 'github' | 'markdown' | 'sarif';

interface Settings {
  /** The file of the rules. */
  readonly file: string;
  readonly color: boolean;
  /** What no cluster would have of the manifests, or what is followed although one would refuse it. */
  readonly leftOut?: readonly LeftOut[];
}

const MARKS = { proved: '✔', refuted: '✘', undecided: '?', vacuous: '∅' } as const;

export function formatProofs(proofs: readonly Proof[], format: ProveFormat, settings: Settings): string {
  const leftOut = (settings.leftOut ?? []).map(textOfLeftOut);
  switch (format) {
    case 'json':
      return `${JSON.stringify({ rules: proofs.map(({ passes: _passes, by: _by, line: _line, ...rest }) => rest), assumptions: leftOut }, null, 2)}\n`;
    case 'github':
      return proofs
        .filter(({ passes }) => !passes)
        .map((one) => annotation(one, settings.file))
        .join('');
    case 'markdown':
      return markdown(proofs, leftOut);
    case 'sarif':
      return sarif(proofs, settings.file);
    case 'text':
      return text(proofs, leftOut, settings.color);
  }
}

function text(proofs: readonly Proof[], leftOut: readonly string[], color: boolean): string {
  const painted = (one: Proof): string => {
    const mark = `${MARKS[one.verdict]} ${one.verdict}`;
    return color ? `\u001b[${one.passes ? 32 : one.verdict === 'refuted' ? 31 : 33}m${mark}\u001b[0m` : mark;
  };
  const parts = proofs.map((one) =>
    [
      `${painted(one)}: ${printable(one.name)} (${one.classes} ${one.classes === 1 ? 'class' : 'classes'} of requests)`,
      ...one.because.map((why) => `    ${printable(why)}`),
      ...(one.counterexample === null ? [] : [`    follow it: ${printable(followIt(one))}`]),
    ].join('\n'),
  );
  const good = proofs.filter(({ passes }) => passes).length;
  const said = leftOut.map((one) => `\n${printable(one)}`).join('');
  return `${parts.join('\n\n')}\n\n${good} of ${proofs.length} ${proofs.length === 1 ? 'rule' : 'rules'} hold for every request.\n${said === '' ? '' : `${said}\n`}`;
}

/** The counterexample as `mesh-edge trace` takes it. */
export function followIt({ counterexample }: Proof): string {
  if (counterexample === null) return '';
  const { from, request, method, headers, address, labels, serviceAccount, at, tokens, sni } = counterexample;
  const quoted = (value: string): string => `'${value.replace(/'/g, `'\\''`)}'`;
  // No flag says what a token claims, or of another SNI.
  if (tokens !== undefined || sni !== undefined)
    return `echo ${quoted(JSON.stringify(counterexample))} | mesh-edge trace PATH --requests -`;
  return [
    `mesh-edge trace PATH --from ${quoted(from)}`,
    ...(at === undefined ? [] : [`--at ${quoted(at)}`]),
    `--request ${quoted(request)}`,
    ...(method === 'GET' ? [] : [`--method ${quoted(method)}`]),
    ...Object.entries(headers).map(([name, value]) => `--header ${quoted(`${name}: ${value}`)}`),
    ...(address === null ? [] : [`--address ${address}`]),
    ...(labels === undefined || Object.keys(labels).length === 0 ? [] : [`--labels ${quoted(Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(','))}`]), // prettier-ignore
    ...(serviceAccount === undefined ? [] : [`--service-account ${quoted(serviceAccount)}`]),
  ].join(' ');
}

function annotation(one: Proof, file: string): string {
  const data = (value: string): string => value.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
  const property = (value: string): string => data(value).replace(/:/g, '%3A').replace(/,/g, '%2C');
  const level = one.verdict === 'refuted' ? 'error' : 'warning';
  return `::${level} file=${property(file)},line=${one.line},title=${property(printable(`${one.verdict}: ${one.name}`))}::${data(printable([...one.because, ...(one.counterexample === null ? [] : [followIt(one)])].join('; ')))}\n`;
}

function markdown(proofs: readonly Proof[], leftOut: readonly string[]): string {
  const cell = (value: string): string => inText(value, true);
  const rows = proofs.map(
    (one) =>
      `| ${MARKS[one.verdict]} ${one.verdict} | ${cell(one.name)} | ${one.classes} | ${one.because.map(cell).join('<br>')} |`,
  );
  return `| verdict | rule | classes of requests | because |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n${leftOut.map((one) => `\n${inText(one)}\n`).join('')}`;
}

function sarif(proofs: readonly Proof[], file: string): string {
  const results = proofs
    .filter(({ passes }) => !passes)
    .map((one) => ({
      ruleId: `prove/${one.verdict}`,
      level: one.verdict === 'refuted' ? 'error' : 'warning',
      message: { text: printable([`${one.verdict}: ${one.name}`, ...one.because].join('. ')) },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: file.split(/[/\\]/).map(encodeURIComponent).join('/') },
            region: { startLine: one.line },
          },
        },
      ],
    }));
  const rules = [...new Set(results.map(({ ruleId }) => ruleId))].map((id) => ({ id }));
  return `${JSON.stringify({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [{ tool: { driver: { name: 'mesh-edge', rules } }, results }] }, null, 2)}\n`;
}
