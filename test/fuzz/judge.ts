/** What holds of every command on every input: statuses, streams, formats, and that nothing a stranger wrote is obeyed. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DOMParser } from '@xmldom/xmldom';
import { alive } from './markdown';
import type { Outcome } from './runner';
import type { Ran } from './worker';

export interface Fault {
  /** By which faults of one kind are known. */
  readonly kind: string;
  readonly what: string;
}

/** Of processor time. */
const LONGEST_MS = 10_000;

// eslint-disable-next-line no-control-regex
const RAW = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;
const OBEYED = /^[ \t]*::[a-z][a-z-]*[ :]|##\[/im;
/** Words of a program about itself; nothing that is put into manifests here holds them. */
const OWN_WORDS =
  /internal error|failed on these manifests|\[object Object\]|\bCannot read propert|is not a function\b|is not iterable\b/;
const FRAME = /^\s+at (?:\S+ \()?(?:\/|node:|file:)\S+:\d+:\d+\)?$/m;

const around = (text: string, at: number): string => JSON.stringify(text.slice(Math.max(0, at - 60), at + 80));

export function judge(cwd: string, args: readonly string[], outcome: Outcome): Fault[] {
  const [command = ''] = args;
  if ('died' in outcome) return [{ kind: `${command} dies`, what: outcome.died }];
  const faults: Fault[] = [];
  const say = (kind: string, what: string): void => void faults.push({ kind: `${command}: ${kind}`, what });
  const { status, stdout, stderr, ms } = outcome;
  const format = args[args.indexOf('--format') + 1] ?? '';
  const isFormat = (one: string): boolean => args.includes('--format') && format === one;
  if (ms > LONGEST_MS) say('slow', `${Math.round(ms)} ms`);
  if (![0, 1, 2].includes(status)) say('status', String(status));
  for (const text of [stdout, stderr]) {
    const own = OWN_WORDS.exec(text) ?? FRAME.exec(text);
    if (own) say(`crash, ${crashOf(text)}`, text.slice(own.index, own.index + 700));
  }
  if (status === 2 && stdout !== '') say('standard output beside status 2', stdout.slice(0, 300));
  if (status === 2 && stderr === '') say('status 2 without a reason', '');
  faults.push(...tame(command, 'standard error', stderr, false));
  faults.push(
    ...tame(command, 'standard output', isFormat('csv') ? stdout.replaceAll('\r\n', '\n') : stdout, isFormat('github')),
  );
  if (status !== 2) faults.push(...formatFaults(args, outcome, args.includes('--format') ? format : 'text').map(({ kind, what }) => ({ kind: `${command}: ${kind}`, what }))); // prettier-ignore
  if (command === 'diagram' && status === 0)
    faults.push(...pictureFaults(join(cwd, args[args.indexOf('-o') + 1] ?? '')));
  return faults;
}

/** The innermost frames of a crash tell it from others. */
const crashOf = (text: string): string =>
  /internal error: (\w+)/.exec(text)?.[1] ??
  /rule [\w-]+ failed/.exec(text)?.[0] ??
  OWN_WORDS.exec(text)?.[0] ??
  'a stack';

function tame(command: string, where: string, text: string, isGitHub: boolean): Fault[] {
  const raw = RAW.exec(text);
  const obeyed = isGitHub ? /##\[/.exec(text) : OBEYED.exec(text);
  return [
    ...(raw ? [{ kind: `${command}: a control character on ${where}`, what: around(text, raw.index) }] : []),
    ...(obeyed ? [{ kind: `${command}: a command to a runner on ${where}`, what: around(text, obeyed.index) }] : []),
  ];
}

