/** Formats of names that CEL rules ask for by `format.qualifiedName()` and the like, each with what is wrong with a text. */

type Judge = (text: string) => readonly string[];

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const NAME_PART = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

const form = (pattern: RegExp, longest: number): Judge => {
  return (text) => [
    ...(text.length > longest ? [`must be no more than ${longest} characters`] : []),
    ...(pattern.test(text) ? [] : [`must match ${pattern.source}`]),
  ];
};

/** The same where a generator puts more behind the text, which may end in a dash. */
const start =
  (judge: Judge): Judge =>
  (text) =>
    judge(text.replace(/(?<=.)-$/, 'a'));

const label = form(LABEL, 63);
const subdomain = form(SUBDOMAIN, 253);
const label1035 = form(LABEL_1035, 63);
const namePart = form(NAME_PART, 63);

const qualifiedName: Judge = (text) => {
  const parts = text.split('/');
  if (parts.length > 2) return ['must be a name with an optional DNS subdomain before it, as example.com/name'];
  return [...(parts.length === 2 ? subdomain(parts[0] ?? '') : []), ...namePart(parts.at(-1) ?? '')];
};

export const FORMATS: ReadonlyMap<string, Judge> = new Map([
  ['dns1123Label', label],
  ['dns1123Subdomain', subdomain],
  ['dns1035Label', label1035],
  ['dns1123LabelPrefix', start(label)],
  ['dns1123SubdomainPrefix', start(subdomain)],
  ['dns1035LabelPrefix', start(label1035)],
  ['qualifiedName', qualifiedName],
  ['labelValue', (text: string): readonly string[] => (text === '' ? [] : namePart(text))],
]);
