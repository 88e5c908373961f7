/** Variables in text as Flux fills them in (github.com/fluxcd/pkg/envsubst): defaults, which may hold variables of their own, and functions of strings. */

export interface Variables {
  /** Undefined for a variable that nobody sets. */
  readonly valueOf: (name: string) => string | undefined;
  /** Whether a variable without a value here may have one in the cluster: then it stays as it is written. */
  readonly mayBeSet: (name: string) => boolean;
}

/** What is not known stays as it is written. */
export function envsubst(text: string, variables: Variables): string {
  return text.includes('$') ? fill(text, variables, true) : text;
}

/** @param isWhole text around expressions, in which two dollars are one; in an expression they are two */
function fill(text: string, variables: Variables, isWhole: boolean): string {
  let filled = '';
  for (let at = 0; at < text.length;) {
    if (isWhole && text.startsWith('$$', at)) {
      filled += '$';
      at += 2;
    } else if (text.startsWith('${', at)) {
      const end = closing(text, at + 2);
      if (end === -1) return filled + text.slice(at);
      filled += expand(text.slice(at + 2, end), variables) ?? text.slice(at, end + 1);
      at = end + 1;
    } else {
      filled += text.charAt(at);
      at++;
    }
  }
  return filled;
}

/** The brace that ends an expression, past those of the expressions in it. */
function closing(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text.startsWith('${', at)) depth++;
    else if (text.charAt(at) === '}') {
      if (depth === 0) return at;
      depth--;
    }
  }
  return -1;
}

const EXPRESSION = /^([A-Za-z_]\w*)(:[=\-?+]|=|\/\/?|\^\^?|,,?|##?|%%?|:(?=\d))?([^]*)$/;
const GLOB = /[*?[\]\\]/;

function expand(expression: string, variables: Variables): string | undefined {
  const [, name, operator, rest = ''] = EXPRESSION.exec(expression) ?? [];
  if (name === undefined || (operator === undefined && rest !== '')) return undefined;
  const value = variables.valueOf(name);
  if (operator !== undefined && /^:?[=\-?+]$/.test(operator)) {
    if (value !== undefined && value !== '') return value;
    return value === undefined && variables.mayBeSet(name) ? undefined : fill(rest, variables, false);
  }
  if (value === undefined || operator === undefined) return value;
  return changed(value, operator, fill(rest, variables, false));
}

/** Patterns with wildcards are left as they are written. */
function changed(value: string, operator: string, argument: string): string | undefined {
  switch (operator) {
    case '^':
      return value.charAt(0).toUpperCase() + value.slice(1);
    case '^^':
      return value.toUpperCase();
    case ',':
      return value.charAt(0).toLowerCase() + value.slice(1);
    case ',,':
      return value.toLowerCase();
    case ':':
      return part(value, argument);
    case '/':
    case '//': {
      const [, from = '', to = ''] = /^([^/]*)(?:\/([^]*))?$/.exec(argument) ?? [];
      if (from === '' || /^[#%]/.test(from)) return undefined;
      return operator === '/' ? value.replace(from, () => to) : value.replaceAll(from, () => to);
    }
    default:
      if (GLOB.test(argument)) return undefined;
      if (operator.startsWith('#')) return value.startsWith(argument) ? value.slice(argument.length) : value;
      return argument !== '' && value.endsWith(argument) ? value.slice(0, -argument.length) : value;
  }
}

/** `POSITION` or `POSITION:LENGTH`. */
function part(value: string, argument: string): string | undefined {
  const [, position, length] = /^(\d+)(?::(\d+))?$/.exec(argument.trim()) ?? [];
  if (position === undefined) return undefined;
  const from = Number(position);
  return value.slice(from, length === undefined ? undefined : from + Number(length));
}