function formatFaults(args: readonly string[], { stdout, status }: Ran, format: string): Fault[] {
  switch (format) {
    case 'json':
    case 'sarif':
      return jsonFaults(args, stdout, status);
    case 'github':
      return stdout
        .split('\n')
        .filter((line) => /^\s*::/.test(line))
        .filter((line) => !/^::(error|warning|notice) (file=[^,:]*,(line=\d+,)?)?title=[^:,]*::/.test(line))
        .map((what) => ({ kind: 'a workflow command of a stranger', what }));
    case 'csv':
      return cells(stdout)
        .filter((cell) => /^[=+@\-\t\r]/.test(cell) && !/^-?\d+$/.test(cell))
        .map((what) => ({ kind: 'a formula', what }));
    case 'html':
      return pageFaults(stdout);
    case 'markdown':
      return alive(stdout).map((what) => ({ kind: `live Markdown, ${what.split(' ')[0]}`, what }));
    case 'mermaid':
      return mermaidFaults(stdout);
    default:
      return args.includes('--requests') ? lineFaults(stdout) : [];
  }
}

function jsonFaults(args: readonly string[], text: string, status: number): Fault[] {
  let read: Record<string, any>;
  try {
    read = JSON.parse(text);
  } catch (error) {
    return [{ kind: 'no JSON', what: `${String(error)}: ${text.slice(0, 200)}` }];
  }
  const faults: Fault[] = [];
  if (args[0] === 'check' && args.includes('json')) {
    const errors = read.findings.filter((one: { severity: string }) => one.severity === 'error').length;
    if (errors !== read.summary.errors)
      faults.push({ kind: 'a summary that does not add up', what: `${errors}, ${read.summary.errors}` });
    if (errors > 0 !== (status === 1))
      faults.push({ kind: 'a status against its errors', what: `${errors} errors, status ${status}` });
  }
  if (args.includes('sarif'))
    for (const [, uri = ''] of text.matchAll(/"uri": "([^"]*)"/g))
      if (!/^[\w.~/:%!'()*@+,;=&$-]+$/.test(uri)) faults.push({ kind: 'no URI', what: uri });
  return faults;
}

function lineFaults(text: string): Fault[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      try {
        JSON.parse(line);
        return [];
      } catch {
        return [{ kind: 'a line that is no JSON', what: line.slice(0, 200) }];
      }
    });
}

function cells(text: string): string[] {
  return [...text.matchAll(/(?:^|,|\n)(?:"((?:[^"]|"")*)"|([^",\r\n]*))/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? '',
  );
}

function pageFaults(page: string): Fault[] {
  const foreign = /<script>alert|<img|<details>\]|<!--\s*\\`/.exec(page);
  return foreign ? [{ kind: 'markup of a stranger', what: around(page, foreign.index) }] : [];
}

function mermaidFaults(text: string): Fault[] {
  const sign = /```|%%\{/.exec(text);
  return sign ? [{ kind: 'a fence or directive', what: around(text, sign.index) }] : [];
}

function pictureFaults(file: string): Fault[] {
  if (!existsSync(file)) return [{ kind: 'diagram: no picture', what: file }];
  const picture = readFileSync(file, 'utf8');
  const raw = RAW.exec(picture);
  const faults = raw ? [{ kind: 'control character', what: around(picture, raw.index) }] : [];
  if (file.endsWith('.mmd')) faults.push(...mermaidFaults(picture));
  else faults.push(...pageFaults(picture));
  if (file.endsWith('.svg')) {
    const said: string[] = [];
    try {
      new DOMParser({ onError: (_level, message) => void said.push(message) }).parseFromString(
        picture,
        'image/svg+xml',
      );
    } catch (error) {
      said.push(String(error));
    }
    // The reader lets an ampersand pass that begins no entity.
    const bare = /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9A-Fa-f]+);)/.exec(picture);
    if (bare) said.push(around(picture, bare.index));
    if (said[0] !== undefined) faults.push({ kind: 'no XML', what: said[0] });
  }
  return faults.map(({ kind, what }) => ({ kind: `diagram, ${file.slice(-3)}: ${kind}`, what }));
}
